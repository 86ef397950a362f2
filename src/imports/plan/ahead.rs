//! What the tables say of an application, read while its files are read: the plan compares with it.

use std::collections::HashMap;
use std::sync::Arc;

use projections::accounts::{self, KnownAccount};
use projections::entitlements::{self, EntitlementRow};
use projections::grants::{HeldAccess, held};
use sqlx::{PgConnection, PgPool};
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

/// The accounts and entitlements of an application, and what its accounts hold.
pub struct Ahead {
    known: Option<oneshot::Receiver<sqlx::Result<Known>>>,
    access: mpsc::Receiver<Read>,
    is_read: bool,
}

/// What is known of an application: all that is or was there, each once.
#[derive(Default)]
pub(super) struct Known {
    pub(super) accounts: Vec<KnownAccount>,
    pub(super) entitlements: HashMap<Uuid, EntitlementRow>,
}

impl Known {
    async fn read(connection: &mut PgConnection, application: Uuid) -> sqlx::Result<Self> {
        let accounts = accounts::known(connection, application).await?;
        let entitlements = entitlements::known(connection, application).await?;
        Ok(Self { accounts, entitlements: entitlements.into_iter().map(|row| (row.id, row)).collect() })
    }
}

impl Ahead {
    /// Begins to read, by two connections. It stops when nobody wants it any more.
    pub fn start(handle: &Handle, pool: PgPool, application: Uuid) -> Self {
        let (known_read, known) = oneshot::channel();
        let (page_read, access) = mpsc::channel(PAGES);
        handle.spawn({
            let pool = pool.clone();
            async move {
                let known = async { Known::read(&mut *pool.acquire().await?, application).await };
                drop(known_read.send(known.await)); // Nobody may want it any more.
            }
        });
        handle.spawn(async move {
            let mut connection = match pool.acquire().await {
                Ok(connection) => connection,
                Err(error) => return drop(page_read.send((Err(error), None)).await), // as above
            };
            let room = Arc::new(Semaphore::new(GRANTS));
            let mut after = Some(Uuid::nil());
            while let Some(last) = after {
                let page = held(&mut *connection, application, last, PAGE as i64).await;
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
        Self { known: Some(known), access, is_read: false }
    }

    /// What is known, once.
    pub(super) async fn known(&mut self) -> sqlx::Result<Known> {
        match self.known.take() {
            Some(known) => known.await.map_err(|_| sqlx::Error::WorkerCrashed)?,
            None => Ok(Known::default()),
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
