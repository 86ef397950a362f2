//! Requests that were carried out with an `Idempotency-Key` (design §3).

use chrono::{DateTime, Duration, Utc};
use sqlx::PgPool;

/// How long a key is remembered.
pub const LIFETIME: Duration = Duration::hours(24);

/// A request that was carried out.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Known {
    /// Of method, path and canonical body.
    pub request_sha256: Vec<u8>,
    /// Path of what it made or changed.
    pub location: String,
    /// Status answered.
    pub status: i16,
    /// Body answered; `None` until it was rendered.
    pub body: Option<String>,
}

/// The request that a key stands for, if it is younger than [`LIFETIME`].
pub async fn find(pool: &PgPool, actor: &str, key: &str, now: DateTime<Utc>) -> sqlx::Result<Option<Known>> {
    sqlx::query_as(
        "SELECT request_sha256, location, status, body FROM work.idempotency
         WHERE actor_id = $1 AND key = $2 AND created_at >= $3",
    )
    .bind(actor)
    .bind(key)
    .bind(now - LIFETIME)
    .fetch_optional(pool)
    .await
}

/// Remembers the answer, whose status can be another than the append foresaw: 202.
pub async fn answered(pool: &PgPool, actor: &str, key: &str, status: u16, body: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE work.idempotency SET status = $3, body = $4 WHERE actor_id = $1 AND key = $2 AND body IS NULL")
        .bind(actor)
        .bind(key)
        .bind(i32::from(status))
        .bind(body)
        .execute(pool)
        .await?;
    Ok(())
}

/// Forgets keys that are too old.
pub async fn forget(pool: &PgPool, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM work.idempotency WHERE created_at < $1").bind(now - LIFETIME).execute(pool).await?;
    Ok(())
}
