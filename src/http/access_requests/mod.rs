//! Access requests (contracts §1.9, rulings 26).

mod activity;
pub mod approve;
pub mod assign;
pub mod body;
pub mod cancel;
pub mod comment;
pub mod create;
pub mod fail;
pub mod get;
pub mod list;
pub mod provision;
pub mod reject;
pub mod reset;
pub mod verify;

use aggregates::Refusal;
use aggregates::access_request::{AccessRequest, AccessRequestCommand};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::error::ApiError;
use super::etag;
use super::session::{Access, Operates, Session};
use crate::journal::CommandError;
use crate::people::{following, settle};

/// The tag of the operations.
pub const TAG: &str = "Access requests";

fn location(id: Uuid) -> String {
    format!("/api/access-requests/{id}")
}

/// Carries out a command on a request; its personnel event follows; shows it as it is then.
async fn change(session: &Session<Operates>, id: Uuid, command: AccessRequestCommand) -> Result<Response, ApiError> {
    let context = session.context(location(id));
    let executed = session.journal().execute::<AccessRequest>(id, command, None, context.clone()).await;
    let executed = executed.map_err(|error| match error {
        CommandError::Refused(Refusal::NotFound(_)) => ApiError::not_found("Access request", id),
        other => other.into(),
    })?;
    let event = executed.aggregate.request.and_then(|request| request.personnel_event_id);
    if let Some(event) = event
        && let Err(error) = settle::settle(&session.app, event, &following(&context)).await
    {
        // The change is made; a worker lets the event follow.
        tracing::warn!(%error, %event, "the event follows later");
    }
    session.app.people_bell.notify_one();
    show(session, id, StatusCode::OK).await
}

/// The answer that shows a request.
async fn show<A: Access>(session: &Session<A>, id: Uuid, status: StatusCode) -> Result<Response, ApiError> {
    let (version, detail) = body::detail(session, id).await?;
    let mut response = etag::tagged(version, (status, axum::Json(detail)).into_response());
    if status == StatusCode::CREATED
        && let Ok(place) = HeaderValue::from_str(&location(id))
    {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}
