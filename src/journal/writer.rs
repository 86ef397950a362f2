//! The writer: one task a process, one transaction a batch, one process at a time by the append lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, PgConnection};
use tokio::sync::mpsc::Receiver;
use uuid::Uuid;

use super::Waiting;
use super::append::{AppendError, Appended};
use super::batch::{Outcome, Writes};
use super::facts::{self, Begun};
use super::store::{self, Fate};
use crate::clock::SharedClock;
use crate::database::expected_version;

/// Appends that one batch takes at most.
const BATCH: usize = 1024;
/// How long a batch is tried again while the database is away.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of a payload that become a row of a table, and rather too few.
const ROW: usize = 32;
/// A plan that was made while a table was small may go through all of it for each row of a batch. Plans are made again, which costs 3 ms,
/// before so many rows would be gone through for nothing, which costs some 300.
const FOR_NOTHING: usize = 4_000_000;

pub(super) struct Writer {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
    /// Rows that this writer wrote since its connection made its plans.
    unplanned: usize,
    clock: SharedClock,
    security_changes: Arc<AtomicU64>,
}

/// Why an attempt at a batch ended without an answer.
enum Failure {
    /// The connection broke before COMMIT was sent, or a lock wasn't to be had: nothing happened, try again.
    Retry(sqlx::Error),
    /// COMMIT was sent and its answer lost.
    Ambiguous { xid: String, last: (i64, [u8; 32]), outcomes: Vec<Outcome> },
    /// The database refused something.
    Refused(sqlx::Error),
    /// Another version of the program migrated the database.
    Fenced(String),
}

impl Writer {
    pub(super) fn new(options: PgConnectOptions, clock: SharedClock, security_changes: Arc<AtomicU64>) -> Self {
        Self { options, connection: None, unplanned: 0, clock, security_changes }
    }

    /// Runs until every handle is gone: takes all waiting interactive appends and one bulk slice at a time. A second one would
    /// leave its import without any, and the writer waiting for the next.
    pub(super) async fn run(mut self, mut interactive: Receiver<Waiting>, mut bulk: Receiver<Waiting>) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let mut has_slice = false;
            tokio::select! {
                biased;
                taken = interactive.recv_many(&mut batch, BATCH) => if taken == 0 && bulk.is_closed() { break },
                Some(slice) = bulk.recv() => {
                    has_slice = true;
                    batch.push(slice);
                }
                else => break,
            }
            while batch.len() < BATCH
                && let Ok(waiting) = interactive.try_recv()
            {
                batch.push(waiting);
            }
            if !has_slice && let Ok(slice) = bulk.try_recv() {
                batch.push(slice);
            }
            if !batch.is_empty() {
                self.answer(std::mem::take(&mut batch)).await;
            }
        }
        if let Some(connection) = self.connection.take() {
            // The process is ending; PostgreSQL notices a closed socket as well.
            drop(connection.close().await);
        }
    }

    /// Answers every append of a batch. A batch that the database refuses is split until the culprit stands alone.
    async fn answer(&mut self, batch: Vec<Waiting>) {
        let mut parts = vec![batch];
        while let Some(mut part) = parts.pop() {
            let started = Instant::now();
            match self.persist(&part).await {
                Ok(outcomes) => {
                    let took = started.elapsed();
                    metrics::histogram!("muniment_append_batch_seconds").record(took.as_secs_f64());
                    metrics::counter!("muniment_appends_total").increment(part.len() as u64);
                    for (waiting, outcome) in part.into_iter().zip(outcomes) {
                        let outcome = outcome.map(|appended| Appended { took, ..appended });
                        // A caller that went away has lost its answer, not its events.
                        drop(waiting.reply.send((outcome, waiting.prepared)));
                    }
                }
                Err(AppendError::Failed(reason)) if part.len() > 1 => {
                    tracing::warn!(appends = part.len(), reason, "the database refused a batch; splitting it");
                    let second = part.split_off(part.len() / 2);
                    parts.push(second);
                    parts.push(part);
                }
                Err(error) => {
                    tracing::error!(appends = part.len(), %error, "appends failed");
                    for waiting in part {
                        drop(waiting.reply.send((Err(error.clone()), waiting.prepared)));
                    }
                }
            }
        }
    }

    /// Writes a batch, trying again while that is safe.
    async fn persist(&mut self, batch: &[Waiting]) -> Result<Vec<Outcome>, AppendError> {
        let started = Instant::now();
        let mut pause = Duration::from_millis(10);
        loop {
            let failure = match self.attempt(batch).await {
                Ok(outcomes) => return Ok(outcomes),
                Err(failure) => failure,
            };
            match failure {
                Failure::Refused(error) => return Err(AppendError::Failed(error.to_string())),
                Failure::Fenced(reason) => return Err(AppendError::Unavailable(reason)),
                Failure::Retry(error) => {
                    tracing::warn!(%error, "an append is tried again");
                    if started.elapsed() > PATIENCE {
                        return Err(AppendError::Unavailable("the database is away".to_owned()));
                    }
                }
                Failure::Ambiguous { xid, last, outcomes } => match self.fate(&xid, &last).await {
                    Some(true) => return Ok(outcomes),
                    Some(false) => {}
                    None => {
                        return Err(AppendError::Unavailable(
                            "the connection broke during a commit whose fate can't be known yet".to_owned(),
                        ));
                    }
                },
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }

    async fn attempt(&mut self, batch: &[Waiting]) -> Result<Vec<Outcome>, Failure> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(&self.options).await.map_err(Failure::Retry)?,
        };
        let rows = batch.iter().map(|waiting| waiting.prepared.size()).sum::<usize>() / ROW;
        if self.unplanned.saturating_mul(rows) > FOR_NOTHING {
            connection.execute("DISCARD PLANS").await.map_err(Failure::Retry)?;
            self.unplanned = 0;
        }
        match transact(&mut connection, batch, &self.clock).await {
            Ok((outcomes, writes)) => {
                self.connection = Some(connection);
                self.unplanned += rows;
                if writes.concerns_security {
                    self.security_changes.fetch_add(1, Ordering::Release);
                }
                Ok(outcomes)
            }
            Err(failure) => {
                // A connection that can still roll back is kept; any other is dropped, which rolls back as well.
                if matches!(failure, Failure::Refused(_) | Failure::Fenced(_))
                    && connection.execute("ROLLBACK").await.is_ok()
                {
                    self.connection = Some(connection);
                }
                Err(failure)
            }
        }
    }

    /// Did the transaction commit? `None`: it can't be known yet.
    async fn fate(&mut self, xid: &str, last: &(i64, [u8; 32])) -> Option<bool> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Ok(mut connection) = connect(&self.options).await {
                match store::fate(&mut connection, xid, last).await {
                    Ok(Fate::Committed) => return Some(true),
                    Ok(Fate::Aborted) => return Some(false),
                    Ok(Fate::Open) | Err(_) => {}
                }
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        None
    }
}

