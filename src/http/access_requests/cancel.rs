use aggregates::access_request::AccessRequestCommand;
use aggregates::party::Party;
use axum::response::Response;

use super::body::AccessRequestDetail;
use super::{TAG, change};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Id, OptionalJson};
use crate::http::party::{ReasonRequest, text};
use crate::http::session::{Operates, Session};

/// Ends it before its time.
#[utoipa::path(
    post, path = "/api/access-requests/{id}/cancel", tag = TAG, operation_id = "cancelAccessRequest", security(("token" = [])),
    params(("id" = String, Path, description = "GUID")),
    request_body = Option<ReasonRequest>,
    responses(
        (status = 200, body = AccessRequestDetail, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "Fields break rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an operator's token", body = ErrorBody),
        (status = 404, description = "No such access request", body = ErrorBody),
        (status = 409, description = "It has ended", body = ErrorBody),
        (status = 415, description = "Not application/json", body = ErrorBody),
    )
)]
pub async fn cancel(
    session: Session<Operates>,
    Id(id): Id,
    OptionalJson(request): OptionalJson<ReasonRequest>,
) -> Result<Response, ApiError> {
    let reason = text(request.comment.as_deref());
    let by = Party::from(&session.actor());
    change(&session, id, AccessRequestCommand::Cancel { reason, by, at: session.now }).await
}
