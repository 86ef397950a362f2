use axum::response::Response;

use super::result_body::{ResultBody, bodies};
use super::{TAG, found};
use crate::http::error::ApiError;
use crate::http::etag;
use crate::http::extract::IdAndNumber;
use crate::http::session::{Reads, Session};
use crate::http::veza::{VezaErrorBody, Wrapped};

/// One row.
#[utoipa::path(
    get, path = "/api/preview/awf/certifications/{id}/results/{result_id}", tag = TAG, operation_id = "getResult",
    security(("token" = [])),
    params(
        ("id" = String, Path, description = "The certification: a GUID"),
        ("result_id" = i64, Path, description = "0, 1, 2, ..."),
    ),
    responses(
        (status = 200, body = Wrapped<ResultBody>, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "Not a GUID, or not a number", body = VezaErrorBody),
        (status = 401, description = "No valid token", body = VezaErrorBody),
        (status = 404, description = "No such certification, or no such row", body = VezaErrorBody),
    )
)]
pub async fn get(session: Session<Reads>, IdAndNumber(id, number): IdAndNumber) -> Result<Response, ApiError> {
    found(&session, id).await?;
    let row = projections::certifications::result(session.pool(), id, number).await?;
    let row = row.ok_or_else(|| ApiError::not_found("Result", number))?;
    let version = row.version;
    let value = bodies(&session, vec![row]).await?.into_iter().next();
    let value = value.ok_or_else(|| ApiError::not_found("Result", number))?;
    Ok(etag::tagged(version, axum::Json(Wrapped { value })))
}
