//! The keys that sign access tokens. Which one is in force is an event; the bytes are not.

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

/// Keeps a key.
pub async fn keep(pool: &PgPool, id: Uuid, secret: &[u8], now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO work.signing_keys (id, secret, created_at) VALUES ($1, $2, $3)")
        .bind(id)
        .bind(secret)
        .bind(now)
        .execute(pool)
        .await?;
    Ok(())
}

/// A key's bytes; `None` = there are none, as after a restore without them.
pub async fn find(pool: &PgPool, id: Uuid) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar("SELECT secret FROM work.signing_keys WHERE id = $1").bind(id).fetch_optional(pool).await
}
