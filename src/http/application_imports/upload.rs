use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use aggregates::Violation;
use aggregates::application_import::{ApplicationImport, ApplicationImportCommand, ImportFile, ImportType};
use axum::extract::{FromRequest, Multipart, Request};
use axum::response::Response;
use projections::applications::ApplicationRow;
use tokio::runtime::Handle;
use uuid::Uuid;

use super::body::ImportDetail;
use super::{TAG, created, held, importable, location};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Query, content_type, replay};
use crate::http::session::{Operates, Session};
use crate::imports::evidence::Spool;

/// A client that sends nothing for so long is gone.
const SILENCE: Duration = Duration::from_secs(30);
/// More parts than any connector has file groups.
const PARTS: usize = 60;

/// A file part: its name, its file's name, its bytes.
struct Part {
    name: String,
    file: String,
    spool: Spool,
}

/// What an upload holds.
#[derive(Default)]
struct Uploaded {
    application_id: Option<String>,
    accept_removals_of: Option<String>,
    parts: Vec<Part>,
}

/// Stages an import of the files sent: one part a file group, named by the group's GUID.
#[utoipa::path(
    post, path = "/api/application-imports/upload", tag = TAG, operation_id = "uploadApplicationImport", security(("token" = [])),
    params(
        ("applicationId" = Option<String>, Query, description = "Here or as a form field"),
        ("acceptRemovalsOf" = Option<String>, Query, description = "An import held back by the removal limit; here or as a form field"),
        ("preview" = Option<bool>, Query, description = "true: plan and apply nothing"),
    ),
    request_body(
        content_type = "multipart/form-data",
        content = BTreeMap<String, String>,
        description = "applicationId, acceptRemovalsOf, and a file part for each file group, named by its GUID"
    ),
    responses(
        (status = 201, body = ImportDetail),
        (status = 400, description = "Fields or parts break rules, or the body was cut", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an operator's token", body = ErrorBody),
        (status = 413, description = "Larger than the upload limit", body = ErrorBody),
        (status = 415, description = "Not multipart/form-data", body = ErrorBody),
    )
)]
pub async fn upload(session: Session<Operates>, query: Query, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let kind = content_type(&parts);
    if kind != "multipart/form-data" {
        return Err(ApiError::unsupported_media_type(&kind, "multipart/form-data"));
    }
    let preview = query.boolean("preview")?.unwrap_or(false);
    let head = parts.clone();
    let request = Request::from_parts(parts, body);
    let multipart = Multipart::from_request(request, &session.app)
        .await
        .map_err(|error| ApiError::field("", format!("The body is no multipart/form-data: {}", error.body_text())))?;
    let uploaded = receive(&session, multipart).await?;
    let named = either("applicationId", &query, uploaded.application_id.as_deref())?;
    let accepted = either("acceptRemovalsOf", &query, uploaded.accept_removals_of.as_deref())?;
    if let Some(key) = session.request.idempotency_key.clone() {
        let files: BTreeMap<&str, String> =
            uploaded.parts.iter().map(|part| (part.name.as_str(), part.spool.blob().sha256)).collect();
        let canonical = format!("{named:?} {accepted:?} {files:?}");
        replay(&head, &session.app, &key, canonical.as_bytes()).await?;
    }
    let application = importable(&session, named.as_deref()).await?;
    check(&application, &uploaded.parts)?;
    let accept_removals_of = held(&session, application.id, accepted.as_deref()).await?;
    let files = keep(&session, &application, uploaded.parts).await?;
    let id = session.app.clock.id();
    let command = ApplicationImportCommand::Stage {
        application_id: application.id,
        import_type: ImportType::Api,
        files,
        accept_removals_of,
        preview,
    };
    session.journal().create::<ApplicationImport>(id, command, session.creating(location(id))).await?;
    session.app.imports_bell.notify_one();
    created(&session, id).await
}

/// A text that is sent as query parameter, as form field, or as both when they agree.
fn either(name: &str, query: &Query, field: Option<&str>) -> Result<Option<String>, ApiError> {
    match (query.text(name), field) {
        (Some(query), Some(field)) if query != field => {
            Err(ApiError::field(name, "The query parameter and the form field differ"))
        }
        (query, field) => Ok(query.or(field).map(str::to_owned)),
    }
}

