use aggregates::access_request::{AccessRequest, AccessRequestCommand};
use axum::response::Response;

use super::body::AccessRequestDetail;
use super::{TAG, change};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Id, OptionalJson};
use crate::http::party::{AnswerRequest, voter};
use crate::http::session::{Operates, Session};

/// Takes an answer back while it is Pending: one's own, or, as an administrator, any responder's, or all.
#[utoipa::path(
    post, path = "/api/access-requests/{id}/reset", tag = TAG, operation_id = "resetAccessRequest", security(("token" = [])),
    params(("id" = String, Path, description = "GUID")),
    request_body = Option<AnswerRequest>,
    responses(
        (status = 200, body = AccessRequestDetail, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "Fields break rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an operator's token", body = ErrorBody),
        (status = 404, description = "No such access request", body = ErrorBody),
        (status = 409, description = "It isn't Pending, or there is no answer to take back", body = ErrorBody),
        (status = 415, description = "Not application/json", body = ErrorBody),
    )
)]
pub async fn reset(
    session: Session<Operates>,
    Id(id): Id,
    OptionalJson(request): OptionalJson<AnswerRequest>,
) -> Result<Response, ApiError> {
    let state = session.journal().load::<AccessRequest>(id).await?.aggregate;
    let voter = voter(&session, request.responder_id, Some(&state.ballot)).await?;
    change(&session, id, AccessRequestCommand::Reset(voter)).await
}
