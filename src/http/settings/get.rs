use aggregates::settings::{self, Settings};
use axum::Json;
use axum::response::Response;

use super::TAG;
use super::body::SettingsBody;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::etag;
use crate::http::session::{Reads, Session};

/// The system settings.
#[utoipa::path(
    get, path = "/api/settings", tag = TAG, operation_id = "getSettings", security(("token" = [])),
    responses(
        (status = 200, body = SettingsBody, headers(("ETag" = String, description = "Their version"))),
        (status = 401, description = "No valid token", body = ErrorBody),
    )
)]
pub async fn get(session: Session<Reads>) -> Result<Response, ApiError> {
    let loaded = session.journal().load::<Settings>(settings::ID).await?;
    Ok(etag::tagged(loaded.version, Json(SettingsBody::from(loaded.aggregate))))
}
