//! `application_imports`: imports and what they have applied so far.

mod changes;
mod queries;

use std::collections::BTreeMap;

use aggregates::application_import::{ApplicationImportEvent, Status};
use aggregates::{DomainEvent, Recorded};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

pub use queries::{AppliedCounts, ImportRow, applied, changes, claimable, find, list, pending_of};

use crate::versions::json;
use crate::{Applied, Apply, Projection, versions};

pub(crate) const PROJECTION: Projection = Projection {
    name: "application_imports",
    version: 4,
    aggregate_types: &[
        aggregates::application_import::TYPE,
        aggregates::account::TYPE,
        aggregates::entitlement::TYPE,
        aggregates::identity::TYPE,
    ],
    tables: include_str!("tables.sql"),
    apply: Apply::Alone(apply),
};

/// A whole row: an import's stream is short and its batches are few, so rows are read, folded and written back whole.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
struct Row {
    id: Uuid,
    number: i64,
    application_id: Uuid,
    r#type: String,
    status: String,
    staged_at: DateTime<Utc>,
    created_by: String,
    actor: Value,
    from_schedule: bool,
    is_preview: bool,
    build_start_at: Option<DateTime<Utc>>,
    build_end_at: Option<DateTime<Utc>>,
    ended_position: Option<i64>,
    worker: Option<String>,
    files: Value,
    planned: Option<Value>,
    metrics: Option<Value>,
    log: Option<String>,
    version: i64,
}

fn apply<'a>(connection: &'a mut PgConnection, batch: &'a [Recorded]) -> Applied<'a> {
    Box::pin(async move {
        changes::count(connection, batch).await?;
        let ids: Vec<Uuid> = batch
            .iter()
            .filter(|event| matches!(*event.event, DomainEvent::ApplicationImport(_)))
            .map(Recorded::id)
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        let stored: Vec<Row> = sqlx::query_as("SELECT * FROM application_imports WHERE id = ANY($1)")
            .bind(&ids)
            .fetch_all(&mut *connection)
            .await?;
        let mut rows: BTreeMap<Uuid, Row> = stored.into_iter().map(|row| (row.id, row)).collect();
        let mut number: i64 = sqlx::query_scalar("SELECT coalesce(max(number), 0) FROM application_imports")
            .fetch_one(&mut *connection)
            .await?;
        for event in batch {
            let DomainEvent::ApplicationImport(import) = &*event.event else {
                continue;
            };
            if let ApplicationImportEvent::ImportStaged { application_id, import_type, files, preview, .. } = import {
                number += 1;
                let row = Row {
                    id: event.id(),
                    number,
                    application_id: *application_id,
                    r#type: import_type.as_str().to_owned(),
                    status: Status::Pending.as_str().to_owned(),
                    staged_at: event.recorded_at,
                    created_by: event.actor.name.clone(),
                    actor: json(&*event.actor)?,
                    from_schedule: files.is_empty(),
                    is_preview: *preview,
                    build_start_at: None,
                    build_end_at: None,
                    ended_position: None,
                    worker: None,
                    files: json(files)?,
                    planned: None,
                    metrics: None,
                    log: None,
                    version: event.sequence,
                };
                rows.insert(row.id, row);
            } else if let Some(row) = rows.get_mut(&event.id()) {
                fold(row, event, import)?;
            }
        }
        sqlx::query("DELETE FROM application_imports WHERE id = ANY($1)").bind(&ids).execute(&mut *connection).await?;
        let rows: Vec<Row> = rows.into_values().collect();
        versions::insert(connection, "application_imports", &rows).await
    })
}

fn fold(row: &mut Row, event: &Recorded, import: &ApplicationImportEvent) -> sqlx::Result<()> {
    let mut end = |status: Status, log: Option<String>| {
        status.as_str().clone_into(&mut row.status);
        row.build_end_at = Some(event.recorded_at);
        row.ended_position = Some(event.position);
        row.log = log;
    };
    match import {
        ApplicationImportEvent::ImportStaged { .. }
        | ApplicationImportEvent::ImportSkipped { .. }
        | ApplicationImportEvent::ImportRemovalsHeld { .. } => {}
        ApplicationImportEvent::ImportClaimed { worker, .. } => {
            if row.status == Status::Pending.as_str() {
                Status::Running.as_str().clone_into(&mut row.status);
                row.build_start_at = Some(event.recorded_at);
            }
            row.worker = Some(worker.clone());
        }
        ApplicationImportEvent::ImportFilesKept { files } => row.files = json(files)?,
        ApplicationImportEvent::ImportPlanned { metrics } => row.planned = Some(json(metrics)?),
        ApplicationImportEvent::ImportCancelRequested {} => Status::Canceling.as_str().clone_into(&mut row.status),
        ApplicationImportEvent::ImportCanceled { log } => end(Status::Canceled, Some(log.clone())),
        ApplicationImportEvent::ImportFailed { log } => end(Status::Failed, Some(log.clone())),
        ApplicationImportEvent::ImportFinished { metrics, log } => {
            end(Status::Finished, log.clone());
            row.metrics = Some(json(metrics)?);
        }
    }
    row.version = event.sequence;
    Ok(())
}
