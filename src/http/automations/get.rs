use aggregates::automation::built_ins;
use axum::Json;
use axum::response::Response;

use super::TAG;
use super::body::AutomationBody;
use crate::http::error::ApiError;
use crate::http::etag;
use crate::http::extract::Id;
use crate::http::session::{Audits, Session};
use crate::http::veza::{VezaErrorBody, Wrapped};

/// One automation.
#[utoipa::path(
    get, path = "/api/preview/awf/automations/{id}", tag = TAG, operation_id = "getAutomation", security(("token" = [])),
    params(("id" = String, Path, description = "GUID")),
    responses(
        (status = 200, body = Wrapped<AutomationBody>, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "Not a GUID", body = VezaErrorBody),
        (status = 401, description = "No valid token", body = VezaErrorBody),
        (status = 403, description = "Not an auditor's token", body = VezaErrorBody),
        (status = 404, description = "No such automation", body = VezaErrorBody),
    )
)]
pub async fn get(session: Session<Audits>, Id(id): Id) -> Result<Response, ApiError> {
    if let Some(built_in) = built_ins().into_iter().find(|known| known.id == id) {
        return Ok(etag::tagged(0, Json(Wrapped { value: AutomationBody::from(built_in) })));
    }
    let row = projections::automations::find(session.pool(), id).await?;
    let row = row.ok_or_else(|| ApiError::not_found("Automation", id))?;
    Ok(etag::tagged(row.version, Json(Wrapped { value: AutomationBody::from(row) })))
}
