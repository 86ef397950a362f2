//! Decisions by filter: the rows that it means now are frozen by an event, and a run decides about them (rulings 38).

use aggregates::automation_run::{AutomationRun, AutomationRunCommand, Plan, RowSet};
use aggregates::automation_run_rows::Counts;
use aggregates::certification::Certification;
use aggregates::certification_row::{self, Change, Decision, Phase, Reviewer};
use aggregates::violation::check_length;
use aggregates::{Refusal, Violation};
use projections::certifications::{CertificationRow, Wanted, find, matching};
use uuid::Uuid;

use super::ReviewError;
use crate::app::SharedApp;
use crate::journal::{CommandError, Context, Loaded, StreamId};

/// A decision about all rows that filters mean.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "as in the run's plan")]
pub struct NewDecision {
    pub filter: String,
    pub mutable_filter: String,
    pub change: Change,
    pub by: Reviewer,
    /// Only tell what it would mean.
    pub is_dry: bool,
}

/// What was found.
#[derive(Debug, Clone, Copy)]
pub struct Started {
    /// The run; `None` when it was only to be told.
    pub run_id: Option<Uuid>,
    /// Rows meant, and of these those that are left alone because they are not the caller's to decide about.
    pub counts: Counts,
}

/// Finds the rows and begins the run; a worker then decides. `context` is given the run's id.
///
/// # Errors
/// There is no such certification, or a rule or the journal said no.
pub async fn start(
    app: &SharedApp,
    certification: Uuid,
    asked: &NewDecision,
    context: impl Fn(Uuid) -> Context,
) -> Result<Started, ReviewError> {
    let seen = find(&app.pool, certification)
        .await?
        .ok_or(ReviewError::NotFound("Certification", certification.to_string()))?;
    let wanted = wanted(asked)?;
    if seen.phase(app.clock.now()) != Phase::InProgress {
        let message = format!("Rows are decided in CERT_STATE_IN_PROGRESS; the certification is in {}", seen.state);
        return Err(CommandError::from(Refusal::Conflict(message)).into());
    }
    // Before the rows are looked for: what is touched meanwhile is somebody else's.
    let position = projections::events::head(&app.pool).await?;
    let (rows, not_theirs) = theirs(app, &seen, &wanted, &asked.by).await?;
    let counts = Counts { matched: rows.len() + not_theirs, skipped: not_theirs, ..Counts::default() };
    if asked.is_dry {
        return Ok(Started { run_id: None, counts });
    }
    let run_id = app.clock.id();
    let plan = Plan::Decision {
        filter: asked.filter.clone(),
        mutable_filter: asked.mutable_filter.clone(),
        change: asked.change.clone(),
        by: asked.by.party.clone(),
        is_administrator: asked.by.is_administrator,
        rows,
        position,
        not_theirs,
    };
    let command = AutomationRunCommand::Start { certification_id: certification, plan };
    let decided = Loaded::<AutomationRun>::new(&run_id).decide(command, context(run_id)).await;
    let (_, append) = decided.map_err(CommandError::from)?;
    if let Some(mut append) = append {
        append.guards.push((StreamId::of::<Certification>(&certification), seen.version));
        app.journal.append(append).await?;
        app.reviews_bell.notify_one();
    }
    Ok(Started { run_id: Some(run_id), counts })
}

/// What the filters mean.
fn wanted(asked: &NewDecision) -> Result<Wanted, ReviewError> {
    let mut found = Vec::new();
    let mut read = |field: &str, outcome: Result<certification_row::RowFilter, aggregates::filter::FilterError>| {
        outcome.unwrap_or_else(|error| {
            found.push(Violation::new(field, error.to_string()));
            None
        })
    };
    let filter = read("filter", certification_row::filter(&asked.filter));
    let mutable_filter = read("mutable_filter", certification_row::results_mutable_filter(&asked.mutable_filter));
    check_length(&mut found, "notes", "Notes", asked.change.notes.as_deref().unwrap_or_default(), 4000);
    if asked.change.is_empty() {
        found.push(Violation::new("decision", "decision, notes or signed_off_state must say what becomes of the rows"));
    }
    if asked.change.decision == Some(Decision::Fixed) {
        found
            .push(Violation::new("decision", "A row is FIXED when an import shows it, or by hand in the grace period"));
    }
    if found.is_empty() {
        Ok(Wanted { filter, mutable_filter, only_unchanged: false })
    } else {
        Err(CommandError::from(Refusal::Invalid(found)).into())
    }
}

/// The rows about which they may decide, and how many others there are. The rules are the single row's.
async fn theirs(
    app: &SharedApp,
    certification: &CertificationRow,
    wanted: &Wanted,
    by: &Reviewer,
) -> Result<(RowSet, u64), ReviewError> {
    let allows_self = certification.definition.0.is_self_review_allowed;
    let mut others = 0;
    let mut rows = RowSet::default();
    for (result, has_reviewers, is_reviewer, is_own) in
        matching(&app.pool, certification, wanted, by.party.identity_id).await?
    {
        if (!is_own || allows_self) && (is_reviewer || by.is_administrator || !has_reviewers) {
            rows.insert(result as u32);
        } else {
            others += 1;
        }
    }
    Ok((rows, others))
}
