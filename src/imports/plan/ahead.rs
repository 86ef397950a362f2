//! What the tables say of an application, read while its files are read: the plan compares with it.

use projections::accounts::{AccountRow, known};
use projections::grants::{HeldAccess, held};
use sqlx::PgPool;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

/// Accounts of a page of access.
const PAGE: usize = 2_000;
/// Pages that wait to be compared.
const PAGES: usize = 48;

/// The accounts of an application, then what they hold.
pub struct Ahead {
    accounts: Option<oneshot::Receiver<sqlx::Result<Vec<AccountRow>>>>,
    access: mpsc::Receiver<sqlx::Result<Vec<HeldAccess>>>,
    is_read: bool,
}

impl Ahead {
    /// Begins to read. It stops when nobody wants it any more.
    pub fn start(handle: &Handle, pool: PgPool, application: Uuid) -> Self {
        let (accounts_read, accounts) = oneshot::channel();
        let (page_read, access) = mpsc::channel(PAGES);
        handle.spawn(async move {
            if accounts_read.send(known(&pool, application).await).is_err() {
                return;
            }
            let mut after = Some(Uuid::nil());
            while let Some(last) = after {
                let page = held(&pool, application, last, PAGE as i64).await;
                let full = page.as_ref().ok().filter(|page| page.len() == PAGE);
                after = full.and_then(|page| page.last()).map(|last| last.account_id);
                if page_read.send(page).await.is_err() {
                    return;
                }
            }
        });
        Self { accounts: Some(accounts), access, is_read: false }
    }

    /// Every account that is or was there, once.
    pub(super) async fn accounts(&mut self) -> sqlx::Result<Vec<AccountRow>> {
        match self.accounts.take() {
            Some(accounts) => accounts.await.map_err(|_| sqlx::Error::WorkerCrashed)?,
            None => Ok(Vec::new()),
        }
    }

    /// What the next accounts hold, ascending by account; `None` after the last.
    pub(super) async fn access(&mut self) -> sqlx::Result<Option<Vec<HeldAccess>>> {
        if self.is_read {
            return Ok(None);
        }
        let page = self.access.recv().await.ok_or(sqlx::Error::WorkerCrashed)??;
        self.is_read = page.len() < PAGE;
        Ok(Some(page))
    }
}
