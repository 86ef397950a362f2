//! How far imports are (rulings 19).

use sqlx::PgPool;
use uuid::Uuid;

/// How far an import is.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Progress {
    /// reading, planning or applying.
    pub phase: String,
    /// Data rows read so far.
    pub rows_read: i64,
    /// Data rows in all files, once known.
    pub rows_total: Option<i64>,
    /// Of the whole.
    pub percent: i16,
}

/// Notes how far an import is.
pub async fn write(pool: &PgPool, import: Uuid, progress: &Progress) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO work.import_progress (application_import_id, phase, rows_read, rows_total, percent)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (application_import_id) DO UPDATE SET phase = excluded.phase, rows_read = excluded.rows_read,
             rows_total = excluded.rows_total, percent = excluded.percent",
    )
    .bind(import)
    .bind(&progress.phase)
    .bind(progress.rows_read)
    .bind(progress.rows_total)
    .bind(progress.percent)
    .execute(pool)
    .await?;
    Ok(())
}

/// How far an import is; `None` before it began.
pub async fn find(pool: &PgPool, import: Uuid) -> sqlx::Result<Option<Progress>> {
    sqlx::query_as(
        "SELECT phase, rows_read, rows_total, percent FROM work.import_progress WHERE application_import_id = $1",
    )
    .bind(import)
    .fetch_optional(pool)
    .await
}
