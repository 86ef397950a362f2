//! Migrations of the log, and tables of the projections.

use sqlx::migrate::Migrator;
use sqlx::{Connection, Executor, PgConnection};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// What the writer must find in `journal.schema_version`.
pub fn expected_version() -> (i64, String) {
    (MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0), projections::fingerprint())
}

/// Applies the migrations that are missing; gives whether the projections' declarations changed, so that they must be rebuilt.
/// Safe to run twice and from two processes at once.
pub(super) async fn migrate(connection: &mut PgConnection) -> anyhow::Result<bool> {
    connection.execute("SET search_path = public").await?;
    MIGRATIONS.run(&mut *connection).await?;
    connection.execute("SET search_path = read, journal, work, evidence, public").await?;
    let (migration, fingerprint) = expected_version();
    let mut transaction = connection.begin().await?;
    transaction.execute("LOCK TABLE journal.append_lock IN EXCLUSIVE MODE").await?;
    let found: Option<(i64, String)> = sqlx::query_as("SELECT migration, projections FROM journal.schema_version")
        .fetch_optional(&mut *transaction)
        .await?;
    let is_rebuild = match found {
        None => {
            transaction.execute("CREATE SCHEMA IF NOT EXISTS read").await?;
            sqlx::query("INSERT INTO journal.schema_version VALUES ($1, '')")
                .bind(migration)
                .execute(&mut *transaction)
                .await?;
            true
        }
        Some((known, projections)) => {
            anyhow::ensure!(
                known <= migration,
                "the database is at migration {known}, made by a newer muniment; this one knows {migration}"
            );
            sqlx::query("UPDATE journal.schema_version SET migration = $1")
                .bind(migration)
                .execute(&mut *transaction)
                .await?;
            projections != fingerprint
        }
    };
    transaction.commit().await?;
    Ok(is_rebuild)
}
