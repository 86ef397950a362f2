use axum::response::Response;

use super::TAG;
use crate::http::error::ApiError;
use crate::http::extract::Id;
use crate::http::sailpoint::SailPointErrorBody;
use crate::http::session::{ManagesConfiguration, Session};

/// What the import did, object by object; of one that failed as well.
#[utoipa::path(
    get, path = "/sp-config/import/{id}/download", tag = TAG, operation_id = "getSpConfigImport", security(("token" = [])),
    params(("id" = String, Path, description = "The job")),
    responses(
        (status = 200, description = "The file", content_type = "application/json"),
        (status = 401, description = "No valid token"),
        (status = 403, description = "Needs sp:config:manage", body = SailPointErrorBody),
        (status = 404, description = "No such import, not yet complete, or expired", body = SailPointErrorBody),
    )
)]
pub async fn download(session: Session<ManagesConfiguration>, Id(id): Id) -> Result<Response, ApiError> {
    super::download(&session, "IMPORT", id).await
}
