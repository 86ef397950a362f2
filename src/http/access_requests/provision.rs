use aggregates::access_request::AccessRequestCommand;
use aggregates::party::Party;
use axum::response::Response;

use super::body::AccessRequestDetail;
use super::{TAG, change};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Id, NoBody};
use crate::http::session::{Operates, Session};

/// Says that it was carried out. The next import that shows it verifies it.
#[utoipa::path(
    post, path = "/api/access-requests/{id}/provision", tag = TAG, operation_id = "provisionAccessRequest", security(("token" = [])),
    params(("id" = String, Path, description = "GUID")),
    responses(
        (status = 200, body = AccessRequestDetail, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "Not a GUID", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an operator's token", body = ErrorBody),
        (status = 404, description = "No such access request", body = ErrorBody),
        (status = 409, description = "It isn't Open", body = ErrorBody),
    )
)]
pub async fn provision(session: Session<Operates>, Id(id): Id, _: NoBody) -> Result<Response, ApiError> {
    let by = Party::from(&session.actor());
    change(&session, id, AccessRequestCommand::Provision { by, at: session.now }).await
}
