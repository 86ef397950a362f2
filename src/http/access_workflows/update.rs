use axum::http::HeaderMap;
use axum::response::Response;

use super::body::WorkflowRequest;
use super::{TAG, change, refused};
use crate::http::error::ApiError;
use crate::http::etag::{self, if_match};
use crate::http::extract::{Id, Json};
use crate::http::session::{Operates, Session};
use crate::http::veza::{Empty, VezaErrorBody};
use crate::reviews::Change;

/// Replaces a workflow. Applications that were archived and identities that left since may stay.
#[utoipa::path(
    put, path = "/api/preview/awf/workflows/{id}", tag = TAG, operation_id = "updateWorkflow", security(("token" = [])),
    params(
        ("id" = String, Path, description = "GUID"),
        ("If-Match" = Option<String>, Header, description = "The ETag that it must still have"),
    ),
    request_body = WorkflowRequest,
    responses(
        (status = 200, body = Empty, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "Fields break rules, or another workflow has this name", body = VezaErrorBody),
        (status = 401, description = "No valid token", body = VezaErrorBody),
        (status = 403, description = "Not an operator's token", body = VezaErrorBody),
        (status = 404, description = "No such workflow", body = VezaErrorBody),
        (status = 412, description = "If-Match doesn't match", body = VezaErrorBody),
        (status = 415, description = "Not application/json", body = VezaErrorBody),
    )
)]
pub async fn update(
    session: Session<Operates>,
    Id(id): Id,
    headers: HeaderMap,
    Json(request): Json<WorkflowRequest>,
) -> Result<Response, ApiError> {
    let demanded = if_match(&headers)?;
    let (definition, wrong) = request.asked(&session).await?;
    let changing = change(&session, Change::UpdateWorkflow { id, definition, wrong, demanded }).await;
    let changed = changing.map_err(|error| refused(error, demanded.is_some()))?;
    Ok(etag::tagged(changed.version, axum::Json(Empty {})))
}
