use aggregates::application::{Application, Dialect};
use aggregates::application_import::ApplicationImport;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use tokio::runtime::Handle;
use uuid::Uuid;

use super::{TAG, find};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Id, Query};
use crate::http::session::{Reads, Session};
use crate::imports::Fault;
use crate::imports::encoding::{self, Text};
use crate::imports::evidence::BlobReader;
use crate::imports::reader::Rows;

/// The rows of a file that were left out, as UTF-8 CSV in the file's dialect and with its header: mend them and deliver them again.
///
/// They are read from the evidence again. Text that a spreadsheet would run gets an apostrophe in front (rulings 10).
#[utoipa::path(
    get, path = "/api/application-imports/{id}/rejects", tag = TAG, operation_id = "downloadRejects", security(("token" = [])),
    params(
        ("id" = String, Path, description = "GUID"),
        ("fileGroupId" = Option<String>, Query, description = "Needed when the import read several files"),
    ),
    responses(
        (status = 200, content_type = "text/csv", body = String),
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
    let blob = BlobReader::new(session.pool().clone(), Handle::current(), &file.sha256);
    let second = BlobReader::new(session.pool().clone(), Handle::current(), &file.sha256);
    let dialect = dialect(&session, id, file.file_group_id).await?;
    let read = tokio::task::spawn_blocking(move || {
        let encoding = encoding::of(dialect.encoding, second)?;
        rows(Text::new(blob, encoding), &file.name, &dialect, &rejected)
    });
    let read = read.await;
    let bytes = match read {
        Ok(Ok(bytes)) => bytes,
        // A file that is no table has no rows to give back.
        Ok(Err(Fault::File(_))) => Vec::new(),
        Ok(Err(fault)) => return Err(ApiError::internal(&fault)),
        Err(error) => return Err(ApiError::internal(&error)),
    };
    let mut response = bytes.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    if let Ok(disposition) = HeaderValue::from_str(&disposition(id)) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}

/// The dialect by which an import read a file.
async fn dialect(session: &Session<Reads>, import: Uuid, group: Uuid) -> Result<Dialect, ApiError> {
    let import = session.journal().load::<ApplicationImport>(import).await?.aggregate;
    let (id, version) = (import.application_id.unwrap_or_default(), import.application_version.unwrap_or(i64::MAX));
    let application = session.journal().load_until::<Application>(id, version).await?.aggregate;
    let groups = application.definition.into_iter().flat_map(|definition| definition.connector.file_groups);
    Ok(groups.into_iter().find(|known| known.id == group).map(|group| group.dialect).unwrap_or_default())
}

fn disposition(id: Uuid) -> String {
    format!("attachment; filename=\"rejects-{id}.csv\"")
}

fn rows(text: Text<BlobReader>, name: &str, dialect: &Dialect, rejected: &[i64]) -> Result<Vec<u8>, Fault> {
    let mut rows = Rows::open(text, name, dialect)?;
    let mut out = csv::WriterBuilder::new();
    out.flexible(true).delimiter(dialect.delimiter() as u8).quote(dialect.quote() as u8);
    let mut out = out.from_writer(Vec::new());
    let failed = |error: csv::Error| Fault::Io(std::io::Error::other(error));
    out.write_record(rows.header.iter().map(|value| harmless(value))).map_err(failed)?;
    let mut wanted = rejected.iter().peekable();
    while wanted.peek().is_some() {
        let row = i64::from(rows.row + 1);
        let Some(values) = rows.read()? else { break };
        if wanted.next_if(|wanted| **wanted == row).is_some() {
            out.write_record(values.into_iter().map(harmless)).map_err(failed)?;
        }
    }
    out.into_inner().map_err(|error| Fault::Io(std::io::Error::other(error.to_string())))
}

/// A spreadsheet runs what begins with these.
fn harmless(value: &str) -> String {
    if value.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{value}") } else { value.to_owned() }
}
