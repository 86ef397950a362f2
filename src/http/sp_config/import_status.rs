use super::body::JobBody;
use super::{TAG, job};
use crate::http::error::ApiError;
use crate::http::extract::Id;
use crate::http::sailpoint::SailPointErrorBody;
use crate::http::session::{ManagesConfiguration, Session};

/// Where an import is.
#[utoipa::path(
    get, path = "/sp-config/import/{id}", tag = TAG, operation_id = "getSpConfigImportStatus", security(("token" = [])),
    params(("id" = String, Path, description = "The job")),
    responses(
        (status = 200, body = JobBody),
        (status = 401, description = "No valid token"),
        (status = 403, description = "Needs sp:config:manage", body = SailPointErrorBody),
        (status = 404, description = "No such import", body = SailPointErrorBody),
    )
)]
pub async fn status(session: Session<ManagesConfiguration>, Id(id): Id) -> Result<axum::Json<JobBody>, ApiError> {
    Ok(axum::Json(job(&session, "IMPORT", id).await?.into()))
}
