//! What a run looks like on the wire.

use aggregates::automation_run::{Field, Plan};
use aggregates::automation_run_rows::{Counts, Entry, Outcome};
use chrono::{DateTime, Utc};
use projections::automation_runs::{AutomationRunRow, counts};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::error::ApiError;
use crate::http::session::{Access, Session};

/// A run.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunBody {
    /// The run.
    pub id: Uuid,
    /// In which certification.
    pub certification_id: Uuid,
    /// `automations`, or `decision` for `results:decide`.
    pub kind: String,
    /// `RUNNING`, `COMPLETED`, `ERROR`, `UNDOING` or `UNDONE`.
    pub status: String,
    /// Why it stopped.
    pub message: Option<String>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// Who began it.
    pub started_by: String,
    /// When it was done or stopped.
    pub completed_at: Option<DateTime<Utc>>,
    /// What each did.
    pub automations: Vec<RunAutomationBody>,
    /// When it was reversed.
    pub undone_at: Option<DateTime<Utc>>,
    /// Rows that then stood as before it.
    pub reversed: Option<i64>,
    /// Rows that stayed, since somebody had touched them.
    pub kept: Option<i64>,
}

/// What an automation of a run did; of `results:decide`, the whole.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunAutomationBody {
    /// The automation; null for `results:decide`.
    pub id: Option<Uuid>,
    /// Its name then.
    pub name: String,
    /// Rows that it meant.
    pub matched: u64,
    /// Rows that changed, by it alone or with others that agreed.
    pub changed: u64,
    /// Rows of which it left a field alone, since another automation wanted something else there.
    pub conflicting: u64,
    /// Rows that it left alone: touched by somebody meanwhile, signed off, or not theirs to decide about.
    pub skipped: u64,
}

/// What a run did to a row.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogBody {
    /// The row.
    pub result_id: u32,
    /// The automations that meant it.
    pub automation_ids: Vec<Uuid>,
    /// `CHANGED`, `UNCHANGED` (it stood so already), `CONFLICTING` or `SKIPPED`.
    pub outcome: &'static str,
    /// Fields about which they disagreed: `decision`, `signed_off_state`.
    pub conflicts: Vec<&'static str>,
}

/// A run with what its automations did so far.
pub async fn body<A: Access>(session: &Session<A>, row: AutomationRunRow) -> Result<RunBody, ApiError> {
    let names: Vec<(Option<Uuid>, String)> = match &row.plan.0 {
        Plan::Automations { automations } => {
            automations.iter().map(|automation| (Some(automation.id), automation.definition.name.clone())).collect()
        }
        Plan::Decision { .. } => vec![(None, "results:decide".to_owned())],
    };
    let done = counts(session.pool(), &row).await?;
    let automations = names.into_iter().zip(done).map(|((id, name), count)| {
        let Counts { matched, changed, conflicting, skipped } = count;
        RunAutomationBody { id, name, matched, changed, conflicting, skipped }
    });
    Ok(RunBody {
        automations: automations.collect(),
        id: row.id,
        certification_id: row.certification_id,
        kind: row.kind,
        status: row.status,
        message: row.message,
        started_at: row.started_at,
        started_by: row.started_by,
        completed_at: row.ended_at,
        undone_at: row.undone_at,
        reversed: row.reversed,
        kept: row.kept,
    })
}

/// An entry of a run's log.
pub fn log(entry: &Entry, plan: &Plan) -> LogBody {
    let id = |place: &u32| plan.automations().get(*place as usize).map(|automation| automation.id);
    let conflict = |field: &Field| match field {
        Field::Decision => "decision",
        Field::SignedOffState => "signed_off_state",
    };
    LogBody {
        result_id: entry.result_id,
        automation_ids: entry.automations.iter().filter_map(id).collect(),
        outcome: match entry.outcome {
            Outcome::Changed => "CHANGED",
            Outcome::Unchanged => "UNCHANGED",
            Outcome::Conflicting => "CONFLICTING",
            Outcome::Skipped => "SKIPPED",
        },
        conflicts: entry.conflicts.iter().map(conflict).collect(),
    }
}
