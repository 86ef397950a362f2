use axum::Json;

use super::{TAG, import, location};
use crate::configuration::cancel as stop;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Id, NoBody};
use crate::http::session::{ManagesConfiguration, Session};
use crate::http::sp_config::JobBody;

/// Stops an import: it becomes `CANCELLED`. What it imported before that stays, and can be restored.
#[utoipa::path(
    post, path = "/api/config-imports/{id}/cancel", tag = TAG, operation_id = "cancelConfigImport",
    security(("token" = [])),
    params(("id" = String, Path, description = "The job")),
    responses(
        (status = 200, body = JobBody),
        (status = 400, description = "Not a GUID", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Needs sp:config:manage", body = ErrorBody),
        (status = 404, description = "No such import", body = ErrorBody),
        (status = 409, description = "It has ended", body = ErrorBody),
    )
)]
pub async fn cancel(session: Session<ManagesConfiguration>, Id(id): Id, _: NoBody) -> Result<Json<JobBody>, ApiError> {
    import(&session, id).await?;
    stop(&session.app, id, session.context(location(id))).await?;
    Ok(Json(import(&session, id).await?.into()))
}
