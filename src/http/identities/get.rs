use axum::Json;

use super::TAG;
use super::body::IdentityBody;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::Id;
use crate::http::session::{Reads, Session};

/// One identity.
#[utoipa::path(
    get, path = "/api/identities/{id}", tag = TAG, operation_id = "getIdentity", security(("token" = [])),
    params(("id" = String, Path, description = "GUID")),
    responses(
        (status = 200, body = IdentityBody),
        (status = 400, description = "Not a GUID", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 404, description = "No such identity", body = ErrorBody),
    )
)]
pub async fn get(session: Session<Reads>, Id(id): Id) -> Result<Json<IdentityBody>, ApiError> {
    let found = projections::identities::find(session.pool(), id).await?;
    Ok(Json(found.ok_or_else(|| ApiError::not_found("Identity", id))?.into()))
}
