use sqlx::PgExecutor;
use uuid::Uuid;

use super::AccessWorkflowRow;

/// Every workflow that isn't deleted, the oldest first.
pub async fn all(executor: impl PgExecutor<'_>) -> sqlx::Result<Vec<AccessWorkflowRow>> {
    sqlx::query_as("SELECT * FROM access_workflows WHERE deleted_at IS NULL ORDER BY number").fetch_all(executor).await
}

/// A workflow that isn't deleted.
pub async fn find(executor: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<Option<AccessWorkflowRow>> {
    sqlx::query_as("SELECT * FROM access_workflows WHERE id = $1 AND deleted_at IS NULL")
        .bind(id)
        .fetch_optional(executor)
        .await
}

/// The number of the youngest that was ever made; 0 = none was.
pub async fn last_number(executor: impl PgExecutor<'_>) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT coalesce(max(number), 0) FROM access_workflows").fetch_one(executor).await
}
