//! A run: block by block, each block's decisions in one append with the block's record, so that it can be taken up again.

use std::collections::BTreeSet;
use std::ops::Range;

use aggregates::automation::Action;
use aggregates::automation_run::{AutomationRun, AutomationRunCommand, Field, Plan, effect};
use aggregates::automation_run_rows::{AutomationRunRowsEvent, Counts, Entry, Outcome};
use aggregates::certification::NamedAutomation;
use aggregates::certification_row::{
    self, Applied, CertificationRowCommand as Command, CertificationRowEvent, Decision, Phase, Reviewer, SignedOffState,
};
use aggregates::certification_rows::BLOCK;
use aggregates::party::Party;
use aggregates::{Actor, Refusal};
use projections::automation_runs::{self, AutomationRunRow};
use projections::certifications::{CertificationRow, Evaluation, RowState, Wanted, find, states};
use uuid::Uuid;

use super::ReviewError;
use super::block::{OnBlocks, Slice, Work};
use super::decide::{Decided, request_id, setting};
use crate::app::SharedApp;
use crate::journal::{CommandError, Context, Expected};

/// How often workers take a run up that none of them brings to an end.
const ATTEMPTED: u32 = 20;

/// Decides about all rows that a run means, from where it stopped.
///
/// # Errors
/// What the journal or the tables said.
pub async fn run(app: &SharedApp, row: &AutomationRunRow, worker: &str, context: &Context) -> Result<(), ReviewError> {
    let claim = AutomationRunCommand::Claim { worker: worker.to_owned() };
    let claimed = app.journal.execute::<AutomationRun>(row.id, claim, None, context.clone()).await?;
    let certification = find(&app.workers, row.certification_id)
        .await?
        .ok_or_else(|| ReviewError::Stopped("the certification isn't there".to_owned()))?;
    let applied = if claimed.aggregate.attempts > ATTEMPTED {
        Err(ReviewError::Stopped(format!("Given up after {ATTEMPTED} attempts")))
    } else {
        apply(app, row, &certification, claimed.version, context).await
    };
    let message = match applied {
        Ok(()) => None,
        Err(ReviewError::Stopped(message)) => Some(message),
        Err(error) => return Err(error),
    };
    let counts = automation_runs::counts(&app.workers, row).await?;
    let command = match message {
        None => AutomationRunCommand::Complete { counts },
        Some(message) => AutomationRunCommand::Fail { message, counts },
    };
    app.journal.execute::<AutomationRun>(row.id, command, None, context.clone()).await?;
    app.people_bell.notify_one();
    Ok(())
}

async fn apply(
    app: &SharedApp,
    row: &AutomationRunRow,
    certification: &CertificationRow,
    version: i64,
    context: &Context,
) -> Result<(), ReviewError> {
    let wanted = wanted(row.plan.0.automations())?;
    let done: BTreeSet<i32> =
        automation_runs::blocks(&app.workers, row.id).await?.into_iter().map(|(block, _)| block).collect();
    let blocks = (certification.total_count as u32).div_ceil(BLOCK);
    let run = Run {
        on: OnBlocks { app, row, certification, version, expected: Expected::New, by: by(&row.plan.0), context },
        automations: wanted.len(),
        evaluation: Evaluation::new(certification, wanted),
    };
    let is_left = |block: &u32| !done.contains(&(*block as i32)) && means(&row.plan.0, *block);
    run.on.each((0..blocks).filter(is_left), &run).await
}

/// May a run mean rows of a block?
fn means(plan: &Plan, block: u32) -> bool {
    match plan {
        Plan::Automations { .. } => true,
        Plan::Decision { rows, .. } => (block * BLOCK..(block + 1) * BLOCK).any(|row| rows.contains(row)),
    }
}

/// Who asks for access to be taken.
fn by(plan: &Plan) -> Party {
    match plan {
        // Nobody's: whoever made the certification didn't ask for it.
        Plan::Automations { .. } => Party::from(&Actor::system("automations")),
        Plan::Decision { by, .. } => by.clone(),
    }
}