/// The writer's connection: durable, and never waiting for ever.
async fn connect(options: &PgConnectOptions) -> sqlx::Result<PgConnection> {
    let options = options
        .clone()
        // A statement that waits for the lock would be logged with names in it.
        .disable_statement_logging()
        .application_name("muniment writer")
        .options([
            // A batch is small and its rows are found by index: so plans can be kept until much was written. PostgreSQL would plan anew
            // each time, because it takes an array for longer than it is.
            ("plan_cache_mode", "force_generic_plan"),
            ("enable_seqscan", "off"),
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            // `facts` quotes by it.
            ("standard_conforming_strings", "on"),
            ("synchronous_commit", "on"),
            ("lock_timeout", "5s"),
            ("statement_timeout", "60s"),
            ("idle_in_transaction_session_timeout", "60s"),
        ]);
    let mut connection = options.connect().await?;
    facts::prepare(&mut connection).await?;
    Ok(connection)
}

/// One transaction: lock, facts, decisions, events, projections, commit.
async fn transact<'a>(
    connection: &mut PgConnection,
    batch: &'a [Waiting],
    clock: &SharedClock,
) -> Result<(Vec<Outcome>, Writes<'a>), Failure> {
    let Begun { version, now, mut facts } = facts::begin(connection, batch, clock).await.map_err(judge)?;
    if version != expected_version() {
        let (migration, projections) = version;
        return Err(Failure::Fenced(format!(
            "the database is at migration {migration} with projections {projections}, which another version of muniment \
             made; this process appends no more"
        )));
    }
    let mut writes = Writes::default();
    let mut outcomes: Vec<Outcome> =
        batch.iter().map(|waiting| facts.decide(&waiting.prepared, now, &mut writes)).collect();
    if writes.events.is_empty() {
        connection.execute("ROLLBACK").await.map_err(judge)?;
        return Ok((outcomes, writes));
    }
    let are_copied = store::copy(connection, &writes).await.map_err(judge)?;
    let (statement, value) = store::write(&writes, now, are_copied).map_err(judge)?;
    let xid = projections::apply(connection, &writes.events, statement, &value).await.map_err(judge)?;
    let won = |(waiting, outcome): (&Waiting, &Outcome)| waiting.prepared.rereads.filter(|_| outcome.is_ok());
    let rereads: Vec<Uuid> = batch.iter().zip(&outcomes).filter_map(won).collect();
    match facts::commit(connection, &rereads).await {
        Ok(rows) => {
            for (waiting, outcome) in batch.iter().zip(&mut outcomes) {
                if let (Some(id), Ok(appended)) = (waiting.prepared.rereads, outcome) {
                    appended.row = rows.get(&id).cloned();
                }
            }
            Ok((outcomes, writes))
        }
        // The server answered: it did not commit.
        Err(error) if error.as_database_error().is_some() => Err(judge(error)),
        Err(_) => Err(Failure::Ambiguous { xid, last: writes.last(), outcomes }),
    }
}

/// Is this the connection's or another session's fault, or the batch's?
fn judge(error: sqlx::Error) -> Failure {
    let code = error.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned));
    match code.as_deref() {
        // disk_full, lock_not_available, query_canceled, deadlock_detected, admin_shutdown, crash_shutdown, cannot_connect_now,
        // idle_in_transaction_session_timeout
        Some("53100" | "55P03" | "57014" | "40P01" | "57P01" | "57P02" | "57P03" | "25P03") => Failure::Retry(error),
        Some(_) => Failure::Refused(error),
        None => match error {
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
                Failure::Retry(error)
            }
            other => Failure::Refused(other),
        },
    }
}
