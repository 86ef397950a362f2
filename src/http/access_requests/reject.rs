use aggregates::access_request::{AccessRequest, AccessRequestCommand};
use aggregates::ballot::Answer;
use axum::response::Response;

use super::body::AccessRequestDetail;
use super::{TAG, change};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Id, OptionalJson};
use crate::http::party::{AnswerRequest, voter};
use crate::http::session::{Operates, Session};

/// Says no. When all responders have answered, it is canceled.
#[utoipa::path(
    post, path = "/api/access-requests/{id}/reject", tag = TAG, operation_id = "rejectAccessRequest", security(("token" = [])),
    params(("id" = String, Path, description = "GUID")),
    request_body = Option<AnswerRequest>,
    responses(
        (status = 200, body = AccessRequestDetail, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "Fields break rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an operator's token", body = ErrorBody),
        (status = 404, description = "No such access request", body = ErrorBody),
        (status = 409, description = "It isn't Pending, or nobody answers their own request, or the answer was given", body = ErrorBody),
        (status = 415, description = "Not application/json", body = ErrorBody),
    )
)]
pub async fn reject(
    session: Session<Operates>,
    Id(id): Id,
    OptionalJson(request): OptionalJson<AnswerRequest>,
) -> Result<Response, ApiError> {
    let state = session.journal().load::<AccessRequest>(id).await?.aggregate;
    let voter = voter(&session, request.responder_id, Some(&state.ballot)).await?;
    let (answer, comment) = (Answer::Rejected, request.comment());
    change(&session, id, AccessRequestCommand::Answer { voter, answer, comment, at: session.now }).await
}
