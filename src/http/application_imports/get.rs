use axum::Json;

use super::body::ImportDetail;
use super::{TAG, detail};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::Id;
use crate::http::session::{Reads, Session};

/// One import.
#[utoipa::path(
    get, path = "/api/application-imports/{id}", tag = TAG, operation_id = "getApplicationImport", security(("token" = [])),
    params(("id" = String, Path, description = "GUID")),
    responses(
        (status = 200, body = ImportDetail),
        (status = 400, description = "Not a GUID", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 404, description = "No such import", body = ErrorBody),
    )
)]
pub async fn get(session: Session<Reads>, Id(id): Id) -> Result<Json<ImportDetail>, ApiError> {
    Ok(Json(detail(&session, id).await?))
}
