use axum::http::StatusCode;
use axum::response::Response;

use super::body::AccessRequestDetail;
use super::{TAG, show};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::Id;
use crate::http::session::{Reads, Session};

/// One access request with privileges, responders, evidence, activity and comments.
#[utoipa::path(
    get, path = "/api/access-requests/{id}", tag = TAG, operation_id = "getAccessRequest", security(("token" = [])),
    params(("id" = String, Path, description = "GUID")),
    responses(
        (status = 200, body = AccessRequestDetail, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "Not a GUID", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 404, description = "No such access request", body = ErrorBody),
    )
)]
pub async fn get(session: Session<Reads>, Id(id): Id) -> Result<Response, ApiError> {
    show(&session, id, StatusCode::OK).await
}
