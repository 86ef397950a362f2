use axum::http::HeaderMap;
use axum::response::Response;

use super::TAG;
use super::update::{UpdateResultRequest, change};
use crate::http::error::ApiError;
use crate::http::extract::{Id, Json};
use crate::http::session::{Administers, Session};
use crate::http::veza::{Empty, VezaErrorBody};

/// Changes a row whatever stands against it: undoes a sign-off, and in the grace period changes rows that aren't signed off.
#[utoipa::path(
    post, path = "/api/preview/awf/certifications/{id}/results:force_update", tag = TAG, operation_id = "forceUpdateResult",
    security(("token" = [])),
    params(
        ("id" = String, Path, description = "The certification: a GUID"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the row must still have"),
    ),
    request_body = UpdateResultRequest,
    responses(
        (status = 200, body = Empty, headers(("ETag" = String, description = "The row's version"))),
        (status = 400, description = "Fields break rules", body = VezaErrorBody),
        (status = 401, description = "No valid token", body = VezaErrorBody),
        (status = 403, description = "Not an administrator's token", body = VezaErrorBody),
        (status = 404, description = "No such certification, or no such row", body = VezaErrorBody),
        (status = 409, description = "The grace period is over, or it is about their own access", body = VezaErrorBody),
        (status = 412, description = "If-Match doesn't match", body = VezaErrorBody),
        (status = 415, description = "Not application/json", body = VezaErrorBody),
    )
)]
pub async fn force_update(
    session: Session<Administers>,
    Id(id): Id,
    headers: HeaderMap,
    Json(request): Json<UpdateResultRequest>,
) -> Result<Response, ApiError> {
    change(&session, id, &headers, request, true).await
}
