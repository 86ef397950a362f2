use aggregates::application::{Application, ApplicationCommand};
use axum::http::StatusCode;
use axum::response::Response;
use projections::applications::ApplicationRow;

use super::body::{ApplicationBody, ApplicationRequest};
use super::{TAG, check_responders, location, refused, show};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::Json;
use crate::http::session::{Operates, Session};

/// Makes an application.
#[utoipa::path(
    post, path = "/api/applications", tag = TAG, operation_id = "createApplication", security(("token" = [])),
    request_body = ApplicationRequest,
    responses(
        (status = 201, body = ApplicationBody),
        (status = 400, description = "Fields break rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an operator's token", body = ErrorBody),
        (status = 409, description = "Another application has this name", body = ErrorBody),
        (status = 415, description = "Not application/json", body = ErrorBody),
    )
)]
pub async fn create(session: Session<Operates>, Json(request): Json<ApplicationRequest>) -> Result<Response, ApiError> {
    check_responders(&session, &request.responders).await?;
    let definition = request.definition(&*session.app.clock, None)?;
    let id = session.app.clock.id();
    let created = session
        .journal()
        .create::<Application>(id, ApplicationCommand::Create(definition), session.creating(location(id)))
        .await
        .map_err(|error| refused(error, false))?;
    // What was appended is what a read would find.
    let row = (created.aggregate.definition.as_ref().zip(created.appended.as_ref()))
        .map(|(definition, appended)| ApplicationRow::new(id, definition, &session.token.name, appended.recorded_at));
    session.app.known_applications.learn(&id, created);
    Ok(show(row.ok_or_else(|| ApiError::not_found("Application", id))?, StatusCode::CREATED))
}
