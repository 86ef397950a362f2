//! When tokens were last used.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

/// Writes the times; a later one stays.
pub async fn write(pool: &PgPool, ids: &[Uuid], times: &[DateTime<Utc>]) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO work.token_usage AS t (token_id, last_used_at) SELECT * FROM unnest($1::uuid[], $2::timestamptz[])
         ON CONFLICT (token_id) DO UPDATE SET last_used_at = greatest(t.last_used_at, excluded.last_used_at)",
    )
    .bind(ids)
    .bind(times)
    .execute(pool)
    .await?;
    Ok(())
}

/// All times.
pub async fn all(pool: &PgPool) -> sqlx::Result<HashMap<Uuid, DateTime<Utc>>> {
    let rows: Vec<(Uuid, DateTime<Utc>)> =
        sqlx::query_as("SELECT token_id, last_used_at FROM work.token_usage").fetch_all(pool).await?;
    Ok(rows.into_iter().collect())
}
