use axum::Json;

use super::{TAG, change, refused};
use crate::http::error::ApiError;
use crate::http::extract::Id;
use crate::http::session::{Operates, Session};
use crate::http::veza::{Empty, VezaErrorBody};
use crate::reviews::Change;

/// Deletes a workflow and detaches every automation from it, in one append.
#[utoipa::path(
    delete, path = "/api/preview/awf/workflows/{id}", tag = TAG, operation_id = "deleteWorkflow", security(("token" = [])),
    params(("id" = String, Path, description = "GUID")),
    responses(
        (status = 200, body = Empty),
        (status = 400, description = "Not a GUID", body = VezaErrorBody),
        (status = 401, description = "No valid token", body = VezaErrorBody),
        (status = 403, description = "Not an operator's token", body = VezaErrorBody),
        (status = 404, description = "No such workflow", body = VezaErrorBody),
    )
)]
pub async fn delete(session: Session<Operates>, Id(id): Id) -> Result<Json<Empty>, ApiError> {
    let changing = change(&session, Change::DeleteWorkflow { id }).await;
    changing.map_err(|error| refused(error, false))?;
    Ok(Json(Empty {}))
}