/// The automations' filters, which must still fit: attributes may have gone since they were saved (rulings 36).
fn wanted(automations: &[NamedAutomation]) -> Result<Vec<Wanted>, ReviewError> {
    let read = |automation: &NamedAutomation| {
        let definition = &automation.definition;
        let stopped = |filter: &str, error: aggregates::filter::FilterError| {
            ReviewError::Stopped(format!("Automation {:?}: {filter}: {error}", definition.name))
        };
        Ok(Wanted {
            filter: certification_row::filter(&definition.filter).map_err(|error| stopped("filter", error))?,
            mutable_filter: certification_row::mutable_filter(&definition.mutable_filter)
                .map_err(|error| stopped("mutable_filter", error))?,
            only_unchanged: automation.only_unchanged,
        })
    };
    automations.iter().map(read).collect()
}

struct Run<'r> {
    on: OnBlocks<'r>,
    automations: usize,
    evaluation: Evaluation<'r>,
}

impl Work for Run<'_> {
    async fn decide(&self, blocks: Range<u32>) -> Result<Slice<'_>, ReviewError> {
        let found = self.rows(blocks).await?;
        let mut slice = Slice { decided: Decided::new(self.on.certification), records: Vec::new() };
        for of_block in found.chunk_by(|(a, _), (b, _)| a.result_id / BLOCK == b.result_id / BLOCK) {
            self.block(of_block, &mut slice)?;
        }
        Ok(slice)
    }
}

