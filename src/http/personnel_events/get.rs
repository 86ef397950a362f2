use axum::http::StatusCode;
use axum::response::Response;

use super::body::PersonnelEventDetail;
use super::{TAG, show};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::Id;
use crate::http::session::{Reads, Session};

/// One personnel event with its stages, activity and comments.
#[utoipa::path(
    get, path = "/api/personnel-events/{id}", tag = TAG, operation_id = "getPersonnelEvent", security(("token" = [])),
    params(("id" = String, Path, description = "GUID")),
    responses(
        (status = 200, body = PersonnelEventDetail, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "Not a GUID", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 404, description = "No such personnel event", body = ErrorBody),
    )
)]
pub async fn get(session: Session<Reads>, Id(id): Id) -> Result<Response, ApiError> {
    show(&session, id, StatusCode::OK).await
}
