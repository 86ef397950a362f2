use sqlx::PgExecutor;
use uuid::Uuid;

use super::{AttachmentRow, AutomationRow};

/// Every automation that isn't deleted, the oldest first.
pub async fn all(executor: impl PgExecutor<'_>) -> sqlx::Result<Vec<AutomationRow>> {
    sqlx::query_as("SELECT * FROM automations WHERE deleted_at IS NULL ORDER BY number").fetch_all(executor).await
}

/// An automation that isn't deleted.
pub async fn find(executor: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<Option<AutomationRow>> {
    sqlx::query_as("SELECT * FROM automations WHERE id = $1 AND deleted_at IS NULL")
        .bind(id)
        .fetch_optional(executor)
        .await
}

/// An automation as it is attached to a workflow.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Attached {
    /// The automation.
    #[sqlx(flatten)]
    pub automation: AutomationRow,
    /// Run only when named; false = always.
    pub attached_opt_in: bool,
}

/// The automations that certifications of a workflow may run, the oldest first.
pub async fn attached_to(executor: impl PgExecutor<'_>, workflow: Uuid) -> sqlx::Result<Vec<Attached>> {
    sqlx::query_as(
        "SELECT a.*, t.opt_in AS attached_opt_in FROM automation_attachments AS t
         JOIN automations AS a ON a.id = t.automation_id WHERE t.workflow_id = $1 ORDER BY a.number",
    )
    .bind(workflow)
    .fetch_all(executor)
    .await
}

/// Every attachment there is.
pub async fn attachments(executor: impl PgExecutor<'_>) -> sqlx::Result<Vec<AttachmentRow>> {
    sqlx::query_as("SELECT * FROM automation_attachments ORDER BY automation_id, workflow_id").fetch_all(executor).await
}

/// The number of the youngest that was ever made; 0 = none was.
pub async fn last_number(executor: impl PgExecutor<'_>) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT coalesce(max(number), 0) FROM automations").fetch_one(executor).await
}
