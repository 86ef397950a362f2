//! Secrets of configuration objects: known to this server, in no event and in no file.

use std::collections::HashMap;

use aggregates::config_object::Secret;
use sqlx::PgPool;
use uuid::Uuid;

/// Keeps secrets that came with a job, until their objects are imported.
pub(super) async fn bring(pool: &PgPool, job: Uuid, secrets: &[(Uuid, Secret)]) -> sqlx::Result<()> {
    if secrets.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO work.config_secrets (owner_id, job_id, pointer, value)
         SELECT owner_id, $1, pointer, value FROM unnest($2::uuid[], $3::text[], $4::text[]) AS u (owner_id, pointer, value)
         ON CONFLICT DO NOTHING",
    )
    .bind(job)
    .bind(secrets.iter().map(|(owner, _)| *owner).collect::<Vec<_>>())
    .bind(secrets.iter().map(|(_, secret)| secret.pointer.as_str()).collect::<Vec<_>>())
    .bind(secrets.iter().map(|(_, secret)| secret.value.as_str()).collect::<Vec<_>>())
    .execute(pool)
    .await?;
    Ok(())
}

/// Objects were imported (`brought` as, `owner`): what the job brought is their secret now, what the file had taken out stays as it was.
pub(super) async fn take(pool: &PgPool, job: Uuid, imported: &[(Uuid, Uuid)]) -> sqlx::Result<()> {
    if imported.is_empty() {
        return Ok(());
    }
    sqlx::query(
        // In one order, so that a worker and whoever cancels its job don't wait for each other.
        "WITH brought AS (
             SELECT s.owner_id, s.pointer, u.owner, u.number
             FROM unnest($2::uuid[], $3::uuid[]) WITH ORDINALITY AS u (brought, owner, number)
             JOIN work.config_secrets AS s ON s.owner_id = u.brought AND s.job_id = $1
             ORDER BY s.owner_id, s.pointer FOR UPDATE OF s
         ), taken AS (
             DELETE FROM work.config_secrets AS s USING brought AS b
             WHERE s.owner_id = b.owner_id AND s.job_id = $1 AND s.pointer = b.pointer
             RETURNING b.owner, b.number, s.pointer, s.value)
         INSERT INTO work.config_secrets (owner_id, job_id, pointer, value)
         SELECT DISTINCT ON (owner, pointer) owner, '00000000-0000-0000-0000-000000000000'::uuid, pointer, value
         FROM taken ORDER BY owner, pointer, number DESC
         ON CONFLICT (owner_id, job_id, pointer) DO UPDATE SET value = excluded.value, brought_at = excluded.brought_at",
    )
    .bind(job)
    .bind(imported.iter().map(|(brought, _)| *brought).collect::<Vec<_>>())
    .bind(imported.iter().map(|(_, owner)| *owner).collect::<Vec<_>>())
    .execute(pool)
    .await?;
    Ok(())
}

/// What was brought for jobs that ended, or never began, long ago is forgotten: whoever brought it died.
pub async fn tidy(pool: &PgPool) -> sqlx::Result<()> {
    sqlx::query(
        "DELETE FROM work.config_secrets AS s
         WHERE job_id <> '00000000-0000-0000-0000-000000000000' AND brought_at < clock_timestamp() - interval '1 hour'
             AND NOT EXISTS (SELECT FROM config_jobs AS j WHERE j.id = s.job_id AND j.completed_at IS NULL)",
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// A job ended: what it brought and nobody took is forgotten.
pub(super) async fn forget(pool: &PgPool, job: Uuid) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM work.config_secrets WHERE job_id = $1").bind(job).execute(pool).await?;
    Ok(())
}

/// Objects for which a job brought secrets.
pub(super) async fn brought(pool: &PgPool, job: Uuid) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar("SELECT DISTINCT owner_id FROM work.config_secrets WHERE job_id = $1")
        .bind(job)
        .fetch_all(pool)
        .await
}

/// The secrets of an object, by their places in its entry.
pub async fn of(pool: &PgPool, owner: Uuid) -> sqlx::Result<HashMap<String, String>> {
    let known: Vec<(String, String)> = sqlx::query_as(
        "SELECT pointer, value FROM work.config_secrets
         WHERE owner_id = $1 AND job_id = '00000000-0000-0000-0000-000000000000'",
    )
    .bind(owner)
    .fetch_all(pool)
    .await?;
    Ok(known.into_iter().collect())
}
