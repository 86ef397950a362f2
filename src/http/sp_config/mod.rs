//! SailPoint's `sp-config`: configuration objects exported and imported by jobs (contracts §2, rulings 40-46).

mod body;
pub mod config_objects;
pub mod export;
pub mod export_download;
pub mod export_status;
pub mod import;
pub mod import_download;
pub mod import_status;

pub use body::JobBody;

use aggregates::config_job::{Artifact, Status};
use axum::Router;
use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::stream;
use projections::config_jobs::{ConfigJobRow, find};
use uuid::Uuid;

use super::error::ApiError;
use super::session::{Access, Session};
use crate::app::SharedApp;
use crate::configuration::ConfigurationError;
use crate::imports::Fault;
use crate::imports::evidence::BlobParts;

pub(super) const TAG: &str = "Configuration";

/// Where else the same operations are (contracts §2.1): as clients of each version of SailPoint's API ask for them.
const ALIASES: [&str; 5] =
    ["/beta/sp-config", "/v2024/sp-config", "/v2025/sp-config", "/v2026/sp-config", "/sp-config/v1"];

/// The operations under their other paths.
pub(super) fn aliases() -> Router<SharedApp> {
    let operations = Router::new()
        .route("/export", post(export::start))
        .route("/export/{id}", get(export_status::status))
        .route("/export/{id}/download", get(export_download::download))
        .route("/import", post(import::start))
        .route("/import/{id}", get(import_status::status))
        .route("/import/{id}/download", get(import_download::download))
        .route("/config-objects", get(config_objects::list));
    ALIASES.into_iter().fold(Router::new(), |all, base| all.nest(base, operations.clone()))
}

impl From<ConfigurationError> for ApiError {
    fn from(error: ConfigurationError) -> Self {
        match error {
            ConfigurationError::Command(error) => error.into(),
            ConfigurationError::Database(error) | ConfigurationError::File(Fault::Database(error)) => error.into(),
            other => Self::internal(&other),
        }
    }
}

/// The path of a job's status.
fn location(kind: &str, id: Uuid) -> String {
    format!("/sp-config/{kind}/{id}")
}

/// A job of this kind (`EXPORT`, `IMPORT`); one of the other kind isn't found (rulings 45).
async fn job<A: Access>(session: &Session<A>, kind: &str, id: Uuid) -> Result<ConfigJobRow, ApiError> {
    let found = find(session.pool(), id).await?;
    match found {
        Some(row) if row.kind == kind => Ok(row),
        Some(row) => {
            let message = format!("The job {id} is no {}; it is an {}", kind.to_lowercase(), row.kind.to_lowercase());
            Err(ApiError { message, ..ApiError::not_found("Job", id) })
        }
        None => Err(ApiError::not_found("Job", id)),
    }
}

/// The file that a job made.
async fn download<A: Access>(session: &Session<A>, kind: &str, id: Uuid) -> Result<Response, ApiError> {
    let row = job(session, kind, id).await?;
    let file = available(&row, session).map_err(|message| ApiError { message, ..ApiError::not_found("Job", id) })?;
    let parts = BlobParts::new(session.pool().clone(), &file.sha256, file.size);
    let body = stream::try_unfold(parts, |mut parts| async move {
        Ok::<_, sqlx::Error>(parts.next().await?.map(|part| (part, parts)))
    });
    let head = [(header::CONTENT_TYPE, "application/json".to_owned()), (header::CONTENT_LENGTH, file.size.to_string())];
    Ok((head, Body::from_stream(body)).into_response())
}

fn available<A: Access>(row: &ConfigJobRow, session: &Session<A>) -> Result<Artifact, String> {
    let id = row.id;
    if row.expires_at <= session.now {
        return Err(format!("The files of job {id} expired at {}", row.expires_at));
    }
    match &row.result {
        Some(file) => Ok(file.0.clone()),
        None if row.status == Status::Cancelled.as_str() => Err(format!("The job {id} was cancelled: it made no file")),
        None if row.is_final() => {
            Err(format!("The job {id} made no file: {}", row.reason.as_deref().unwrap_or_default()))
        }
        None => Err(format!("The job {id} is {}; its file can be downloaded when it is COMPLETE", row.status)),
    }
}
