//! `config_jobs`: exports and imports of configuration objects.

use std::collections::BTreeMap;

use aggregates::config_job::{Artifact, ConfigJobEvent as Event, Status, Task};
use aggregates::{DomainEvent, Recorded};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

use crate::{Applied, Apply, Projection, versions};

pub(crate) const PROJECTION: Projection = Projection {
    name: "config_jobs",
    version: 1,
    aggregate_types: &[aggregates::config_job::TYPE],
    tables: include_str!("tables.sql"),
    apply: Apply::Alone(apply),
};

/// A job.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns' comments say it")]
pub struct ConfigJobRow {
    pub id: Uuid,
    #[sqlx(rename = "type")]
    #[serde(rename = "type")]
    pub kind: String,
    pub status: String,
    pub description: Option<String>,
    pub task: Json<Task>,
    pub backup_of: Option<Uuid>,
    pub reason: Option<String>,
    pub result: Option<Json<Artifact>>,
    pub objects: Option<i64>,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
    pub expires_at: DateTime<Utc>,
    pub modified_at: DateTime<Utc>,
    pub completed_at: Option<DateTime<Utc>>,
    pub restored_at: Option<DateTime<Utc>>,
    pub version: i64,
}

impl ConfigJobRow {
    fn new(event: &Recorded, task: &Task, description: Option<&String>, expires_at: DateTime<Utc>) -> Self {
        let (kind, backup_of) = match task {
            Task::Export { backup_of, .. } => ("EXPORT", *backup_of),
            Task::Import { .. } => ("IMPORT", None),
        };
        Self {
            id: event.id(),
            kind: kind.to_owned(),
            status: Status::NotStarted.as_str().to_owned(),
            description: description.cloned(),
            task: Json(task.clone()),
            backup_of,
            reason: None,
            result: None,
            objects: None,
            created_at: event.recorded_at,
            created_by: event.actor.name.clone(),
            expires_at,
            modified_at: event.recorded_at,
            completed_at: None,
            restored_at: None,
            version: event.sequence,
        }
    }

    fn fold(&mut self, event: &Recorded, said: &Event) {
        self.version = event.sequence;
        self.modified_at = event.recorded_at;
        let status = match said {
            Event::ConfigJobStarted { .. } => Status::NotStarted,
            Event::ConfigJobClaimed { .. } => Status::InProgress,
            Event::ConfigJobCompleted { result, objects } => {
                self.result = Some(Json(result.clone()));
                self.objects = Some(*objects as i64);
                Status::Complete
            }
            Event::ConfigJobFailed { reason, result, objects } => {
                self.reason = Some(reason.clone());
                self.result = result.clone().map(Json);
                self.objects = Some(*objects as i64);
                Status::Failed
            }
            Event::ConfigJobCanceled {} => Status::Cancelled,
            Event::ConfigJobRestored { .. } => {
                self.restored_at = Some(event.recorded_at);
                return;
            }
        };
        if status.is_final() {
            self.completed_at = Some(event.recorded_at);
        }
        status.as_str().clone_into(&mut self.status);
    }

    /// Nothing happens to it any more.
    pub const fn is_final(&self) -> bool {
        self.completed_at.is_some()
    }
}

fn apply<'a>(connection: &'a mut PgConnection, batch: &'a [Recorded]) -> Applied<'a> {
    Box::pin(async move {
        let said = |event: &Recorded| matches!(*event.event, DomainEvent::ConfigJob(_));
        let ids: Vec<Uuid> = batch.iter().filter(|event| said(event)).map(Recorded::id).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let stored: Vec<ConfigJobRow> = sqlx::query_as("DELETE FROM config_jobs WHERE id = ANY ($1) RETURNING *")
            .bind(ids)
            .fetch_all(&mut *connection)
            .await?;
        let mut rows: BTreeMap<Uuid, ConfigJobRow> = stored.into_iter().map(|row| (row.id, row)).collect();
        for event in batch {
            let DomainEvent::ConfigJob(said) = &*event.event else { continue };
            if let Event::ConfigJobStarted { task, description, expires_at } = said {
                rows.insert(event.id(), ConfigJobRow::new(event, task, description.as_ref(), *expires_at));
            } else if let Some(row) = rows.get_mut(&event.id()) {
                row.fold(event, said);
            }
        }
        let rows: Vec<ConfigJobRow> = rows.into_values().collect();
        versions::insert(connection, "config_jobs", &rows).await
    })
}

/// A job.
pub async fn find(executor: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<Option<ConfigJobRow>> {
    sqlx::query_as("SELECT * FROM config_jobs WHERE id = $1").bind(id).fetch_optional(executor).await
}

/// The export that kept everything as it was before an import.
pub async fn backup_of(executor: impl PgExecutor<'_>, import: Uuid) -> sqlx::Result<Option<ConfigJobRow>> {
    sqlx::query_as("SELECT * FROM config_jobs WHERE backup_of = $1").bind(import).fetch_optional(executor).await
}

/// Jobs that haven't ended, the oldest first.
pub async fn unfinished(pool: &PgPool) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar(
        "SELECT id FROM config_jobs WHERE status IN ('NOT_STARTED', 'IN_PROGRESS') ORDER BY created_at, id LIMIT 100",
    )
    .fetch_all(pool)
    .await
}
