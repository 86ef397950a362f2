use aggregates::config_job::Status;
use chrono::{DateTime, Utc};
use projections::config_jobs::ConfigJobRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::configuration::Started;

/// A job (contracts §2.2): all fields in every answer, null where there is nothing to say.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobBody {
    /// The job.
    pub job_id: Uuid,
    /// `NOT_STARTED`, `IN_PROGRESS`, `COMPLETE`, `CANCELLED` or `FAILED`.
    pub status: String,
    /// `EXPORT` or `IMPORT`.
    pub r#type: String,
    /// As it was asked for.
    pub description: Option<String>,
    /// What to do next, or why it failed.
    pub message: Option<String>,
    /// From then on its files can't be downloaded.
    pub expiration: DateTime<Utc>,
    /// When it was asked for.
    pub created: DateTime<Utc>,
    /// When it moved on last.
    pub modified: DateTime<Utc>,
    /// When it ended.
    pub completed: Option<DateTime<Utc>>,
}

impl From<ConfigJobRow> for JobBody {
    fn from(row: ConfigJobRow) -> Self {
        let is_complete_import = row.kind == "IMPORT" && row.status == Status::Complete.as_str();
        let message = is_complete_import.then(|| "Download import results for details.".to_owned());
        Self {
            job_id: row.id,
            status: row.status,
            r#type: row.kind,
            description: row.description,
            message: message.or(row.reason),
            expiration: row.expires_at,
            created: row.created_at,
            modified: row.modified_at,
            completed: row.completed_at,
        }
    }
}

impl JobBody {
    /// A job as its request is answered: nobody has taken it up yet.
    pub(super) fn started(kind: &str, job: Started, description: Option<String>) -> Self {
        Self {
            job_id: job.id,
            status: Status::NotStarted.as_str().to_owned(),
            r#type: kind.to_owned(),
            description,
            message: None,
            expiration: job.expires_at,
            created: job.started_at,
            modified: job.started_at,
            completed: None,
        }
    }
}
