//! `automation_runs`: decisions about many rows at once, and how far they went.

mod queries;

use std::collections::{BTreeMap, BTreeSet};

use aggregates::automation_run::{AutomationRunEvent, Plan, Status};
use aggregates::automation_run_rows::{AutomationRunRowsEvent, Counts, Entry};
use aggregates::{Actor, DomainEvent, Recorded};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

pub use queries::{blocks, counts, find, find_whole, log, of_certification, undone, unfinished};

use crate::{Applied, Apply, Projection, versions};

pub(crate) const PROJECTION: Projection = Projection {
    name: "automation_runs",
    version: 1,
    aggregate_types: &[aggregates::automation_run::TYPE, aggregates::automation_run_rows::TYPE],
    tables: include_str!("tables.sql"),
    apply: Apply::Alone(apply),
};

/// A run.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns' comments say it")]
pub struct AutomationRunRow {
    pub id: Uuid,
    pub number: i64,
    pub certification_id: Uuid,
    pub kind: String,
    pub status: String,
    pub message: Option<String>,
    pub plan: Json<Plan>,
    pub started_at: DateTime<Utc>,
    pub started_position: i64,
    pub started_by: String,
    pub actor: Json<Actor>,
    pub ended_at: Option<DateTime<Utc>>,
    pub undone_at: Option<DateTime<Utc>>,
    pub reversed: Option<i64>,
    pub kept: Option<i64>,
    pub version: i64,
}

/// A block of a run.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns' comments say it")]
pub struct RunBlock {
    pub run_id: Uuid,
    pub block: i32,
    pub counts: Json<Vec<Counts>>,
    pub log: Json<Vec<Entry>>,
    pub is_undone: bool,
    pub reversed: i64,
    pub kept: i64,
}

fn apply<'a>(connection: &'a mut PgConnection, batch: &'a [Recorded]) -> Applied<'a> {
    Box::pin(async move {
        write_runs(&mut *connection, batch).await?;
        write_blocks(connection, batch).await
    })
}

async fn write_runs(connection: &mut PgConnection, batch: &[Recorded]) -> sqlx::Result<()> {
    let said = |event: &Recorded| matches!(*event.event, DomainEvent::AutomationRun(_));
    let ids: BTreeSet<Uuid> = batch.iter().filter(|event| said(event)).map(Recorded::id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let stored: Vec<AutomationRunRow> = sqlx::query_as("SELECT * FROM automation_runs WHERE id = ANY ($1)")
        .bind(&ids)
        .fetch_all(&mut *connection)
        .await?;
    let mut rows: BTreeMap<Uuid, AutomationRunRow> = stored.into_iter().map(|row| (row.id, row)).collect();
    let mut number: i64 =
        sqlx::query_scalar("SELECT coalesce(max(number), 0) FROM automation_runs").fetch_one(&mut *connection).await?;
    for event in batch {
        let DomainEvent::AutomationRun(said) = &*event.event else { continue };
        if let AutomationRunEvent::AutomationRunStarted { certification_id, plan } = said {
            number += 1;
            rows.insert(event.id(), started(event, number, *certification_id, plan));
        }
        if let Some(row) = rows.get_mut(&event.id()) {
            fold(row, event, said);
        }
    }
    sqlx::query("DELETE FROM automation_runs WHERE id = ANY ($1)").bind(&ids).execute(&mut *connection).await?;
    let rows: Vec<AutomationRunRow> = rows.into_values().collect();
    versions::insert(connection, "automation_runs", &rows).await
}

fn started(event: &Recorded, number: i64, certification_id: Uuid, plan: &Plan) -> AutomationRunRow {
    AutomationRunRow {
        id: event.id(),
        number,
        certification_id,
        kind: match plan {
            Plan::Automations { .. } => "automations",
            Plan::Decision { .. } => "decision",
        }
        .to_owned(),
        status: Status::Running.as_str().to_owned(),
        message: None,
        plan: Json(plan.clone()),
        started_at: event.recorded_at,
        started_position: event.position,
        started_by: event.actor.name.clone(),
        actor: Json((*event.actor).clone()),
        ended_at: None,
        undone_at: None,
        reversed: None,
        kept: None,
        version: 0,
    }
}

fn fold(row: &mut AutomationRunRow, event: &Recorded, said: &AutomationRunEvent) {
    row.version = event.sequence;
    let status = match said {
        AutomationRunEvent::AutomationRunStarted { .. } | AutomationRunEvent::AutomationRunClaimed { .. } => return,
        AutomationRunEvent::AutomationRunCompleted { .. } => {
            row.ended_at = Some(event.recorded_at);
            Status::Completed
        }
        AutomationRunEvent::AutomationRunFailed { message, .. } => {
            row.ended_at = Some(event.recorded_at);
            row.message = Some(message.clone());
            Status::Error
        }
        AutomationRunEvent::AutomationRunUndoStarted {} => Status::Undoing,
        AutomationRunEvent::AutomationRunUndone { reversed, kept } => {
            row.undone_at = Some(event.recorded_at);
            row.reversed = Some(*reversed as i64);
            row.kept = Some(*kept as i64);
            Status::Undone
        }
    };
    status.as_str().clone_into(&mut row.status);
}

async fn write_blocks(connection: &mut PgConnection, batch: &[Recorded]) -> sqlx::Result<()> {
    let (mut decided, mut decided_blocks, mut counted, mut logs) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut runs, mut numbers, mut reversed_rows, mut kept_rows) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for event in batch {
        let DomainEvent::AutomationRunRows(said) = &*event.event else { continue };
        match said {
            AutomationRunRowsEvent::AutomationRunRowsDecided { run_id, block, counts, log, .. } => {
                decided.push(*run_id);
                decided_blocks.push(*block as i32);
                counted.push(Json(counts));
                logs.push(Json(log));
            }
            AutomationRunRowsEvent::AutomationRunRowsUndone { run_id, block, reversed, kept, .. } => {
                runs.push(*run_id);
                numbers.push(*block as i32);
                reversed_rows.push(*reversed as i64);
                kept_rows.push(*kept as i64);
            }
        }
    }
    if !decided.is_empty() {
        sqlx::query(
            "INSERT INTO automation_run_rows (run_id, block, counts, log, is_undone, reversed, kept)
             SELECT run_id, block, counts, log, false, 0, 0
             FROM unnest($1::uuid[], $2::int[], $3::jsonb[], $4::jsonb[]) AS u (run_id, block, counts, log)",
        )
        .bind(decided)
        .bind(decided_blocks)
        .bind(counted)
        .bind(logs)
        .execute(&mut *connection)
        .await?;
    }
    if runs.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE automation_run_rows AS b SET is_undone = true, reversed = u.reversed, kept = u.kept
         FROM unnest($1::uuid[], $2::int[], $3::bigint[], $4::bigint[]) AS u (run_id, block, reversed, kept)
         WHERE b.run_id = u.run_id AND b.block = u.block",
    )
    .bind(runs)
    .bind(numbers)
    .bind(reversed_rows)
    .bind(kept_rows)
    .execute(connection)
    .await?;
    Ok(())
}
