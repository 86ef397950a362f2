//! New tables beside the live ones, then one swap: `muniment projections rebuild`.

use aggregates::Recorded;
use sqlx::{Connection, Executor, PgConnection};
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::JoinHandle;

use crate::events::{ReadError, recorded};
use crate::{ALL, Statement, apply, fingerprint};

/// The schema of the live tables.
pub const LIVE: &str = "read";
const NEXT: &str = "read_next";
const OLD: &str = "read_old";
/// Events that a rebuild folds at once.
const BATCH: i64 = 5000;
/// Few enough events that folding them under the append lock is not felt.
const NEARLY: i64 = 500;
/// A batch finds its rows by index however large their tables have become: they have no statistics yet that would say so. So does
/// who reads the log, or a batch would sort all that is left of it.
const BY_INDEX: &str = "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off;
    SET enable_mergejoin = off";
pub(crate) const BY_ANY_PLAN: &str = "RESET enable_seqscan; RESET enable_bitmapscan; RESET enable_hashjoin;
    RESET enable_mergejoin";
/// Advisory lock, "muniment" in ASCII: one rebuild at a time, and none while a verification reads the live tables.
pub(crate) const LOCK: i64 = 0x6d75_6e69_6d65_6e74;

/// Creates the tables of every projection in an existing, empty schema and makes it the transaction's or session's first.
pub(crate) async fn create_tables(connection: &mut PgConnection, schema: &str) -> sqlx::Result<()> {
    connection.execute(format!("SET search_path = {schema}, journal, public").as_str()).await?;
    connection.execute(BY_INDEX).await?;
    for projection in ALL {
        connection.execute(projection.tables).await?;
    }
    Ok(())
}

/// Folds the log after `position` up to and including `until` into the first schema of the `search_path`.
/// `progress` is told each position reached.
pub(crate) async fn fold(
    connection: &mut PgConnection,
    mut position: i64,
    until: i64,
    batch: i64,
    mut progress: impl FnMut(i64),
) -> Result<i64, ReadError> {
    while position < until {
        let events = recorded(&mut *connection, position, until, batch).await?;
        let Some(last) = events.last() else { break };
        position = last.position;
        apply(connection, &events, Statement::default(), "''").await?;
        progress(position);
    }
    Ok(position)
}

/// Reads the log from after `position` to `until` while what was read before is folded; gives the connection back.
fn read_ahead(
    mut reader: PgConnection,
    mut position: i64,
    until: i64,
) -> (Receiver<Result<Vec<Recorded>, ReadError>>, JoinHandle<PgConnection>) {
    let (read, batches) = channel(1);
    let reading = tokio::spawn(async move {
        while position < until {
            let batch = recorded(&mut reader, position, until, BATCH).await;
            let last = batch.as_ref().ok().and_then(|events| events.last()).map(|event| event.position);
            if read.send(batch).await.is_err() {
                break; // nobody folds any more
            }
            let Some(last) = last else { break };
            position = last;
        }
        reader
    });
    (batches, reading)
}

/// Rebuilds every projection beside the live tables and swaps them, on two connections of the owner: one reads the log.
///
/// Commands go on meanwhile; only the last few events are folded under the append lock. The lock is asked for with a
/// timeout of 200 ms and backed off from, so nobody waits behind a rebuild. `grants` makes the rights on the new schema.
/// `progress(position, head)` is told how far it is.
pub async fn rebuild(
    connection: &mut PgConnection,
    mut reader: PgConnection,
    grants: Option<fn(&str) -> String>,
    mut progress: impl FnMut(i64, i64),
) -> Result<i64, ReadError> {
    // Held by the session: an error ends it with the connection.
    sqlx::query("SELECT pg_advisory_lock($1)").bind(LOCK).execute(&mut *connection).await?;
    connection.execute("SET synchronous_commit = off").await?;
    reader.execute(BY_INDEX).await?;
    connection.execute(format!("DROP SCHEMA IF EXISTS {NEXT} CASCADE; CREATE SCHEMA {NEXT}").as_str()).await?;
    create_tables(connection, NEXT).await?;
    if let Some(grants) = grants {
        connection.execute(grants(NEXT).as_str()).await?;
    }
    let mut position = 0;
    loop {
        let head = head(connection).await?;
        let (mut batches, reading) = read_ahead(reader, position, head);
        while let Some(events) = batches.recv().await {
            let events = events?;
            let mut transaction = connection.begin().await?;
            apply(&mut transaction, &events, Statement::default(), "''").await?;
            transaction.commit().await?;
            position = events.last().map_or(position, |last| last.position);
            progress(position, head);
        }
        reader = reading.await.map_err(|_| sqlx::Error::WorkerCrashed)?;
        analyze(connection).await?;
        if swap(connection, &mut position).await? {
            break;
        }
    }
    connection
        .execute(
            format!("RESET search_path; RESET synchronous_commit; {BY_ANY_PLAN}; DROP SCHEMA IF EXISTS {OLD} CASCADE")
                .as_str(),
        )
        .await?;
    sqlx::query("SELECT pg_advisory_unlock($1)").bind(LOCK).execute(connection).await?;
    Ok(position)
}

/// Takes the append lock, folds what is left, and renames the schemas. `false`: the lock was busy or too much was left.
async fn swap(connection: &mut PgConnection, position: &mut i64) -> Result<bool, ReadError> {
    let mut transaction = connection.begin().await?;
    transaction.execute("SET LOCAL lock_timeout = '200ms'").await?;
    if let Err(error) = transaction.execute("LOCK TABLE journal.append_lock IN EXCLUSIVE MODE").await {
        transaction.rollback().await?;
        let is_timeout = error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("55P03"));
        return if is_timeout { Ok(false) } else { Err(error.into()) };
    }
    let head = head(&mut transaction).await?;
    if head - *position > NEARLY {
        transaction.rollback().await?;
        return Ok(false);
    }
    fold(&mut transaction, *position, head, BATCH, |_| ()).await?;
    *position = head;
    transaction
        .execute(
            format!(
                "DROP SCHEMA IF EXISTS {OLD} CASCADE;
                 ALTER SCHEMA {LIVE} RENAME TO {OLD};
                 ALTER SCHEMA {NEXT} RENAME TO {LIVE};"
            )
            .as_str(),
        )
        .await?;
    sqlx::query("UPDATE journal.schema_version SET projections = $1")
        .bind(fingerprint())
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(true)
}

/// Statistics of the new tables, so that the first queries after the swap are planned on what is there.
async fn analyze(connection: &mut PgConnection) -> sqlx::Result<()> {
    let tables: Vec<String> = sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = $1")
        .bind(NEXT)
        .fetch_all(&mut *connection)
        .await?;
    for table in tables {
        connection.execute(format!("ANALYZE {NEXT}.{table}").as_str()).await?;
    }
    Ok(())
}

async fn head(connection: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT coalesce(max(position), 0) FROM journal.events").fetch_one(connection).await
}
