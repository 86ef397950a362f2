use aggregates::application_import::{ApplicationImport, ApplicationImportCommand, ImportType};
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::ImportDetail;
use super::{TAG, created, held, importable, location};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Json, Query};
use crate::http::session::{Operates, Session};
use crate::journal::{AppendError, CommandError};

/// What to import.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StageRequest {
    /// GUID of an existing, non-archived application with an import schedule.
    application_id: Option<String>,
    /// An import that was held back by the removal limit: exactly what it would have removed may be removed.
    accept_removals_of: Option<String>,
}

/// Stages an import of the files that the application's import schedule names.
#[utoipa::path(
    post, path = "/api/application-imports/stage", tag = TAG, operation_id = "stageApplicationImport", security(("token" = [])),
    params(("preview" = Option<bool>, Query, description = "true: plan and apply nothing")),
    request_body = StageRequest,
    responses(
        (status = 201, body = ImportDetail),
        (status = 400, description = "applicationId is missing, malformed, unknown, archived or without schedule", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an operator's token", body = ErrorBody),
        (status = 409, description = "An import of the application is Pending", body = ErrorBody),
        (status = 415, description = "Not application/json", body = ErrorBody),
        (status = 422, description = "The schedule can't be used", body = ErrorBody),
    )
)]
pub async fn stage(
    session: Session<Operates>,
    query: Query,
    Json(request): Json<StageRequest>,
) -> Result<Response, ApiError> {
    let preview = query.boolean("preview")?.unwrap_or(false);
    let application = importable(&session, request.application_id.as_deref()).await?;
    let Some(schedule) = &application.import_schedule else {
        return Err(ApiError::field("applicationId", "Application has no import schedule"));
    };
    let definition = application.definition();
    let mut reasons: Vec<String> =
        schedule.violations(&definition).into_iter().map(|violation| violation.message).collect();
    if session.app.config.shared_dirs.is_empty() {
        reasons.push("no shared directory is configured; start the server with --shared-dir".to_owned());
    }
    if !reasons.is_empty() {
        return Err(ApiError::unprocessable(format!("The import schedule can't be used: {}", reasons.join("; "))));
    }
    if let Some(pending) = projections::application_imports::pending_of(session.pool(), application.id).await? {
        return Err(ApiError::conflict(format!(
            "Import {} ({}) of the application is Pending",
            pending.number, pending.id
        )));
    }
    let accept_removals_of = held(&session, application.id, request.accept_removals_of.as_deref()).await?;
    let id = session.app.clock.id();
    let command = ApplicationImportCommand::Stage {
        application_id: application.id,
        import_type: ImportType::Api,
        files: Vec::new(),
        accept_removals_of,
        preview,
    };
    session.journal().create::<ApplicationImport>(id, command, session.creating(location(id))).await.map_err(
        |error| match error {
            CommandError::Append(AppendError::ClaimTaken { holder, .. }) => {
                ApiError::conflict(format!("Import {} of the application is Pending", holder.1))
            }
            other => other.into(),
        },
    )?;
    session.app.imports_bell.notify_one();
    created(&session, id).await
}
