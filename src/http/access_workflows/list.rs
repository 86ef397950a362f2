use axum::Json;

use super::TAG;
use super::body::{WorkflowBody, bodies};
use crate::http::error::ApiError;
use crate::http::session::{Reads, Session};
use crate::http::veza::{Values, VezaErrorBody};

/// Every workflow, the oldest first; never paged.
#[utoipa::path(
    get, path = "/api/preview/awf/workflows", tag = TAG, operation_id = "listWorkflows", security(("token" = [])),
    responses(
        (status = 200, body = Values<WorkflowBody>),
        (status = 401, description = "No valid token", body = VezaErrorBody),
    )
)]
pub async fn list(session: Session<Reads>) -> Result<Json<Values<WorkflowBody>>, ApiError> {
    let rows = projections::access_workflows::all(session.pool()).await?;
    Ok(Json(Values { values: bodies(&session, rows).await? }))
}
