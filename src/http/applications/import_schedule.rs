use aggregates::Violation;
use aggregates::application::{ApplicationCommand, ImportSchedule, ScheduledFile};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::body::ApplicationBody;
use super::{TAG, change, show};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::etag::if_match;
use crate::http::extract::{Id, Json};
use crate::http::session::{Operates, Session};
use crate::imports::schedule;

/// When, and from which files, an application is imported.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportScheduleRequest {
    /// Five fields.
    #[schema(example = "0 2 * * *")]
    cron: Option<String>,
    /// IANA name; default UTC.
    #[schema(example = "Europe/Zurich")]
    timezone: Option<String>,
    /// Does it fire by itself? Default true.
    is_enabled: Option<bool>,
    /// Where each file group's file lies.
    files: Option<Vec<ScheduledFileRequest>>,
}

/// The file of one group.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScheduledFileRequest {
    /// The group.
    file_group_id: Uuid,
    /// Relative to a shared directory.
    path: String,
}

/// Sets or replaces the import schedule.
#[utoipa::path(
    put, path = "/api/applications/{id}/import-schedule", tag = TAG, operation_id = "setImportSchedule", security(("token" = [])),
    params(
        ("id" = String, Path, description = "GUID"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the application must still have"),
    ),
    request_body = ImportScheduleRequest,
    responses(
        (status = 200, body = ApplicationBody, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "Fields break rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an operator's token", body = ErrorBody),
        (status = 404, description = "No such application", body = ErrorBody),
        (status = 409, description = "The application is archived", body = ErrorBody),
        (status = 412, description = "If-Match doesn't match", body = ErrorBody),
        (status = 415, description = "Not application/json", body = ErrorBody),
    )
)]
pub async fn set(
    session: Session<Operates>,
    Id(id): Id,
    headers: HeaderMap,
    Json(request): Json<ImportScheduleRequest>,
) -> Result<Response, ApiError> {
    let demanded = if_match(&headers)?;
    let mut violations = Vec::new();
    if request.cron.is_none() {
        violations.push(Violation::new("cron", "Cron is required"));
    }
    if request.files.is_none() {
        violations.push(Violation::new("files", "Files are required"));
    }
    let schedule = ImportSchedule {
        cron: request.cron.unwrap_or_default().trim().to_owned(),
        timezone: request.timezone.unwrap_or_else(|| "UTC".to_owned()),
        is_enabled: request.is_enabled.unwrap_or(true),
        files: (request.files.unwrap_or_default().into_iter())
            .map(|file| ScheduledFile { file_group_id: file.file_group_id, path: file.path })
            .collect(),
    };
    if violations.is_empty() {
        violations = schedule::violations(&schedule);
    }
    if !violations.is_empty() {
        return Err(ApiError::validation(violations));
    }
    let row = change(&session, id, demanded, |_| Ok(ApplicationCommand::SetImportSchedule(schedule.clone()))).await?;
    Ok(show(row, StatusCode::OK))
}
