use aggregates::application::ApplicationCommand;
use axum::http::StatusCode;
use axum::response::Response;

use super::body::ApplicationBody;
use super::{TAG, change, show};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Id, NoBody};
use crate::http::session::{Operates, Session};

/// Takes an application out of use; its history stays.
#[utoipa::path(
    post, path = "/api/applications/{id}/archive", tag = TAG, operation_id = "archiveApplication", security(("token" = [])),
    params(("id" = String, Path, description = "GUID")),
    responses(
        (status = 200, body = ApplicationBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an operator's token", body = ErrorBody),
        (status = 404, description = "No such application", body = ErrorBody),
        (status = 409, description = "Archived already", body = ErrorBody),
    )
)]
pub async fn archive(session: Session<Operates>, Id(id): Id, NoBody: NoBody) -> Result<Response, ApiError> {
    let row = change(&session, id, None, |_| Ok(ApplicationCommand::Archive)).await?;
    Ok(show(row, StatusCode::OK))
}