/// Spools the parts while their hashes are found.
async fn receive(session: &Session<Operates>, mut multipart: Multipart) -> Result<Uploaded, ApiError> {
    let cut = |error: axum::extract::multipart::MultipartError| {
        ApiError::field("", format!("The upload was cut or is malformed: {}", error.body_text()))
    };
    let silent = |_| ApiError::field("", "The upload sent nothing for 30 seconds");
    let limit = session.app.config.upload_limit;
    let mut uploaded = Uploaded::default();
    let mut size = 0_u64;
    while let Some(mut field) =
        tokio::time::timeout(SILENCE, multipart.next_field()).await.map_err(silent)?.map_err(cut)?
    {
        let name = field.name().unwrap_or_default().to_owned();
        let file = field.file_name().map(str::to_owned);
        if uploaded.parts.len() >= PARTS {
            return Err(ApiError::field("", format!("More than {PARTS} parts")));
        }
        let mut text = Vec::new();
        let is_text = name == "applicationId" || name == "acceptRemovalsOf";
        let mut spool = Spool::new(&session.app.config.spool_dir).map_err(|error| ApiError::internal(&error))?;
        while let Some(chunk) = tokio::time::timeout(SILENCE, field.chunk()).await.map_err(silent)?.map_err(cut)? {
            size += chunk.len() as u64;
            if size > limit {
                return Err(ApiError::too_large(format!("The upload is larger than {limit} bytes")));
            }
            if is_text {
                text.extend_from_slice(&chunk[..chunk.len().min(256)]);
            } else {
                // Into the page cache: short enough not to need another thread.
                spool.write_all(&chunk).map_err(|error| ApiError::internal(&error))?;
            }
        }
        if is_text {
            let text = Some(String::from_utf8_lossy(&text).into_owned());
            if name == "applicationId" { uploaded.application_id = text } else { uploaded.accept_removals_of = text }
        } else {
            let file = file.unwrap_or_else(|| name.clone());
            uploaded.parts.push(Part { name, file, spool });
        }
    }
    Ok(uploaded)
}

/// Every part is a group of the connector, once and not empty; every required group is there.
fn check(application: &ApplicationRow, parts: &[Part]) -> Result<(), ApiError> {
    let groups = &application.connector.0.file_groups;
    let known: Vec<String> = groups.iter().map(|group| format!("{} ({})", group.id, group.name)).collect();
    let known = known.join(", ");
    let mut violations = Vec::new();
    let mut seen: Vec<Uuid> = Vec::new();
    for part in parts {
        let problem = match Uuid::try_parse(&part.name) {
            Err(_) => Some(format!(
                "The part name {:?} is not a GUID; file parts are named by file group: {known}",
                part.name
            )),
            Ok(id) if !groups.iter().any(|group| group.id == id) => {
                Some(format!("The connector has no file group {id}; it has {known}"))
            }
            Ok(id) if seen.contains(&id) => Some(format!("The file group {id} was sent twice")),
            Ok(_) if part.spool.size() == 0 => Some(format!("The file {:?} is empty", part.file)),
            Ok(_) if part.file.contains('\0') => Some("The file name contains a NUL character".to_owned()),
            Ok(id) => {
                seen.push(id);
                None
            }
        };
        violations.extend(problem.map(|message| Violation::new(part.name.replace('\0', ""), message)));
    }
    for group in groups.iter().filter(|group| group.is_required && !seen.contains(&group.id)) {
        let id = group.id.to_string();
        if !violations.iter().any(|violation| violation.field == id) {
            violations.push(Violation::new(id, format!("The required file group {:?} is missing", group.name)));
        }
    }
    if violations.is_empty() && parts.is_empty() {
        violations.push(Violation::new("", format!("No file was sent; file parts are named by file group: {known}")));
    }
    if violations.is_empty() { Ok(()) } else { Err(ApiError::validation(violations)) }
}

async fn keep(
    session: &Session<Operates>,
    application: &ApplicationRow,
    parts: Vec<Part>,
) -> Result<Vec<ImportFile>, ApiError> {
    let mut files = Vec::with_capacity(parts.len());
    for part in parts {
        let id = Uuid::try_parse(&part.name).unwrap_or_default();
        let Some(group) = application.connector.0.file_groups.iter().find(|group| group.id == id) else { continue };
        let (pool, handle) = (session.pool().clone(), Handle::current());
        let kept = tokio::task::spawn_blocking(move || part.spool.keep(&pool, &handle)).await;
        let blob = kept.map_err(|error| ApiError::internal(&error))?.map_err(|fault| match fault {
            crate::imports::Fault::Database(error) => error.into(),
            other => ApiError::internal(&other),
        })?;
        files.push(ImportFile {
            id: session.app.clock.id(),
            file_group_id: group.id,
            file_group: group.name.clone(),
            name: part.file,
            sha256: blob.sha256,
            size: blob.size,
        });
    }
    Ok(files)
}
