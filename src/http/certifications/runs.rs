use axum::Json;

use super::{TAG, found};
use crate::http::automation_runs::body::{RunBody, body};
use crate::http::error::ApiError;
use crate::http::extract::Id;
use crate::http::session::{Audits, Session};
use crate::http::veza::{Values, VezaErrorBody};

/// The runs of a certification, the oldest first, with what each automation did: by its automations when it was made, and by
/// `results:decide`.
#[utoipa::path(
    get, path = "/api/preview/awf/certifications/{id}/automation_runs", tag = TAG, operation_id = "listAutomationRuns",
    security(("token" = [])),
    params(("id" = String, Path, description = "The certification: a GUID")),
    responses(
        (status = 200, body = Values<RunBody>),
        (status = 400, description = "Not a GUID", body = VezaErrorBody),
        (status = 401, description = "No valid token", body = VezaErrorBody),
        (status = 403, description = "Not an auditor's token", body = VezaErrorBody),
        (status = 404, description = "No such certification", body = VezaErrorBody),
    )
)]
pub async fn list(session: Session<Audits>, Id(id): Id) -> Result<Json<Values<RunBody>>, ApiError> {
    found(&session, id).await?;
    let mut values = Vec::new();
    for row in projections::automation_runs::of_certification(session.pool(), id).await? {
        values.push(body(&session, row).await?);
    }
    Ok(Json(Values { values }))
}
