//! Applications: native endpoints in Permission Assist's dialect (contracts §1.6).

pub mod accounts;
pub mod archive;
pub mod body;
pub mod create;
pub mod entitlements;
pub mod get;
pub mod grants;
pub mod import_schedule;
pub mod list;
pub mod update;

use aggregates::application::{Application, ApplicationCommand, Definition};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use projections::applications::ApplicationRow;
use sqlx::FromRow;
use uuid::Uuid;

use super::error::ApiError;
use super::etag;
use super::party::wrong_responders;
use super::session::{Access, Operates, Session};
use crate::journal::{AppendError, CommandError, Context};

/// The tag of the operations.
pub const TAG: &str = "Applications";

pub(super) fn location(id: Uuid) -> String {
    format!("/api/applications/{id}")
}

async fn find<A: Access>(session: &Session<A>, id: Uuid) -> Result<ApplicationRow, ApiError> {
    let found = session.app.applications.find(id).await?;
    found.ok_or_else(|| ApiError::not_found("Application", id))
}

/// Carries out a command on an application; gives it as it is then. `command` sees the definition as it was.
async fn change(
    session: &Session<Operates>,
    id: Uuid,
    demanded: Option<i64>,
    command: impl Fn(&Definition) -> Result<ApplicationCommand, ApiError>,
) -> Result<ApplicationRow, ApiError> {
    let command = |application: &Application| match &application.definition {
        Some(definition) => command(definition).map_err(Unchanged::Answered),
        None => Err(Unchanged::Answered(ApiError::not_found("Application", id))),
    };
    let (journal, known) = (session.journal(), &session.app.known_applications);
    let context = Context { rereads: Some(id), ..session.context(location(id)) };
    let executing = journal.execute_known(known, id, command, demanded, context);
    let executed = executing.await.map_err(|error| match error {
        Unchanged::Answered(error) => error,
        Unchanged::Refused(error) => refused(error, demanded.is_some()),
    })?;
    match executed.appended.and_then(|appended| appended.row) {
        Some(row) => Ok(ApplicationRow::from_row(&*row)?),
        None => find(session, id).await,
    }
}

/// Responders are identities that can answer, each named once.
async fn check_responders(session: &Session<Operates>, responders: &[Uuid]) -> Result<(), ApiError> {
    if responders.is_empty() {
        return Ok(());
    }
    let judged = wrong_responders(session, responders).await?;
    let violations = aggregates::settings::responder_violations("responders", &judged);
    if violations.is_empty() { Ok(()) } else { Err(ApiError::validation(violations)) }
}

/// Why an application wasn't changed.
enum Unchanged {
    /// The request can't become a command.
    Answered(ApiError),
    /// The rules or the writer said no.
    Refused(CommandError),
}

impl From<CommandError> for Unchanged {
    fn from(error: CommandError) -> Self {
        Self::Refused(error)
    }
}

/// The answer that shows an application, with its `ETag`.
fn show(row: ApplicationRow, status: StatusCode) -> Response {
    let (version, place) = (row.version, location(row.id));
    let body = axum::Json(body::ApplicationBody::from(row));
    let mut response = etag::tagged(version, (status, body));
    if status == StatusCode::CREATED
        && let Ok(place) = HeaderValue::from_str(&place)
    {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

/// What the journal refused: another version than the one demanded, or a name that is taken.
fn refused(error: CommandError, is_demanded: bool) -> ApiError {
    match error {
        CommandError::Append(AppendError::ClaimTaken { holder, .. }) => {
            ApiError::conflict(format!("Another application has this name: {}", holder.1))
        }
        other => etag::refused(other, is_demanded),
    }
}
