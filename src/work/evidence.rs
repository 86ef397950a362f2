//! Up to which import of an application its access requests were looked at.

use sqlx::PgPool;
use uuid::Uuid;

/// An import that has finished and whose evidence wasn't taken yet.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns' comments say it")]
pub struct Untaken {
    pub id: Uuid,
    pub number: i64,
    pub application_id: Uuid,
    /// Where in the log it finished.
    pub ended_position: i64,
    /// It had accounts.
    pub accounts: bool,
    /// It had grants.
    pub grants: bool,
}

/// Imports whose evidence wasn't taken yet, in the order in which they finished.
pub async fn untaken(pool: &PgPool) -> sqlx::Result<Vec<Untaken>> {
    sqlx::query_as(
        "SELECT i.id, i.number, i.application_id, i.ended_position, c.contents ? 'accounts' AS accounts,
                c.contents ? 'grants' AS grants
         FROM application_imports AS i
         CROSS JOIN LATERAL (
             SELECT coalesce(jsonb_agg(g ->> 'content'), '[]') AS contents
             FROM applications AS a, jsonb_array_elements(a.connector -> 'fileGroups') AS g, jsonb_array_elements(i.files) AS f
             WHERE a.id = i.application_id AND g ->> 'id' = f ->> 'fileGroupId'
         ) AS c
         LEFT JOIN work.evidence_taken AS t ON t.application_id = i.application_id
         WHERE i.status = 'Finished' AND NOT i.is_preview AND i.ended_position > coalesce(t.position, 0)
         ORDER BY i.ended_position LIMIT 100",
    )
    .fetch_all(pool)
    .await
}

/// Notes that the evidence of an import was taken.
pub async fn take(pool: &PgPool, application: Uuid, position: i64) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO work.evidence_taken AS t (application_id, position) VALUES ($1, $2)
         ON CONFLICT (application_id) DO UPDATE SET position = greatest(t.position, excluded.position)",
    )
    .bind(application)
    .bind(position)
    .execute(pool)
    .await?;
    Ok(())
}
