use std::collections::HashMap;

use aggregates::application::{Connector, CorrelationRule, Definition, ImportSchedule, Priority};
use chrono::{DateTime, Utc};
use sqlx::types::Json;
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

use crate::page::{Page, Window};

/// An application with its most recently staged import.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns' comments say it")]
pub struct ApplicationRow {
    pub id: Uuid,
    pub name: String,
    pub priority: String,
    pub description: Option<String>,
    pub is_identity_source: bool,
    pub removal_limit: i32,
    pub is_archived: bool,
    pub connector: Json<Connector>,
    pub correlation: Json<Vec<CorrelationRule>>,
    pub responders: Json<Vec<Uuid>>,
    pub import_schedule: Option<Json<ImportSchedule>>,
    pub import_schedule_set_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
    pub last_updated_at: DateTime<Utc>,
    pub version: i64,
    pub last_import: Option<Json<LastImport>>,
}

impl ApplicationRow {
    /// A new application.
    pub fn new(id: Uuid, definition: &Definition, created_by: &str, created_at: DateTime<Utc>) -> Self {
        Self {
            id,
            name: definition.name.clone(),
            priority: definition.priority.as_str().to_owned(),
            description: definition.description.clone(),
            is_identity_source: definition.is_identity_source,
            removal_limit: i32::from(definition.removal_limit),
            is_archived: false,
            connector: Json(definition.connector.clone()),
            correlation: Json(definition.correlation()),
            responders: Json(definition.responders.clone()),
            import_schedule: None,
            import_schedule_set_at: None,
            created_at,
            created_by: created_by.to_owned(),
            last_updated_at: created_at,
            version: 1,
            last_import: None,
        }
    }

    /// Takes over a definition.
    pub fn define(&mut self, definition: &Definition) {
        self.name.clone_from(&definition.name);
        definition.priority.as_str().clone_into(&mut self.priority);
        self.description.clone_from(&definition.description);
        self.is_identity_source = definition.is_identity_source;
        self.removal_limit = i32::from(definition.removal_limit);
        self.connector.0.clone_from(&definition.connector);
        self.correlation.0 = definition.correlation();
        self.responders.0.clone_from(&definition.responders);
    }

    /// The definition; its correlation is always the one in force.
    pub fn definition(&self) -> Definition {
        Definition {
            name: self.name.clone(),
            priority: Priority::read(&self.priority).unwrap_or_default(),
            description: self.description.clone(),
            is_identity_source: self.is_identity_source,
            removal_limit: u8::try_from(self.removal_limit).unwrap_or(100),
            connector: self.connector.0.clone(),
            correlation: Some(self.correlation.0.clone()),
            responders: self.responders.0.clone(),
        }
    }
}

/// The most recently staged import of an application, whatever its status (rulings 12).
#[derive(Debug, Clone, serde::Deserialize)]
#[expect(missing_docs, reason = "the columns' comments say it")]
pub struct LastImport {
    pub id: Uuid,
    pub number: i64,
    pub status: String,
    pub build_start_at: Option<DateTime<Utc>>,
    pub build_end_at: Option<DateTime<Utc>>,
}

const SELECT: &str = "
    SELECT a.*, (
        SELECT jsonb_build_object('id', i.id, 'number', i.number, 'status', i.status,
                                  'build_start_at', i.build_start_at, 'build_end_at', i.build_end_at)
        FROM application_imports AS i WHERE i.application_id = a.id ORDER BY i.number DESC LIMIT 1
    ) AS last_import
    FROM applications AS a";

/// An application whose feeds are imported by the clock.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns' comments say it")]
pub struct Scheduled {
    pub id: Uuid,
    pub import_schedule: Json<ImportSchedule>,
    pub import_schedule_set_at: DateTime<Utc>,
}

/// Every application whose schedule is enabled.
pub async fn scheduled(pool: &PgPool) -> sqlx::Result<Vec<Scheduled>> {
    sqlx::query_as(
        "SELECT id, import_schedule, import_schedule_set_at FROM applications
         WHERE NOT is_archived AND (import_schedule ->> 'isEnabled')::boolean",
    )
    .fetch_all(pool)
    .await
}

/// One page, by name.
pub async fn list(pool: &PgPool, page: i64) -> sqlx::Result<Page<ApplicationRow>> {
    let total: i64 = sqlx::query_scalar("SELECT count(*) FROM applications").fetch_one(pool).await?;
    let window = Window::of(page, total);
    let direction = window.direction();
    let rows = sqlx::query_as(&format!("{SELECT} ORDER BY a.name {direction}, a.id {direction} OFFSET $1 LIMIT $2"))
        .bind(window.offset)
        .bind(window.limit)
        .fetch_all(pool)
        .await?;
    Ok(Page { items: window.arrange(rows), total })
}

/// One application.
pub async fn find(executor: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<Option<ApplicationRow>> {
    sqlx::query_as(&format!("{SELECT} WHERE a.id = $1")).bind(id).fetch_optional(executor).await
}

/// The application of a name, whatever its case.
pub async fn find_named(executor: impl PgExecutor<'_>, name: &str) -> sqlx::Result<Option<ApplicationRow>> {
    sqlx::query_as(&format!("{SELECT} WHERE lower(a.name) = lower($1)"))
        .bind(name.trim())
        .fetch_optional(executor)
        .await
}

/// What finds several applications by their ids, an array.
pub fn find_all_sql() -> String {
    format!("{SELECT} WHERE a.id = ANY ($1)")
}

/// Several applications, by id.
pub async fn find_all(executor: impl PgExecutor<'_>, ids: &[Uuid]) -> sqlx::Result<HashMap<Uuid, ApplicationRow>> {
    let rows: Vec<ApplicationRow> = sqlx::query_as(&find_all_sql()).bind(ids).fetch_all(executor).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// The ids of all applications, archived ones among them.
pub async fn ids(executor: impl PgExecutor<'_>) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar("SELECT id FROM applications").fetch_all(executor).await
}

/// Those of these applications that aren't archived, of none: all, the oldest first.
pub async fn in_use(executor: impl PgExecutor<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar(
        "SELECT id FROM applications WHERE NOT is_archived AND (cardinality($1::uuid[]) = 0 OR id = ANY ($1)) ORDER BY created_at, id",
    )
    .bind(ids)
    .fetch_all(executor)
    .await
}

/// Ids and names of all applications that aren't archived.
pub async fn names(executor: impl PgExecutor<'_>) -> sqlx::Result<Vec<(Uuid, String)>> {
    sqlx::query_as("SELECT id, name FROM applications WHERE NOT is_archived").fetch_all(executor).await
}
