use axum::Json;

use super::{TAG, change, refused};
use crate::http::error::ApiError;
use crate::http::extract::Id;
use crate::http::session::{Administers, Session};
use crate::http::veza::{Empty, VezaErrorBody};
use crate::reviews::Change;

/// Deletes an automation and detaches it everywhere, in one append.
#[utoipa::path(
    delete, path = "/api/preview/awf/automations/{id}", tag = TAG, operation_id = "deleteAutomation",
    security(("token" = [])),
    params(("id" = String, Path, description = "GUID")),
    responses(
        (status = 200, body = Empty),
        (status = 400, description = "Not a GUID", body = VezaErrorBody),
        (status = 401, description = "No valid token", body = VezaErrorBody),
        (status = 403, description = "Not an administrator's token", body = VezaErrorBody),
        (status = 404, description = "No such automation", body = VezaErrorBody),
    )
)]
pub async fn delete(session: Session<Administers>, Id(id): Id) -> Result<Json<Empty>, ApiError> {
    change(&session, Change::DeleteAutomation { id }).await.map_err(refused)?;
    Ok(Json(Empty {}))
}
