use std::io::Write;
use std::time::Duration;

use aggregates::config_job::ImportOptions;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::body::JobBody;
use super::{TAG, location};
use crate::app::SharedApp;
use crate::configuration::{ConfigurationError, read, start_import};
use crate::http::error::ApiError;
use crate::http::extract::{Query, content_type, replay};
use crate::http::sailpoint::SailPointErrorBody;
use crate::http::session::{ManagesConfiguration, Session};
use crate::imports::Fault;
use crate::imports::evidence::Spool;

/// A file of configuration objects may have so many bytes.
const FILE_LIMIT: usize = 64 << 20;
/// Options may have so many bytes: they are part of an event.
const OPTIONS_LIMIT: usize = 1 << 20;
/// A client that sends nothing for so long is gone.
const SILENCE: Duration = Duration::from_secs(30);
/// More parts than anybody needs.
const PARTS: usize = 10;

/// Begins an import of configuration objects: the file as part `data`, the options as part or field `options`, in either order.
#[utoipa::path(
    post, path = "/sp-config/import", tag = TAG, operation_id = "importSpConfig", security(("token" = [])),
    params(("preview" = Option<bool>, Query, description = "true: nothing is imported; the result tells what would be")),
    request_body(
        content_type = "multipart/form-data",
        content = BTreeMap<String, String>,
        description = "data: the file; options: excludeTypes, includeTypes, objectOptions, defaultReferences, excludeBackup"
    ),
    responses(
        (status = 202, body = JobBody),
        (status = 400, description = "No file, two files, no file of ours, or options that aren't right", body = SailPointErrorBody),
        (status = 401, description = "No valid token"),
        (status = 403, description = "Needs sp:config:manage", body = SailPointErrorBody),
        (status = 413, description = "Larger than 64 MiB", body = SailPointErrorBody),
    )
)]
pub async fn start(
    session: Session<ManagesConfiguration>,
    query: Query,
    request: Request,
) -> Result<Response, ApiError> {
    let preview = query.boolean("preview")?.unwrap_or(false);
    let (head, body) = request.into_parts();
    let kind = content_type(&head);
    if kind != "multipart/form-data" {
        return Err(no_files());
    }
    let request = Request::from_parts(head.clone(), body);
    let multipart = Multipart::from_request(request, &session.app)
        .await
        .map_err(|error| ApiError::field("", format!("The body is no multipart/form-data: {}", error.body_text())))?;
    let (data, options) = receive(&session.app, multipart).await?;
    if let Some(key) = session.request.idempotency_key.clone() {
        let canonical = [data.blob().sha256.as_bytes(), options.as_slice()].concat();
        replay(&head, &session.app, &key, &canonical).await?;
    }
    let options: ImportOptions = if options.iter().all(u8::is_ascii_whitespace) {
        ImportOptions::default()
    } else {
        serde_json::from_slice(&options)
            .map_err(|error| ApiError::field("options", format!("The options aren't right: {error}")))?
    };
    // Reading and ordering 64 MiB takes longer than others would wait.
    let directory = session.app.config.spool_dir.clone();
    let upload = tokio::task::spawn_blocking(move || read(data, &directory)).await;
    let upload = upload.map_err(|error| ApiError::internal(&error))?.map_err(|fault| match fault {
        Fault::File(reason) => ApiError::field("data", reason),
        other => ConfigurationError::from(other).into(),
    })?;
    let id = session.app.clock.id();
    let context = session.accepting(location("import", id));
    let started = start_import(&session.app, id, upload, options, preview, context).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(JobBody::started("IMPORT", started, None))).into_response())
}

/// The very sentence of the live service (contracts §2.3).
fn no_files() -> ApiError {
    ApiError::field("data", "No files were supplied for import.")
}

/// The file and the options, which may be empty.
async fn receive(app: &SharedApp, mut multipart: Multipart) -> Result<(Spool, Vec<u8>), ApiError> {
    let cut = |error: axum::extract::multipart::MultipartError| {
        ApiError::field("", format!("The upload was cut or is malformed: {}", error.body_text()))
    };
    let silent = |_| ApiError::field("", "The upload sent nothing for 30 seconds");
    let broken = |error: std::io::Error| ApiError::internal(&error);
    let (mut data, mut options) = (None, None);
    let (mut size, mut count) = (0, 0);
    while let Some(mut field) =
        tokio::time::timeout(SILENCE, multipart.next_field()).await.map_err(silent)?.map_err(cut)?
    {
        let name = field.name().unwrap_or_default().to_owned();
        count += 1;
        if count > PARTS {
            return Err(ApiError::field("", format!("More than {PARTS} parts")));
        }
        let twice = match name.as_str() {
            "data" if data.is_some() => Some("No files were supplied for import. data"),
            "options" if options.is_some() => Some("Two parts are options: options"),
            _ => None,
        };
        if let Some(message) = twice {
            return Err(ApiError::field(&name, format!("{message} was sent twice; one is expected")));
        }
        let mut spool = Spool::new(&app.config.spool_dir).map_err(broken)?;
        let mut text = Vec::new();
        while let Some(chunk) = tokio::time::timeout(SILENCE, field.chunk()).await.map_err(silent)?.map_err(cut)? {
            size += chunk.len();
            if size > FILE_LIMIT {
                return Err(ApiError::too_large(format!("The upload is larger than {FILE_LIMIT} bytes")));
            }
            match name.as_str() {
                // Into the page cache: short enough not to need another thread.
                "data" => spool.write_all(&chunk).map_err(broken)?,
                "options" => text.extend_from_slice(&chunk),
                _ => {}
            }
            if text.len() > OPTIONS_LIMIT {
                return Err(ApiError::too_large(format!("The options are larger than {OPTIONS_LIMIT} bytes")));
            }
        }
        match name.as_str() {
            "data" => data = Some(spool),
            "options" => options = Some(text),
            _ => {}
        }
    }
    Ok((data.filter(|data| data.size() > 0).ok_or_else(no_files)?, options.unwrap_or_default()))
}
