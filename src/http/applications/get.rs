use axum::http::StatusCode;
use axum::response::Response;

use super::body::ApplicationBody;
use super::{TAG, find, show};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::Id;
use crate::http::session::{Reads, Session};

/// One application, with connector and last import.
#[utoipa::path(
    get, path = "/api/applications/{id}", tag = TAG, operation_id = "getApplication", security(("token" = [])),
    params(("id" = String, Path, description = "GUID")),
    responses(
        (status = 200, body = ApplicationBody, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "Not a GUID", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 404, description = "No such application", body = ErrorBody),
    )
)]
pub async fn get(session: Session<Reads>, Id(id): Id) -> Result<Response, ApiError> {
    Ok(show(find(&session, id).await?, StatusCode::OK))
}
