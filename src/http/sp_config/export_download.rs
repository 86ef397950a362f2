use axum::response::Response;

use super::TAG;
use crate::http::error::ApiError;
use crate::http::extract::Id;
use crate::http::sailpoint::SailPointErrorBody;
use crate::http::session::{ReadsConfiguration, Session};

/// The objects, in the form that an import takes.
#[utoipa::path(
    get, path = "/sp-config/export/{id}/download", tag = TAG, operation_id = "getSpConfigExport", security(("token" = [])),
    params(("id" = String, Path, description = "The job")),
    responses(
        (status = 200, description = "The file", content_type = "application/json"),
        (status = 401, description = "No valid token"),
        (status = 403, description = "Needs sp:config:read or sp:config:manage", body = SailPointErrorBody),
        (status = 404, description = "No such export, not yet complete, or expired", body = SailPointErrorBody),
    )
)]
pub async fn download(session: Session<ReadsConfiguration>, Id(id): Id) -> Result<Response, ApiError> {
    super::download(&session, "EXPORT", id).await
}
