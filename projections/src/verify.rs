//! Rebuild equals live: `muniment projections verify`.

use sqlx::{Connection, Executor, PgConnection};

use crate::events::ReadError;
use crate::rebuild::{BY_ANY_PLAN, LIVE, LOCK, create_tables, fold};

/// Where live tables and the log disagree.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// The table.
    pub table: String,
    /// Rows that the log gives and the live table lacks.
    pub missing: i64,
    /// Rows that the live table has and the log doesn't give.
    pub unexpected: i64,
    /// One of those rows.
    pub example: String,
}

/// What a verification found.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Verification {
    /// The position of the snapshot.
    pub position: i64,
    /// Tables compared.
    pub tables: usize,
    /// Empty = the invariant holds.
    pub differences: Vec<Difference>,
}

const SCRATCH: &str = "read_verify";

/// Rebuilds into a scratch schema at the position of one snapshot and compares with what was live there.
///
/// It all happens in one transaction that is rolled back: the snapshot is the same for log and tables, and nothing stays.
/// `batch` is how many events are folded at once; any number must give the same tables.
pub async fn verify(
    connection: &mut PgConnection,
    batch: i64,
    mut progress: impl FnMut(i64, i64),
) -> Result<Verification, ReadError> {
    // Before the snapshot: tables that a rebuild swaps in later would hold nothing that it sees.
    sqlx::query("SELECT pg_advisory_lock_shared($1)").bind(LOCK).execute(&mut *connection).await?;
    let mut transaction = connection.begin().await?;
    transaction.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").await?;
    transaction.execute(format!("CREATE SCHEMA {SCRATCH}").as_str()).await?;
    create_tables(&mut transaction, SCRATCH).await?;
    let head: i64 = sqlx::query_scalar("SELECT coalesce(max(position), 0) FROM journal.events")
        .fetch_one(&mut *transaction)
        .await?;
    let position = fold(&mut transaction, 0, head, batch, |at| progress(at, head)).await?;
    transaction.execute(BY_ANY_PLAN).await?;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT tablename::text FROM pg_tables WHERE schemaname IN ($1, $2) GROUP BY tablename ORDER BY tablename",
    )
    .bind(LIVE)
    .bind(SCRATCH)
    .fetch_all(&mut *transaction)
    .await?;
    let mut differences = Vec::new();
    for table in &tables {
        let (missing, unexpected, example): (i64, i64, Option<String>) = sqlx::query_as(&format!(
            "WITH missing AS (SELECT * FROM {SCRATCH}.{table} EXCEPT ALL SELECT * FROM {LIVE}.{table}),
                  unexpected AS (SELECT * FROM {LIVE}.{table} EXCEPT ALL SELECT * FROM {SCRATCH}.{table})
             SELECT (SELECT count(*) FROM missing), (SELECT count(*) FROM unexpected),
                    coalesce((SELECT m::text FROM missing AS m LIMIT 1), (SELECT u::text FROM unexpected AS u LIMIT 1))"
        ))
        .fetch_one(&mut *transaction)
        .await?;
        if missing + unexpected > 0 {
            differences.push(Difference {
                table: table.clone(),
                missing,
                unexpected,
                example: example.unwrap_or_default(),
            });
        }
    }
    transaction.rollback().await?;
    connection.execute("RESET search_path").await?;
    sqlx::query("SELECT pg_advisory_unlock_shared($1)").bind(LOCK).execute(connection).await?;
    Ok(Verification { position, tables: tables.len(), differences })
}
