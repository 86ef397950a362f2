//! The journal: the one write path.
//!
//! Callers hand [`Append`]s to one writer task, which takes what waits, decides append by append, and writes the winners
//! with their projections in one transaction ([`writer`]). So positions are dense and in commit order, and what a caller
//! was told is in the tables that it reads next.

mod append;
mod batch;
mod behalf;
pub mod check;
mod context;
mod executor;
mod facts;
mod framework;
mod known;
pub mod leaf;
mod pace;
mod prepared;
mod store;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use postgres_es::PostgresEventRepository;
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{mpsc, oneshot};

pub use append::{Append, AppendError, Appended, Expected, StreamEvents, StreamId};
pub use context::{Context, Idempotency};
pub use executor::{CommandError, Executed, Loaded};
pub use known::Known;
pub use pace::Pace;
pub(crate) use store::SECURITY_CHANNEL;

use crate::clock::SharedClock;
use prepared::Prepared;

/// Interactive appends that may wait; more are answered 503.
const INTERACTIVE_QUEUE: usize = 4096;
/// Bulk slices that may wait; whoever sends more waits.
const BULK_QUEUE: usize = 4;

/// The answer, and the append: whoever made it frees it, for the writer is one.
type Reply = oneshot::Sender<(Result<Appended, AppendError>, Prepared)>;

/// An append on its way to the writer.
pub(crate) struct Waiting {
    prepared: Prepared,
    reply: Reply,
}

/// A handle of the journal; clones share one writer.
#[derive(Clone)]
pub struct Journal {
    interactive: mpsc::Sender<Waiting>,
    bulk: mpsc::Sender<Waiting>,
    pool: PgPool,
    repository: Arc<PostgresEventRepository>,
    security_changes: Arc<AtomicU64>,
    /// When one of them last appended in the lane of people, in milliseconds since `started`.
    asked: Arc<AtomicU64>,
    started: Instant,
}

impl Journal {
    /// Starts the writer on a connection of its own. It stops when the last handle is dropped.
    pub fn start(pool: PgPool, options: PgConnectOptions, clock: SharedClock) -> (Self, tokio::task::JoinHandle<()>) {
        let (interactive, interactive_queue) = mpsc::channel(INTERACTIVE_QUEUE);
        let (bulk, bulk_queue) = mpsc::channel(BULK_QUEUE);
        let security_changes = Arc::new(AtomicU64::new(0));
        let writer = writer::Writer::new(options, clock, Arc::clone(&security_changes));
        let task = tokio::spawn(writer.run(interactive_queue, bulk_queue));
        let repository = Arc::new(PostgresEventRepository::new(pool.clone()));
        let (asked, started) = (Arc::default(), Instant::now());
        (Self { interactive, bulk, pool, repository, security_changes, asked, started }, task)
    }

    /// Counts this process's commits that changed tokens or settings: whoever caches those compares it.
    pub fn security_changes(&self) -> u64 {
        self.security_changes.load(Ordering::Acquire)
    }

    /// Appends in the lane of people and clients. A full queue is [`AppendError::Unavailable`].
    ///
    /// A change of tokens or settings holds on every server when this returns.
    pub async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        if append.context.worker.is_none() {
            self.asked.store(self.started.elapsed().as_millis() as u64, Ordering::Relaxed);
        }
        let (reply, answer) = oneshot::channel();
        let prepared = Prepared::new(append)?;
        let concerns_security = prepared.concerns_security;
        self.interactive.try_send(Waiting { prepared, reply }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => AppendError::Unavailable("the write queue is full".to_owned()),
            mpsc::error::TrySendError::Closed(_) => stopped(),
        })?;
        let appended = answer.await.map_err(|_| stopped())?.0?;
        if concerns_security {
            crate::work::listeners::wait(&self.pool, appended.last).await;
        }
        Ok(appended)
    }

    /// For how long no person or client appended: bulk work may take longer slices then.
    pub fn quiet_for(&self) -> Duration {
        let asked = Duration::from_millis(self.asked.load(Ordering::Relaxed));
        self.started.elapsed().saturating_sub(asked)
    }

    /// Appends in the lane of bulk work: a slice at a time between the batches of people; waits for a place.
    pub async fn append_bulk(&self, append: Append) -> Result<Appended, AppendError> {
        let (reply, answer) = oneshot::channel();
        let prepared = Prepared::new(append)?;
        self.bulk.send(Waiting { prepared, reply }).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?.0
    }
}

fn stopped() -> AppendError {
    AppendError::Unavailable("the writer has stopped".to_owned())
}
