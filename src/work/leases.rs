//! Which worker has which import, certification or run. A lease says who may go on; that nobody else applies is the journal's
//! guard.

use sqlx::PgPool;
use uuid::Uuid;

/// Takes or renews a lease for `seconds`; `false` when another worker's still runs. Time is the database's, one clock for all.
pub async fn take(pool: &PgPool, subject: Uuid, worker: &str, seconds: f64) -> sqlx::Result<bool> {
    let taken: Option<String> = sqlx::query_scalar(
        "INSERT INTO work.leases AS l (subject_id, worker, expires_at)
         VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))
         ON CONFLICT (subject_id) DO UPDATE SET worker = excluded.worker, expires_at = excluded.expires_at
             WHERE l.worker = excluded.worker OR l.expires_at < clock_timestamp()
         RETURNING worker",
    )
    .bind(subject)
    .bind(worker)
    .bind(seconds)
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
