//! Which worker has which import, certification, run, configuration job or webhook. A lease only says who may go on: whoever lost it may
//! not know yet. That nobody else applies an import, a certification, a run or a job is the journal's guard. Nothing guards a webhook's
//! receiver: it may get a message twice, by the same id; how far the webhook is only goes forward.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::PgPool;
use uuid::Uuid;

/// Seconds after which a dead worker's work is another's.
const LEASE: f64 = 10.0;
/// How often a lease is renewed.
const RENEWAL: Duration = Duration::from_secs(3);
/// How soon a worker hears that the server stops.
const GLANCE: Duration = Duration::from_millis(500);

/// Takes or renews a lease; `false` when another worker's still runs. Time is the database's, one clock for all.
pub async fn take(pool: &PgPool, subject: Uuid, worker: &str) -> sqlx::Result<bool> {
    let taken: Option<String> = sqlx::query_scalar(
        "INSERT INTO work.leases AS l (subject_id, worker, expires_at)
         VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))
         ON CONFLICT (subject_id) DO UPDATE SET worker = excluded.worker, expires_at = excluded.expires_at
             WHERE l.worker = excluded.worker OR l.expires_at < clock_timestamp()
         RETURNING worker",
    )
    .bind(subject)
    .bind(worker)
    .bind(LEASE)
    .fetch_optional(pool)
    .await?;
    Ok(taken.is_some())
}

/// Gives a lease up.
pub async fn release(pool: &PgPool, subject: Uuid, worker: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM work.leases WHERE subject_id = $1 AND worker = $2")
        .bind(subject)
        .bind(worker)
        .execute(pool)
        .await?;
    Ok(())
}

/// Renews a lease; returns when the work is no longer this worker's, or the server stops.
pub async fn keep(pool: &PgPool, subject: Uuid, worker: &str, is_stopping: &AtomicBool) {
    loop {
        for _ in 0..RENEWAL.as_millis() / GLANCE.as_millis() {
            tokio::time::sleep(GLANCE).await;
            if is_stopping.load(Ordering::Relaxed) {
                return;
            }
        }
        // While the database is away nobody can say; when it is back, what is said above decides.
        if take(pool, subject, worker).await.is_ok_and(|is_ours| !is_ours) {
            return;
        }
    }
}
