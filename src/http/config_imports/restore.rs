use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{TAG, import, location};
use crate::configuration::{RestoreError, restore as put_back};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Id, NoBody};
use crate::http::session::{ManagesConfiguration, Session};

/// What was put back.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RestoredBody {
    /// The import.
    pub job_id: Uuid,
    /// Objects that are as they were before it.
    pub restored: u64,
}

/// Puts every object that an import changed back to how it was before: by events, all of them or none. Refused with the reasons
/// where objects were changed since. Applications that it made are archived.
#[utoipa::path(
    post, path = "/api/config-imports/{id}/restore", tag = TAG, operation_id = "restoreConfigImport",
    security(("token" = [])),
    params(("id" = String, Path, description = "The job")),
    responses(
        (status = 200, body = RestoredBody),
        (status = 400, description = "Not a GUID", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Needs sp:config:manage", body = ErrorBody),
        (status = 404, description = "No such import", body = ErrorBody),
        (status = 409, description = "It goes on, is restored already, or later changes collide: each in errors", body = ErrorBody),
    )
)]
pub async fn restore(
    session: Session<ManagesConfiguration>,
    Id(id): Id,
    _: NoBody,
) -> Result<Json<RestoredBody>, ApiError> {
    import(&session, id).await?;
    match put_back(&session.app, id, &session.context(location(id))).await {
        Ok(restored) => Ok(Json(RestoredBody { job_id: id, restored })),
        Err(RestoreError::Other(error)) => Err(error.into()),
        Err(RestoreError::Collisions(fields)) => {
            let error = ApiError::conflict("Objects were changed after the import; nothing was restored");
            Err(ApiError { fields, ..error })
        }
    }
}
