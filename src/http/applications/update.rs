use aggregates::application::ApplicationCommand;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::body::{ApplicationBody, ApplicationRequest};
use super::{TAG, change, check_responders, show};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::etag::if_match;
use crate::http::extract::{Id, Json};
use crate::http::session::{Operates, Session};

/// Replaces an application's definition.
#[utoipa::path(
    put, path = "/api/applications/{id}", tag = TAG, operation_id = "updateApplication", security(("token" = [])),
    params(
        ("id" = String, Path, description = "GUID"),
        ("If-Match" = Option<String>, Header, description = "The ETag that it must still have"),
    ),
    request_body = ApplicationRequest,
    responses(
        (status = 200, body = ApplicationBody, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "Fields break rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an operator's token", body = ErrorBody),
        (status = 404, description = "No such application", body = ErrorBody),
        (status = 409, description = "Archived, or another application has this name", body = ErrorBody),
        (status = 412, description = "If-Match doesn't match", body = ErrorBody),
        (status = 415, description = "Not application/json", body = ErrorBody),
    )
)]
pub async fn update(
    session: Session<Operates>,
    Id(id): Id,
    headers: HeaderMap,
    Json(request): Json<ApplicationRequest>,
) -> Result<Response, ApiError> {
    let demanded = if_match(&headers)?;
    check_responders(&session, &request.responders).await?;
    let clock = &*session.app.clock;
    let row = change(&session, id, demanded, |known| {
        Ok(ApplicationCommand::Update(request.clone().definition(clock, Some(&known.connector))?))
    })
    .await?;
    Ok(show(row, StatusCode::OK))
}
