use axum::Json;
use axum::response::Response;

use super::TAG;
use super::body::{WorkflowBody, bodies};
use crate::http::error::ApiError;
use crate::http::etag;
use crate::http::extract::Id;
use crate::http::session::{Reads, Session};
use crate::http::veza::{VezaErrorBody, Wrapped};

/// One workflow.
#[utoipa::path(
    get, path = "/api/preview/awf/workflows/{id}", tag = TAG, operation_id = "getWorkflow", security(("token" = [])),
    params(("id" = String, Path, description = "GUID")),
    responses(
        (status = 200, body = Wrapped<WorkflowBody>, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "Not a GUID", body = VezaErrorBody),
        (status = 401, description = "No valid token", body = VezaErrorBody),
        (status = 404, description = "No such workflow", body = VezaErrorBody),
    )
)]
pub async fn get(session: Session<Reads>, Id(id): Id) -> Result<Response, ApiError> {
    let unknown = || ApiError::not_found("Workflow", id);
    let row = projections::access_workflows::find(session.pool(), id).await?.ok_or_else(unknown)?;
    let version = row.version;
    let value = bodies(&session, vec![row]).await?.pop().ok_or_else(unknown)?;
    Ok(etag::tagged(version, Json(Wrapped { value })))
}
