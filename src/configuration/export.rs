//! Exports: the objects that were asked for, as they are now, in one file.

use std::collections::BTreeMap;
use std::io::Write;

use aggregates::config_job::{ConfigJob, ConfigJobCommand, Selection};
use aggregates::config_object::Reference;
use chrono::SecondsFormat;
use projections::config_jobs::ConfigJobRow;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::entries::{Entry, Snapshot};
use super::{ConfigurationError, TENANT, file};
use crate::app::SharedApp;
use crate::imports::Fault;
use crate::imports::evidence::Spool;
use crate::journal::Context;

/// Objects that are read at once.
const PAGE: usize = 200;

/// The file but for its objects (contracts §2.2, `SpConfigExportResults`).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Head<'f> {
    version: u8,
    timestamp: String,
    tenant: &'f str,
    description: Option<&'f str>,
    options: Options<'f>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the contract's names")]
struct Options<'f> {
    exclude_types: &'f [String],
    include_types: &'f [String],
    object_options: Option<&'f BTreeMap<String, aggregates::config_job::Objects>>,
}

/// Carries an export out, as long as its stream is at the version of the worker's claim.
///
/// # Errors
/// What the journal, the tables or the disk said.
pub(super) async fn export(
    app: &SharedApp,
    row: &ConfigJobRow,
    selection: &Selection,
    version: i64,
    context: &Context,
) -> Result<(), ConfigurationError> {
    let complete = keep_snapshot(app, row, selection, &mut Snapshot::take(&app.workers).await?).await?;
    app.journal.execute::<ConfigJob>(row.id, complete, Some(version), context.clone()).await?;
    Ok(())
}

/// Keeps the file of an export of what there was at a moment; gives what completes the export.
///
/// # Errors
/// What the tables or the disk said.
pub(super) async fn keep_snapshot(
    app: &SharedApp,
    row: &ConfigJobRow,
    selection: &Selection,
    snapshot: &mut Snapshot,
) -> Result<ConfigJobCommand, ConfigurationError> {
    let places = 0..snapshot.references.len();
    let selected: Vec<usize> = places.filter(|place| selection.selects(&snapshot.references[*place])).collect();
    let head = Head {
        version: 1,
        timestamp: app.clock.now().to_rfc3339_opts(SecondsFormat::Micros, true),
        tenant: TENANT,
        description: row.description.as_deref(),
        options: Options {
            exclude_types: &selection.exclude_types,
            include_types: &selection.include_types,
            object_options: (!selection.object_options.is_empty()).then_some(&selection.object_options),
        },
    };
    let mut spool = file::spool(app).map_err(Fault::from)?;
    begin(&mut spool, &head).map_err(Fault::from)?;
    let mut objects = 0;
    for page in selected.chunks(PAGE) {
        let page: Vec<Reference> = page.iter().map(|place| snapshot.references[*place].clone()).collect();
        for entry in snapshot.entries(&page).await? {
            write(&mut spool, &entry, objects == 0).map_err(Fault::from)?;
            objects += 1;
        }
    }
    spool.write_all(b"]}").map_err(Fault::from)?;
    let result = file::keep(app, spool).await?;
    Ok(ConfigJobCommand::Complete { result, objects })
}

/// A file as far as its first object.
fn begin(spool: &mut Spool, head: &Head<'_>) -> std::io::Result<()> {
    let head = serde_json::to_string(head)?;
    spool.write_all(head.strip_suffix('}').unwrap_or(&head).as_bytes())?;
    spool.write_all(b",\"objects\":[")
}

fn write(spool: &mut Spool, entry: &Entry, is_first: bool) -> std::io::Result<()> {
    let name = to_raw_value(&entry.reference)?;
    let mut object: BTreeMap<&str, &RawValue> = serde_json::from_str(entry.document.as_str())?;
    object.insert("self", &name);
    if !is_first {
        spool.write_all(b",")?;
    }
    serde_json::to_writer(spool, &object)?;
    Ok(())
}
