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
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use projections::applications::ApplicationRow;
use uuid::Uuid;

use super::error::ApiError;
use super::session::{Access, Operates, Session};

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
///
/// What the log doesn't say about it is read while the command is appended: the answer waits for one thing less.
async fn change(
    session: &Session<Operates>,
    id: Uuid,
    demanded: Option<i64>,
    command: impl FnOnce(&Definition) -> Result<ApplicationCommand, ApiError>,
) -> Result<ApplicationRow, ApiError> {
    let loaded = session.journal().load::<Application>(id).await?;
    let Some(known) = &loaded.aggregate.definition else { return Err(ApiError::not_found("Application", id)) };
    let command = command(known)?;
    let append = async {
        let executing = session.journal().execute_on(loaded, command, demanded, session.context(location(id)));
        executing.await.map_err(|error| precondition(error, demanded.is_some()))
    };
    let (executed, mut row) = tokio::try_join!(append, find(session, id))?;
    if let (Some(appended), Some(definition)) = (executed.appended, executed.aggregate.definition)
        && row.version < executed.version
    {
        row.define(&definition);
        row.import_schedule = executed.aggregate.schedule.map(sqlx::types::Json);
        row.is_archived = executed.aggregate.is_archived;
        row.last_updated_at = appended.recorded_at;
        row.version = executed.version;
    }
    Ok(row)
}

/// The answer that shows an application, with its `ETag`.
fn show(row: ApplicationRow, status: StatusCode) -> Response {
    let etag = format!("\"{}\"", row.version);
    let place = location(row.id);
    let mut response = (status, axum::Json(body::ApplicationBody::from(row))).into_response();
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    if status == StatusCode::CREATED
        && let Ok(place) = HeaderValue::from_str(&place)
    {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

/// The version that `If-Match` demands.
fn if_match(headers: &HeaderMap) -> Result<Option<i64>, ApiError> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let version = text.trim_start_matches("W/").trim_matches('"').parse();
    version.map(Some).map_err(|_| ApiError::field("If-Match", format!("{text:?} is not an ETag that this server gave")))
}

/// A stream that isn't at the version demanded: 412 (rulings 9).
fn precondition(error: crate::journal::CommandError, is_demanded: bool) -> ApiError {
    match error {
        crate::journal::CommandError::Append(crate::journal::AppendError::Conflict { found, .. }) if is_demanded => {
            let message = format!("If-Match doesn't match: the current ETag is \"{found}\"");
            ApiError::new(StatusCode::PRECONDITION_FAILED, "precondition_failed", message)
        }
        crate::journal::CommandError::Append(crate::journal::AppendError::ClaimTaken { holder, .. }) => {
            ApiError::conflict(format!("Another application has this name: {}", holder.1))
        }
        other => other.into(),
    }
}
