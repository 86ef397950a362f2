use axum::response::Response;

use super::body::{CertificationBody, bodies};
use super::{TAG, found};
use crate::http::error::ApiError;
use crate::http::etag;
use crate::http::extract::Id;
use crate::http::session::{Reads, Session};
use crate::http::veza::{VezaErrorBody, Wrapped};

/// One certification.
#[utoipa::path(
    get, path = "/api/preview/awf/certifications/{id}", tag = TAG, operation_id = "getCertification",
    security(("token" = [])),
    params(("id" = String, Path, description = "GUID")),
    responses(
        (status = 200, body = Wrapped<CertificationBody>, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "Not a GUID", body = VezaErrorBody),
        (status = 401, description = "No valid token", body = VezaErrorBody),
        (status = 404, description = "No such certification", body = VezaErrorBody),
    )
)]
pub async fn get(session: Session<Reads>, Id(id): Id) -> Result<Response, ApiError> {
    let row = found(&session, id).await?;
    let version = row.version;
    let value = bodies(&session, vec![row]).await?.into_iter().next();
    let value = value.ok_or_else(|| ApiError::not_found("Certification", id))?;
    Ok(etag::tagged(version, axum::Json(Wrapped { value })))
}
