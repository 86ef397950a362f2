use aggregates::access_request::AccessRequestCommand;
use aggregates::party::Party;
use axum::response::Response;

use super::body::AccessRequestDetail;
use super::{TAG, change};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Id, Json};
use crate::http::party::ReasonRequest;
use crate::http::session::{Operates, Session};

/// Says that it couldn't be carried out, and why. It stays Open.
#[utoipa::path(
    post, path = "/api/access-requests/{id}/fail", tag = TAG, operation_id = "failAccessRequest", security(("token" = [])),
    params(("id" = String, Path, description = "GUID")),
    request_body = ReasonRequest,
    responses(
        (status = 200, body = AccessRequestDetail, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "Fields break rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an operator's token", body = ErrorBody),
        (status = 404, description = "No such access request", body = ErrorBody),
        (status = 409, description = "It isn't Open", body = ErrorBody),
        (status = 415, description = "Not application/json", body = ErrorBody),
    )
)]
pub async fn fail(
    session: Session<Operates>,
    Id(id): Id,
    Json(request): Json<ReasonRequest>,
) -> Result<Response, ApiError> {
    let reason = request.comment.unwrap_or_default().trim().to_owned();
    let by = Party::from(&session.actor());
    change(&session, id, AccessRequestCommand::Fail { reason, by, at: session.now }).await
}
