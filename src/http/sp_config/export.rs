use aggregates::config_job::Selection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::JobBody;
use super::{TAG, location};
use crate::configuration::start_export;
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::sailpoint::SailPointErrorBody;
use crate::http::session::{ReadsConfiguration, Session};

/// What to export; null and empty lists are absent.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ExportRequest {
    /// At most 4,000 characters.
    description: Option<String>,
    /// `excludeTypes`, `includeTypes`, `objectOptions`.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    selection: Selection,
}

/// Begins an export of configuration objects.
#[utoipa::path(
    post, path = "/sp-config/export", tag = TAG, operation_id = "exportSpConfig", security(("token" = [])),
    request_body = ExportRequest,
    responses(
        (status = 202, body = JobBody),
        (status = 400, description = "Not JSON, or types that nobody knows", body = SailPointErrorBody),
        (status = 401, description = "No valid token"),
        (status = 403, description = "Needs sp:config:read or sp:config:manage", body = SailPointErrorBody),
    )
)]
pub async fn start(
    session: Session<ReadsConfiguration>,
    Json(request): Json<ExportRequest>,
) -> Result<Response, ApiError> {
    let id = session.app.clock.id();
    let context = session.accepting(location("export", id));
    let description = request.description;
    let started = start_export(&session.app, id, request.selection, description.clone(), context).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(JobBody::started("EXPORT", started, description))).into_response())
}
