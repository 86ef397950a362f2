//! Exports: the objects that were asked for, as they are now, in one file.

use std::collections::BTreeMap;

use aggregates::config_job::{ConfigJob, ConfigJobCommand, Selection};
use aggregates::config_object::Reference;
use chrono::{DateTime, SecondsFormat, Utc};
use projections::config_jobs::ConfigJobRow;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::entries::{Entry, all};
use super::{ConfigurationError, TENANT, file};
use crate::app::SharedApp;
use crate::imports::Fault;
use crate::journal::Context;

/// The file (contracts §2.2, `SpConfigExportResults`).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File<'f> {
    version: u8,
    timestamp: String,
    tenant: &'f str,
    description: Option<&'f str>,
    options: Options<'f>,
    objects: Vec<BTreeMap<&'f str, &'f RawValue>>,
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
    let complete = keep_entries(app, row, selection, &all(&app.pool).await?).await?;
    app.journal.execute::<ConfigJob>(row.id, complete, Some(version), context.clone()).await?;
    Ok(())
}

/// Keeps the file of an export of these objects; gives what completes the export.
///
/// # Errors
/// What the tables or the disk said.
pub(super) async fn keep_entries(
    app: &SharedApp,
    row: &ConfigJobRow,
    selection: &Selection,
    entries: &[Entry],
) -> Result<ConfigJobCommand, ConfigurationError> {
    let entries: Vec<&Entry> = entries.iter().filter(|entry| selection.selects(&entry.reference)).collect();
    let bytes = written(&entries, row.description.as_deref(), selection, app.clock.now()).map_err(std::io::Error::from);
    let result = file::keep(app, bytes.map_err(Fault::from)?).await?;
    Ok(ConfigJobCommand::Complete { result, objects: entries.len() as u64 })
}

fn written(
    entries: &[&Entry],
    description: Option<&str>,
    selection: &Selection,
    now: DateTime<Utc>,
) -> serde_json::Result<Vec<u8>> {
    let names: Vec<Box<RawValue>> =
        entries.iter().map(|entry| to_raw_value::<Reference>(&entry.reference)).collect::<Result<_, _>>()?;
    let mut objects = Vec::with_capacity(entries.len());
    for (entry, name) in entries.iter().zip(&names) {
        let mut object: BTreeMap<&str, &RawValue> = serde_json::from_str(entry.document.as_str())?;
        object.insert("self", name);
        objects.push(object);
    }
    serde_json::to_vec(&File {
        version: 1,
        timestamp: now.to_rfc3339_opts(SecondsFormat::Micros, true),
        tenant: TENANT,
        description,
        options: Options {
            exclude_types: &selection.exclude_types,
            include_types: &selection.include_types,
            object_options: (!selection.object_options.is_empty()).then_some(&selection.object_options),
        },
        objects,
    })
}
