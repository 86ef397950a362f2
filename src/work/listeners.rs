//! Who remembers tokens and settings: a change of them is answered when every server has forgotten the old ones (rulings 6).
//!
//! A server remembers only while its lease runs, by its own clock from before it was renewed. So a server that is paused,
//! cut off or killed stops trusting its memory no later than others stop waiting for it.

use std::time::Duration;

use sqlx::PgPool;
use uuid::Uuid;

/// How long a lease runs unless renewed.
pub const LEASE: Duration = Duration::from_secs(3);

/// Takes or renews a lease. A new one has heard all that is in the log: call it after LISTEN and remember nothing older.
pub async fn renew(pool: &PgPool, id: Uuid) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO work.listeners (id, heard, expires_at)
         VALUES ($1, (SELECT coalesce(max(position), 0) FROM journal.events), clock_timestamp() + make_interval(secs => $2))
         ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at",
    )
    .bind(id)
    .bind(LEASE.as_secs_f64())
    .execute(pool)
    .await?;
    Ok(())
}

/// Says that the change at this position was heard, and what was remembered forgotten.
pub async fn heard(pool: &PgPool, id: Uuid, position: i64) -> sqlx::Result<()> {
    sqlx::query("UPDATE work.listeners SET heard = greatest(heard, $2) WHERE id = $1")
        .bind(id)
        .bind(position)
        .execute(pool)
        .await?;
    Ok(())
}

/// Ends a lease, and those that ended long ago.
pub async fn leave(pool: &PgPool, id: Uuid) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM work.listeners WHERE id = $1 OR expires_at < clock_timestamp() - interval '1 hour'")
        .bind(id)
        .execute(pool)
        .await?;
    Ok(())
}

/// Waits until everybody has heard of the change at this position, or trusts its memory no more.
pub async fn wait(pool: &PgPool, position: i64) {
    let mut pause = Duration::from_millis(1);
    loop {
        let is_awaited = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM work.listeners WHERE heard < $1 AND expires_at > clock_timestamp())",
        )
        .bind(position)
        .fetch_one(pool)
        .await;
        match is_awaited {
            Ok(false) => return,
            Ok(true) => {}
            // Then time alone says it.
            Err(_) => return tokio::time::sleep(LEASE).await,
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}
