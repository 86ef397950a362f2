use aggregates::automation_run_rows::Counts;
use sqlx::PgExecutor;
use sqlx::types::Json;
use uuid::Uuid;

use super::{AutomationRunRow, RunBlock};

/// The columns, but for the rows of a decision by filter, which may be a quarter of a megabyte.
const WITHOUT_ROWS: &str = "id, number, certification_id, kind, status, message, plan - 'rows' AS plan, started_at,
    started_position, started_by, actor, ended_at, undone_at, reversed, kept, version";

/// A run with the rows that it is about.
pub async fn find_whole(executor: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<Option<AutomationRunRow>> {
    sqlx::query_as("SELECT * FROM automation_runs WHERE id = $1").bind(id).fetch_optional(executor).await
}

/// A run, without the rows of a decision by filter.
pub async fn find(executor: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<Option<AutomationRunRow>> {
    sqlx::query_as(&format!("SELECT {WITHOUT_ROWS} FROM automation_runs WHERE id = $1"))
        .bind(id)
        .fetch_optional(executor)
        .await
}

/// The runs of a certification, the oldest first, without the rows of decisions by filter.
pub async fn of_certification(
    executor: impl PgExecutor<'_>,
    certification: Uuid,
) -> sqlx::Result<Vec<AutomationRunRow>> {
    sqlx::query_as(&format!("SELECT {WITHOUT_ROWS} FROM automation_runs WHERE certification_id = $1 ORDER BY number"))
        .bind(certification)
        .fetch_all(executor)
        .await
}

/// Runs that go on, the oldest first.
pub async fn unfinished(executor: impl PgExecutor<'_>) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar("SELECT id FROM automation_runs WHERE status IN ('RUNNING', 'UNDOING') ORDER BY number")
        .fetch_all(executor)
        .await
}

/// Numbers of the blocks that a run has decided, each with whether it is undone.
pub async fn blocks(executor: impl PgExecutor<'_>, run: Uuid) -> sqlx::Result<Vec<(i32, bool)>> {
    sqlx::query_as("SELECT block, is_undone FROM automation_run_rows WHERE run_id = $1 ORDER BY block")
        .bind(run)
        .fetch_all(executor)
        .await
}

/// What a run has done so far, by its automations' places.
pub async fn counts(executor: impl PgExecutor<'_>, run: &AutomationRunRow) -> sqlx::Result<Vec<Counts>> {
    let blocks: Vec<Json<Vec<Counts>>> = sqlx::query_scalar("SELECT counts FROM automation_run_rows WHERE run_id = $1")
        .bind(run.id)
        .fetch_all(executor)
        .await?;
    Ok(run.plan.0.counts(blocks.into_iter().map(|Json(block)| block)))
}

/// How many rows a run changed, and of how many of them this is undone so far.
pub async fn undone(executor: impl PgExecutor<'_>, run: Uuid) -> sqlx::Result<(i64, i64)> {
    sqlx::query_as(
        "SELECT coalesce(sum((SELECT count(*) FROM jsonb_array_elements(log) AS e WHERE e ->> 'outcome' = 'CHANGED')), 0)::bigint,
                coalesce(sum(reversed), 0)::bigint FROM automation_run_rows WHERE run_id = $1",
    )
    .bind(run)
    .fetch_one(executor)
    .await
}

/// Blocks of a run from one on, for its log; at most `limit`.
pub async fn log(executor: impl PgExecutor<'_>, run: Uuid, from: i32, limit: i64) -> sqlx::Result<Vec<RunBlock>> {
    sqlx::query_as("SELECT * FROM automation_run_rows WHERE run_id = $1 AND block >= $2 ORDER BY block LIMIT $3")
        .bind(run)
        .bind(from)
        .bind(limit)
        .fetch_all(executor)
        .await
}
