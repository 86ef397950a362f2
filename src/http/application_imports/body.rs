//! What an import looks like on the wire.

use aggregates::application_import::{Metrics, Status};
use chrono::{DateTime, Utc};
use projections::application_imports::ImportRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::applications::body::ApplicationSummary;
use crate::work::progress::Progress;

/// An import in a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportItem {
    /// The import.
    pub id: Uuid,
    /// Always `Application Import`.
    #[schema(example = "Application Import")]
    pub kind: &'static str,
    /// 1, 2, 3, ... in the order of staging.
    pub number: i64,
    /// Scheduled, Manual or API.
    pub r#type: String,
    /// Pending, Running, Finished, Failed, Canceling or Canceled.
    pub status: String,
    /// null until started.
    pub build_start: Option<DateTime<Utc>>,
    /// null until ended.
    pub build_end: Option<DateTime<Utc>>,
    /// true: only planned, nothing was applied. Left out otherwise, which is the contract's shape.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub preview: bool,
    /// What is imported.
    pub application: ApplicationSummary,
}

/// An import in detail.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportDetail {
    /// As in a list.
    #[serde(flatten)]
    pub item: ImportItem,
    /// Name of the token (or schedule, or user) that staged it.
    pub created_by: String,
    /// Its end in words, or what was not done and why.
    pub log: Option<String>,
    /// The files read.
    pub files: Vec<ImportFileBody>,
    /// What it did; null until Finished.
    #[schema(value_type = Option<Object>)]
    pub metrics: Option<Metrics>,
    /// How far it is; null before it began.
    pub progress: Option<ProgressBody>,
}

/// A file of an import.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportFileBody {
    /// Of this file in this import.
    pub id: Uuid,
    /// The group it fills.
    pub file_group_id: Uuid,
    /// The group's name at the time.
    pub file_group: String,
    /// The file's name, or its path in the shared directory.
    pub name: String,
}

/// How far an import is (rulings 19).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProgressBody {
    /// reading, planning or applying.
    pub phase: String,
    /// Data rows read so far.
    pub rows_read: i64,
    /// Data rows in all files; null until known.
    pub rows_total: Option<i64>,
    /// Of the whole.
    pub percent: i16,
}

impl From<ImportRow> for ImportItem {
    fn from(row: ImportRow) -> Self {
        Self {
            id: row.id,
            kind: "Application Import",
            number: row.number,
            r#type: row.r#type,
            status: row.status,
            build_start: row.build_start_at,
            build_end: row.build_end_at,
            preview: row.is_preview,
            application: ApplicationSummary {
                id: row.application_id,
                kind: "Application",
                name: row.application_name,
                priority: row.application_priority,
                is_archived: row.application_is_archived,
                last_updated: row.application_last_updated_at,
            },
        }
    }
}

impl ImportDetail {
    /// The detail of an import.
    pub fn of(mut row: ImportRow, progress: Option<Progress>) -> Self {
        let files = std::mem::take(&mut row.files.0).into_iter();
        let metrics = row.metrics.take().map(|metrics| metrics.0);
        Self {
            created_by: row.created_by.clone(),
            log: row.log.take(),
            files: files
                .map(|file| ImportFileBody {
                    id: file.id,
                    file_group_id: file.file_group_id,
                    file_group: file.file_group,
                    name: file.name,
                })
                .collect(),
            progress: metrics.as_ref().map(ProgressBody::finished).or(progress.map(ProgressBody::from)),
            metrics,
            item: row.into(),
        }
    }
}

impl ProgressBody {
    /// A finished import's: its last event says so, whatever the worker noted last.
    fn finished(metrics: &Metrics) -> Self {
        let rows = metrics.rows_read as i64;
        Self { phase: "applying".to_owned(), rows_read: rows, rows_total: Some(rows), percent: 100 }
    }
}

impl From<Progress> for ProgressBody {
    fn from(Progress { phase, rows_read, rows_total, percent }: Progress) -> Self {
        Self { phase, rows_read, rows_total, percent }
    }
}

/// The import as its staging left it.
pub fn as_staged(row: ImportRow) -> ImportRow {
    let mut row = ImportRow { log: None, metrics: None, build_start_at: None, build_end_at: None, ..row };
    Status::Pending.as_str().clone_into(&mut row.status);
    if row.from_schedule {
        row.files.0.clear();
    }
    row
}

/// The import as the request to cancel it left it (rulings 15).
pub fn as_canceling(row: ImportRow) -> ImportRow {
    let mut row = ImportRow { log: None, metrics: None, build_end_at: None, ..row };
    Status::Canceling.as_str().clone_into(&mut row.status);
    row
}
