//! What the tables say of an application, read while its files are read: the plan compares with it.

use std::sync::Arc;

use projections::accounts::{KnownAccount, known};
use projections::grants::{HeldAccess, held};
use sqlx::PgPool;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use uuid::Uuid;

/// Accounts of a page of access.
const PAGE: usize = 2_000;
/// Pages that wait to be compared, and grants: 16 MB of them, however many an account holds.
const PAGES: usize = 64;
const GRANTS: usize = 1 << 20;

/// A page, and its share of the grants that may wait.
type Read = (sqlx::Result<Vec<HeldAccess>>, Option<OwnedSemaphorePermit>);

/// The accounts of an application, then what they hold.
pub struct Ahead {
    accounts: Option<oneshot::Receiver<sqlx::Result<Vec<KnownAccount>>>>,
    access: mpsc::Receiver<Read>,
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
            let room = Arc::new(Semaphore::new(GRANTS));
            let mut after = Some(Uuid::nil());
            while let Some(last) = after {
                let page = held(&pool, application, last, PAGE as i64).await;
                let full = page.as_ref().ok().filter(|page| page.len() == PAGE);
                after = full.and_then(|page| page.last()).map(|last| last.account_id);
                let grants = page.iter().flatten().map(|held| held.entitlements.len()).sum::<usize>().min(GRANTS);
                tokio::select! {
                    room = Arc::clone(&room).acquire_many_owned(grants as u32) => {
                        if page_read.send((page, room.ok())).await.is_err() {
                            return;
                        }
                    }
                    () = page_read.closed() => return,
                }
            }
        });
        Self { accounts: Some(accounts), access, is_read: false }
    }

    /// Every account that is or was there, once.
    pub(super) async fn accounts(&mut self) -> sqlx::Result<Vec<KnownAccount>> {
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
        let (page, _) = self.access.recv().await.ok_or(sqlx::Error::WorkerCrashed)?;
        let page = page?;
        self.is_read = page.len() < PAGE;
        Ok(Some(page))
    }
}
