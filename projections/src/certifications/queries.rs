use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use uuid::Uuid;

use super::CertificationRow;

/// A certification.
pub async fn find(executor: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<Option<CertificationRow>> {
    sqlx::query_as("SELECT * FROM certifications WHERE id = $1").bind(id).fetch_optional(executor).await
}

/// The certifications of a workflow, the oldest first.
pub async fn of_workflow(executor: impl PgExecutor<'_>, workflow: Uuid) -> sqlx::Result<Vec<CertificationRow>> {
    sqlx::query_as("SELECT * FROM certifications WHERE workflow_id = $1 ORDER BY number")
        .bind(workflow)
        .fetch_all(executor)
        .await
}

/// The certification of a workflow that was completed or has expired last.
pub async fn latest_ended(executor: impl PgExecutor<'_>, workflow: Uuid) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar(
        "SELECT id FROM certifications WHERE workflow_id = $1 AND ended_position IS NOT NULL
             AND searched_at IS NOT NULL ORDER BY ended_position DESC LIMIT 1",
    )
    .bind(workflow)
    .fetch_optional(executor)
    .await
}

/// Certifications whose rows aren't all recorded yet, the oldest first.
pub async fn all_searching(executor: impl PgExecutor<'_>) -> sqlx::Result<Vec<CertificationRow>> {
    sqlx::query_as("SELECT * FROM certifications WHERE state = 'CERT_STATE_SEARCHING' ORDER BY number")
        .fetch_all(executor)
        .await
}

/// Certifications whose due date has come.
pub async fn all_due(executor: impl PgExecutor<'_>, now: DateTime<Utc>) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar(
        "SELECT id FROM certifications WHERE state = 'CERT_STATE_IN_PROGRESS' AND due_at <= $1 ORDER BY due_at",
    )
    .bind(now)
    .fetch_all(executor)
    .await
}

/// The number of the youngest; 0 = there is none.
pub async fn last_number(executor: impl PgExecutor<'_>) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT coalesce(max(number), 0) FROM certifications").fetch_one(executor).await
}
