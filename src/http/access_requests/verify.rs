use aggregates::access_request::AccessRequestCommand;
use aggregates::party::Party;
use axum::response::Response;

use super::body::AccessRequestDetail;
use super::{TAG, change};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Id, NoBody};
use crate::http::session::{Operates, Session};

/// Says that it is so, without an import that shows it.
#[utoipa::path(
    post, path = "/api/access-requests/{id}/verify", tag = TAG, operation_id = "verifyAccessRequest", security(("token" = [])),
    params(("id" = String, Path, description = "GUID")),
    responses(
        (status = 200, body = AccessRequestDetail, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "Not a GUID", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an operator's token", body = ErrorBody),
        (status = 404, description = "No such access request", body = ErrorBody),
        (status = 409, description = "It isn't Resolved", body = ErrorBody),
    )
)]
pub async fn verify(session: Session<Operates>, Id(id): Id, _: NoBody) -> Result<Response, ApiError> {
    let by = Party::from(&session.actor());
    change(&session, id, AccessRequestCommand::Verify { evidence: None, by, at: session.now }).await
}
