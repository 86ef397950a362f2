use std::io::Cursor;
use std::sync::Arc;

use aggregates::application::{Application, FileGroup, Format};
use aggregates::application_import::ApplicationImport;
use aggregates::transform::Named;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use tokio::runtime::Handle;
use uuid::Uuid;

use super::{TAG, find};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Id, Query};
use crate::http::session::{Reads, Session};
use crate::imports::Fault;
use crate::imports::configured::Configured;
use crate::imports::evidence::BlobReader;
use crate::imports::reader::Rows;
use crate::imports::writer::Writer;

/// The rows of a file that were left out, in its format and dialect (as UTF-8) and with its header: mend them and deliver
/// them again.
///
/// They are read from the evidence again. In CSV, text that a spreadsheet would run gets an apostrophe in front (rulings 10).
#[utoipa::path(
    get, path = "/api/application-imports/{id}/rejects", tag = TAG, operation_id = "downloadRejects", security(("token" = [])),
    params(
        ("id" = String, Path, description = "GUID"),
        ("fileGroupId" = Option<String>, Query, description = "Needed when the import read several files"),
    ),
    responses(
        (status = 200, content_type = "text/csv", body = String, description = "Or the file's own format"),
        (status = 400, description = "fileGroupId is missing, malformed or not of this import", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 404, description = "No such import", body = ErrorBody),
    )
)]
pub async fn download(session: Session<Reads>, Id(id): Id, query: Query) -> Result<Response, ApiError> {
    let group = query.id("fileGroupId")?;
    let import = find(&session, id).await?;
    let file = match (group, import.files.0.as_slice()) {
        (None, [file]) => file.clone(),
        (Some(group), files) => match files.iter().find(|file| file.file_group_id == group) {
            Some(file) => file.clone(),
            None => return Err(ApiError::field("fileGroupId", format!("The import read no file of group {group}"))),
        },
        (None, []) => return Err(ApiError::field("fileGroupId", "The import has read no file yet")),
        (None, files) => {
            let known: Vec<String> =
                files.iter().map(|file| format!("{} ({})", file.file_group_id, file.file_group)).collect();
            return Err(ApiError::field(
                "fileGroupId",
                format!("The import read several files; name one of {}", known.join(", ")),
            ));
        }
    };
    let rejected = crate::work::issues::rejected_rows(session.pool(), id, file.file_group_id).await?;
    let bytes = BlobReader::new(session.pool().clone(), Handle::current(), &file.sha256, file.size);
    let (group, named) = group_of(&session, id, file.file_group_id).await?;
    let format = group.format;
    let read = tokio::task::spawn_blocking(move || rows(bytes, &file.name, &group, &named, &rejected)).await;
    let bytes = match read {
        Ok(Ok(bytes)) => bytes,
        // A file that is no table has no rows to give back.
        Ok(Err(Fault::File(_))) => Vec::new(),
        Ok(Err(fault)) => return Err(ApiError::internal(&fault)),
        Err(error) => return Err(ApiError::internal(&error)),
    };
    let mut response = bytes.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(format)));
    if let Ok(disposition) =
        HeaderValue::from_str(&format!("attachment; filename=\"rejects-{id}.{}\"", format.as_str()))
    {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}

/// The file group by which an import read a file, and what its columns name, as that is now.
async fn group_of(session: &Session<Reads>, import: Uuid, group: Uuid) -> Result<(FileGroup, Named), ApiError> {
    let import = session.journal().load::<ApplicationImport>(import).await?.aggregate;
    let (id, version) = (import.application_id.unwrap_or_default(), import.application_version.unwrap_or(i64::MAX));
    let application = session.journal().load_until::<Application>(id, version).await?.aggregate;
    let unknown = || ApiError::field("fileGroupId", format!("The import knows no group {group}"));
    let mut definition = application.definition.ok_or_else(unknown)?;
    let mut configured = Configured::load(session.pool(), &definition).await?;
    configured.map(id, &mut definition);
    let found = definition.connector.file_groups.into_iter().find(|known| known.id == group).ok_or_else(unknown)?;
    Ok((found, configured.named))
}

fn rows(bytes: BlobReader, name: &str, group: &FileGroup, named: &Named, rejected: &[i64]) -> Result<Vec<u8>, Fault> {
    let mut rows = Rows::open(bytes, name, group, named, &Arc::default())?;
    let harmless = |value: &str| if group.format == Format::Csv { harmless(value) } else { value.to_owned() };
    let header: Vec<String> = rows.header.iter().map(|name| harmless(name)).collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let sheet = group.dialect.sheet.as_deref().unwrap_or("Rejects");
    let mut out = Writer::new(Cursor::new(Vec::new()), group.format, &group.dialect, sheet, &header)?;
    let mut wanted = rejected.iter().peekable();
    while wanted.peek().is_some()
        && let Some(batch) = rows.batch()?
    {
        for (row, values) in batch.rows() {
            if wanted.next_if(|wanted| **wanted == i64::from(row)).is_some() {
                out.row(&values.texts().map(harmless).collect::<Vec<_>>())?;
            }
        }
    }
    Ok(out.finish()?.into_inner())
}

const fn content_type(format: Format) -> &'static str {
    match format {
        Format::Csv => "text/csv; charset=utf-8",
        Format::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Format::Json => "application/json",
        Format::Ndjson => "application/x-ndjson",
    }
}

/// A spreadsheet runs what begins with these.
fn harmless(value: &str) -> String {
    if value.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{value}") } else { value.to_owned() }
}
