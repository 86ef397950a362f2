//! Personnel events (contracts §1.8, rulings 23 and 24).

mod activity;
pub mod approve;
pub mod assign;
pub mod body;
pub mod cancel;
pub mod comment;
pub mod complete;
pub mod get;
pub mod leave_of_absence;
pub mod list;
pub mod offboard;
pub mod onboard;
pub mod reject;
pub mod request;
pub mod reschedule;
pub mod reset;
pub mod role_transition;

use aggregates::Refusal;
use aggregates::personnel_event::{PersonnelEvent, PersonnelEventCommand, Stage};
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::error::ApiError;
use super::etag;
use super::session::{Access, Operates, Session};
use crate::app::SharedApp;
use crate::journal::{AppendError, CommandError};

/// The tag of the operations.
pub const TAG: &str = "Personnel events";

fn location(id: Uuid) -> String {
    format!("/api/personnel-events/{id}")
}

/// Carries out a command on an event; shows it as it is then.
async fn change(session: &Session<Operates>, id: Uuid, command: PersonnelEventCommand) -> Result<Response, ApiError> {
    let context = session.context(location(id));
    session
        .journal()
        .execute::<PersonnelEvent>(id, command, None, context)
        .await
        .map_err(|error| refused(error, id))?;
    session.app.people_bell.notify_one();
    show(session, id, StatusCode::OK).await
}

fn refused(error: CommandError, id: Uuid) -> ApiError {
    match error {
        CommandError::Refused(Refusal::NotFound(message)) if !message.contains("stage") => {
            drop(message);
            ApiError::not_found("Personnel event", id)
        }
        other => other.into(),
    }
}

/// An event that stands against another names it.
async fn clashing<A: Access>(session: &Session<A>, error: CommandError) -> ApiError {
    let CommandError::Append(AppendError::ClaimTaken { holder, .. }) = &error else { return error.into() };
    let Ok(id) = Uuid::parse_str(&holder.1) else { return error.into() };
    match projections::personnel_events::find(session.pool(), id).await {
        Ok(Some(row)) => ApiError::conflict(format!(
            "Personnel event {} ({}, {}) about this person stands against it: {}",
            row.number, row.r#type, row.status, row.id
        )),
        _ => error.into(),
    }
}

/// The answer that shows an event.
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

/// An event and one of its stages, from the path.
pub struct StagePath {
    id: Uuid,
    stage: Stage,
}

impl FromRequestParts<SharedApp> for StagePath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, ApiError> {
        let Path((id, stage)) = Path::<(String, String)>::from_request_parts(parts, app)
            .await
            .map_err(|error| ApiError::field("id", error.body_text()))?;
        let id = super::extract::id("id", &id)?;
        let Some(stage) = Stage::ALL.into_iter().find(|known| known.slug() == stage.to_lowercase()) else {
            let known: Vec<String> = Stage::ALL.into_iter().map(Stage::slug).collect();
            let message = format!("There is no stage {stage:?}; stages are {}", known.join(", "));
            return Err(ApiError::new(StatusCode::NOT_FOUND, "not_found", message));
        };
        Ok(Self { id, stage })
    }
}