impl Run<'_> {
    /// The rows of blocks that the run means, each with the places of the automations that mean it.
    async fn rows(&self, blocks: Range<u32>) -> Result<Vec<(RowState, Vec<u32>)>, ReviewError> {
        let range = (blocks.start * BLOCK, blocks.end * BLOCK);
        let Plan::Decision { rows, .. } = &self.on.row.plan.0 else {
            let found = self.evaluation.rows(&self.on.app.workers, range).await?;
            let means = |matches: Vec<bool>| (0..).zip(matches).filter(|(_, is)| *is).map(|(place, _)| place).collect();
            return Ok(found.into_iter().map(|found| (found.state, means(found.matches))).collect());
        };
        let found = states(&self.on.app.workers, self.on.certification, range, None).await?;
        let frozen = found.into_iter().filter(|state| rows.contains(state.result_id));
        Ok(frozen.map(|state| (state, vec![0])).collect())
    }

    /// What becomes of the rows of a block.
    fn block(&self, found: &[(RowState, Vec<u32>)], slice: &mut Slice<'_>) -> Result<(), ReviewError> {
        let Some((first, _)) = found.first() else { return Ok(()) };
        let block = first.result_id / BLOCK;
        let mut counts = vec![Counts::default(); self.automations.max(1)];
        let mut log = Vec::with_capacity(found.len());
        for (state, places) in found {
            let (entry, events) = self.row(state, places)?;
            let conflicting = &entry.conflicts;
            for place in places {
                let Some(count) = counts.get_mut(*place as usize) else { continue };
                count.matched += 1;
                match entry.outcome {
                    Outcome::Changed => count.changed += u64::from(self.had_a_say(*place, conflicting)),
                    Outcome::Skipped => count.skipped += 1,
                    Outcome::Unchanged | Outcome::Conflicting => {}
                }
                count.conflicting += u64::from(conflicting.iter().any(|field| self.says(*place, *field)));
            }
            if !events.is_empty() {
                slice.decided.add(state, events);
            }
            log.push(entry);
        }
        let record = AutomationRunRowsEvent::AutomationRunRowsDecided {
            run_id: self.on.row.id,
            certification_id: self.on.certification.id,
            block,
            counts,
            log,
        };
        slice.records.push((block, record));
        Ok(())
    }

    /// What becomes of a row.
    fn row(&self, state: &RowState, places: &[u32]) -> Result<(Entry, Vec<CertificationRowEvent>), ReviewError> {
        let entry =
            |outcome, conflicts| Entry { result_id: state.result_id, automations: places.to_vec(), outcome, conflicts };
        if state.updated_position > self.seen() || state.row.standing.is_signed_off {
            return Ok((entry(Outcome::Skipped, Vec::new()), Vec::new()));
        }
        let setting = setting(self.on.certification, state, self.on.app.clock.now());
        if setting.phase != Phase::InProgress {
            return Err(ReviewError::Stopped("The certification ended before the run".to_owned()));
        }
        let request_id = request_id(self.on.certification.id, state);
        let (command, conflicts) = match &self.on.row.plan.0 {
            Plan::Automations { automations } => {
                let meant = || places.iter().filter_map(|place| automations.get(*place as usize));
                let actions: Vec<&Action> = meant().map(|automation| &automation.definition.action).collect();
                let effect = effect(actions);
                let applied = |automation: &NamedAutomation| Applied {
                    id: automation.id,
                    name: automation.definition.name.clone(),
                    notes: automation.definition.action.notes.clone(),
                };
                let command = Command::Automate {
                    setting,
                    run_id: self.on.row.id,
                    automations: meant().map(applied).collect(),
                    change: effect.change,
                    request_id,
                };
                (command, effect.conflicts)
            }
            Plan::Decision { change, by, is_administrator, .. } => {
                let command = Command::Decide {
                    setting,
                    by: Reviewer { party: by.clone(), is_administrator: *is_administrator },
                    change: change.clone(),
                    reviewers: None,
                    notification_status: None,
                    is_forced: false,
                    run_id: Some(self.on.row.id),
                    request_id,
                };
                (command, Vec::new())
            }
        };
        Ok(match state.row.decide(command) {
            Ok(events) => {
                // Notes that differ make an entry of the action log, and change nothing.
                let is_changed = events.iter().filter_map(CertificationRowEvent::change).any(|(was, now)| was != now);
                let outcome = match (is_changed, conflicts.is_empty()) {
                    (true, _) => Outcome::Changed,
                    (false, false) => Outcome::Conflicting,
                    (false, true) => Outcome::Unchanged,
                };
                (entry(outcome, conflicts), events)
            }
            // It isn't theirs any more.
            Err(Refusal::Conflict(_)) => (entry(Outcome::Skipped, Vec::new()), Vec::new()),
            Err(error) => return Err(CommandError::from(error).into()),
        })
    }

    /// Was anything applied that an automation says, or was all of it in conflict?
    fn had_a_say(&self, place: u32, conflicts: &[Field]) -> bool {
        let Some(automation) = self.on.row.plan.0.automations().get(place as usize) else { return true };
        let applied = |field: Field| self.says(place, field) && !conflicts.contains(&field);
        [Field::Decision, Field::SignedOffState].into_iter().any(applied)
            || !automation.definition.action.notes.is_empty()
    }

    /// Does an automation say anything of a field?
    fn says(&self, place: u32, field: Field) -> bool {
        let action =
            self.on.row.plan.0.automations().get(place as usize).map(|automation| &automation.definition.action);
        action.is_some_and(|action| match field {
            Field::Decision => action.decision != Decision::Unknown,
            Field::SignedOffState => action.signed_off_state != SignedOffState::Unknown,
        })
    }

    /// Up to where in the log it knows of what was decided: rows that anybody touched later are theirs.
    fn seen(&self) -> i64 {
        match &self.on.row.plan.0 {
            Plan::Automations { .. } => self.on.row.started_position,
            Plan::Decision { position, .. } => *position,
        }
    }
}

/// How many rows of a block the run changed.
pub(super) fn changed(log: &[Entry]) -> u64 {
    log.iter().filter(|entry| entry.outcome == Outcome::Changed).count() as u64
}

/// The certification of a run.
///
/// # Errors
/// There is no such run.
pub(super) async fn find_run(app: &SharedApp, id: Uuid) -> Result<AutomationRunRow, ReviewError> {
    let found = automation_runs::find_whole(&app.workers, id).await?;
    found.ok_or(ReviewError::NotFound("Automation run", id.to_string()))
}
