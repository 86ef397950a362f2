use aggregates::application_import::{ApplicationImport, ApplicationImportCommand};
use axum::Json as Body;
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::{ImportDetail, as_canceling};
use super::{TAG, find, location};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Json, id};
use crate::http::session::{Operates, Session};

/// What to cancel.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CancelRequest {
    /// GUID of an import that is Pending or Running.
    application_import_id: Option<String>,
}

/// Cancels an import. It is Canceling at once and Canceled within a second.
#[utoipa::path(
    post, path = "/api/application-imports/cancel", tag = TAG, operation_id = "cancelApplicationImport", security(("token" = [])),
    request_body = CancelRequest,
    responses(
        (status = 200, body = ImportDetail),
        (status = 400, description = "applicationImportId is missing, malformed or unknown", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an operator's token", body = ErrorBody),
        (status = 409, description = "It has ended, or is Canceling", body = ErrorBody),
        (status = 415, description = "Not application/json", body = ErrorBody),
    )
)]
pub async fn cancel(
    session: Session<Operates>,
    Json(request): Json<CancelRequest>,
) -> Result<Body<ImportDetail>, ApiError> {
    let field = "applicationImportId";
    let Some(text) = request.application_import_id.filter(|text| !text.trim().is_empty()) else {
        return Err(ApiError::field(field, "Application import ID is required"));
    };
    let import = id(field, text.trim())?;
    if projections::application_imports::find(session.pool(), import).await?.is_none() {
        return Err(ApiError::field(field, format!("Application import with id {import} not found")));
    }
    let command = ApplicationImportCommand::RequestCancel;
    session.journal().execute::<ApplicationImport>(import, command, None, session.context(location(import))).await?;
    session.app.imports_bell.notify_one();
    let row = as_canceling(find(&session, import).await?);
    Ok(Body(ImportDetail::of(row, None)))
}
