use aggregates::application::{Application, ApplicationCommand};
use axum::http::StatusCode;
use axum::response::Response;

use super::body::ApplicationBody;
use super::{TAG, find, location, precondition, respond};
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
    find(&session, id).await?;
    session
        .journal()
        .execute::<Application>(id, ApplicationCommand::Archive, None, session.context(location(id)))
        .await
        .map_err(|error| precondition(error, false))?;
    respond(&session, id, StatusCode::OK).await
}
