use aggregates::Actor;
use aggregates::application_import::{ImportFile, Metrics};
use chrono::{DateTime, Utc};
use sqlx::types::Json;
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

use crate::page::{Page, Window};

/// An import with the summary of its application.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns' comments say it")]
pub struct ImportRow {
    pub id: Uuid,
    pub number: i64,
    pub application_id: Uuid,
    pub r#type: String,
    pub status: String,
    pub staged_at: DateTime<Utc>,
    pub created_by: String,
    pub actor: Json<Actor>,
    pub from_schedule: bool,
    pub is_preview: bool,
    pub build_start_at: Option<DateTime<Utc>>,
    pub build_end_at: Option<DateTime<Utc>>,
    pub ended_position: Option<i64>,
    pub worker: Option<String>,
    pub files: Json<Vec<ImportFile>>,
    pub planned: Option<Json<Metrics>>,
    pub metrics: Option<Json<Metrics>>,
    pub log: Option<String>,
    pub version: i64,
    pub application_name: String,
    pub application_priority: String,
    pub application_is_archived: bool,
    pub application_last_updated_at: DateTime<Utc>,
}

const SELECT: &str = "
    SELECT i.*, a.name AS application_name, a.priority AS application_priority,
           a.is_archived AS application_is_archived, a.last_updated_at AS application_last_updated_at
    FROM application_imports AS i JOIN applications AS a ON a.id = i.application_id";

/// One page, the latest start first; imports that haven't started come before them all.
pub async fn list(pool: &PgPool, application: Option<Uuid>, page: i64) -> sqlx::Result<Page<ImportRow>> {
    let which = if application.is_some() { "application_id = $1" } else { "$1::uuid IS NULL" };
    let total: i64 = sqlx::query_scalar(&format!("SELECT count(*) FROM application_imports WHERE {which}"))
        .bind(application)
        .fetch_one(pool)
        .await?;
    let window = Window::of(page, total);
    let order = if window.from_end { "ASC NULLS LAST" } else { "DESC NULLS FIRST" };
    let then = if window.from_end { "ASC" } else { "DESC" };
    let rows = sqlx::query_as(&format!(
        "{SELECT} WHERE {which}
         ORDER BY i.build_start_at {order}, i.number {then} OFFSET $2 LIMIT $3"
    ))
    .bind(application)
    .bind(window.offset)
    .bind(window.limit)
    .fetch_all(pool)
    .await?;
    Ok(Page { items: window.arrange(rows), total })
}

/// One import.
pub async fn find(executor: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<Option<ImportRow>> {
    sqlx::query_as(&format!("{SELECT} WHERE i.id = $1")).bind(id).fetch_optional(executor).await
}

/// The application's import that is Pending, the earliest if there are several.
pub async fn pending_of(executor: impl PgExecutor<'_>, application: Uuid) -> sqlx::Result<Option<ImportRow>> {
    sqlx::query_as(&format!("{SELECT} WHERE i.application_id = $1 AND i.status = 'Pending' ORDER BY i.number LIMIT 1"))
        .bind(application)
        .fetch_optional(executor)
        .await
}

/// Imports that a worker may take: of each application the earliest that hasn't ended (rulings 14), and those cancelled
/// before any worker had them, which need not wait for their turn.
pub async fn claimable(executor: impl PgExecutor<'_>) -> sqlx::Result<Vec<ImportRow>> {
    sqlx::query_as(&format!(
        "{SELECT} WHERE i.number IN (
             SELECT min(number) FROM application_imports
             WHERE status IN ('Pending', 'Running', 'Canceling') GROUP BY application_id
         ) OR (i.status = 'Canceling' AND i.worker IS NULL) ORDER BY i.number"
    ))
    .fetch_all(executor)
    .await
}

/// What an import has applied so far.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns' comments say it")]
pub struct AppliedCounts {
    pub kind: String,
    pub added: i64,
    pub changed: i64,
    pub removed: i64,
}

/// What an import has applied so far, by kind.
pub async fn applied(executor: impl PgExecutor<'_>, import: Uuid) -> sqlx::Result<Vec<AppliedCounts>> {
    sqlx::query_as(
        "SELECT kind, added, changed, removed FROM application_import_counts WHERE application_import_id = $1 ORDER BY kind",
    )
    .bind(import)
    .fetch_all(executor)
    .await
}

/// How many changes an import has made so far.
pub async fn changes(executor: impl PgExecutor<'_>, import: Uuid) -> sqlx::Result<i64> {
    let found = sqlx::query_scalar("SELECT changes FROM application_import_totals WHERE application_import_id = $1")
        .bind(import)
        .fetch_optional(executor)
        .await?;
    Ok(found.unwrap_or_default())
}
