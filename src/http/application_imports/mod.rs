//! Imports of applications (contracts §1.7; seeds 000 and 002).

pub mod body;
pub mod cancel;
pub mod changes;
pub mod get;
pub mod issues;
pub mod list;
pub mod rejects;
pub mod stage;
pub mod upload;

use aggregates::application_import::ApplicationImport;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use projections::application_imports::ImportRow;
use projections::applications::ApplicationRow;
use uuid::Uuid;

use super::error::ApiError;
use super::session::{Access, Session};

/// The tag of the operations.
pub const TAG: &str = "Application imports";

fn location(id: Uuid) -> String {
    format!("/api/application-imports/{id}")
}

async fn find<A: Access>(session: &Session<A>, id: Uuid) -> Result<ImportRow, ApiError> {
    let found = projections::application_imports::find(session.pool(), id).await?;
    found.ok_or_else(|| ApiError::not_found("Application import", id))
}

async fn detail<A: Access>(session: &Session<A>, id: Uuid) -> Result<body::ImportDetail, ApiError> {
    let row = find(session, id).await?;
    let progress = crate::work::progress::find(session.pool(), id).await?;
    Ok(body::ImportDetail::of(row, progress))
}

/// 201 with the import that was staged just now: Pending, whatever a quick worker has made of it meanwhile.
async fn created<A: Access>(session: &Session<A>, id: Uuid) -> Result<Response, ApiError> {
    let row = body::as_staged(find(session, id).await?);
    let mut response = (StatusCode::CREATED, Json(body::ImportDetail::of(row, None))).into_response();
    if let Ok(location) = HeaderValue::from_str(&location(id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// The application that a request names; whatever is wrong with it is a field's fault (rulings 13).
async fn importable<A: Access>(session: &Session<A>, id: Option<&str>) -> Result<ApplicationRow, ApiError> {
    let field = "applicationId";
    let Some(text) = id.filter(|text| !text.trim().is_empty()) else {
        return Err(ApiError::field(field, "Application ID is required"));
    };
    let id = super::extract::id(field, text.trim())?;
    let Some(application) = projections::applications::find(session.pool(), id).await? else {
        return Err(ApiError::field(field, format!("Application with id {id} not found")));
    };
    if application.is_archived {
        return Err(ApiError::field(field, "Application is archived"));
    }
    Ok(application)
}

/// The import that `acceptRemovalsOf` names: one of the application that was held back (rulings 18).
async fn held<A: Access>(
    session: &Session<A>,
    application: Uuid,
    named: Option<&str>,
) -> Result<Option<Uuid>, ApiError> {
    let field = "acceptRemovalsOf";
    let Some(text) = named.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    let id = super::extract::id(field, text)?;
    let import = session.journal().load::<ApplicationImport>(id).await?.aggregate;
    import.check_held(application).map_err(|reason| ApiError::field(field, format!("Import {id}: {reason}")))?;
    Ok(Some(id))
}
