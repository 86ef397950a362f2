//! A run: block by block, each block's decisions in one append with the block's record, so that it can be taken up again.

use std::collections::BTreeSet;

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
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use projections::automation_runs::{self, AutomationRunRow};
use projections::certifications::{CertificationRow, Evaluation, RowState, Wanted, find, states};
use uuid::Uuid;

use super::ReviewError;
use super::block::OnBlocks;
use super::decide::{Decided, request_id, setting};
use crate::app::SharedApp;
use crate::journal::{CommandError, Context, Expected};

/// Blocks on their way: while the writer works on one, the next ones are decided.
const IN_FLIGHT: usize = 3;
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
    let automations = wanted.len();
    let evaluation = Evaluation::new(certification, wanted);
    let run = Run { on: OnBlocks { app, row, certification, version, context }, automations, evaluation };
    stream::iter((0..blocks).filter(|block| !done.contains(&(*block as i32))))
        .map(|block| run.block(block).boxed())
        .buffered(IN_FLIGHT)
        .try_collect::<()>()
        .await
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

impl Run<'_> {
    async fn block(&self, block: u32) -> Result<(), ReviewError> {
        loop {
            let found = self.rows(block).await?;
            if found.is_empty() {
                return Ok(());
            }
            let (decided, record) = self.decide(block, &found)?;
            if self.on.append(block, decided, &self.by(), record, Expected::New).await? {
                return Ok(());
            }
        }
    }

    /// The rows of a block that the run means, each with the places of the automations that mean it.
    async fn rows(&self, block: u32) -> Result<Vec<(RowState, Vec<u32>)>, ReviewError> {
        let range = (block * BLOCK, (block + 1) * BLOCK);
        let Plan::Decision { rows, .. } = &self.on.row.plan.0 else {
            let found = self.evaluation.rows(&self.on.app.workers, range).await?;
            let means = |matches: Vec<bool>| (0..).zip(matches).filter(|(_, is)| *is).map(|(place, _)| place).collect();
            return Ok(found.into_iter().map(|found| (found.state, means(found.matches))).collect());
        };
        if !(range.0..range.1).any(|row| rows.contains(row)) {
            return Ok(Vec::new());
        }
        let found = states(&self.on.app.workers, self.on.certification, range, None).await?;
        let frozen = found.into_iter().filter(|state| rows.contains(state.result_id));
        Ok(frozen.map(|state| (state, vec![0])).collect())
    }

    fn decide(
        &self,
        block: u32,
        found: &[(RowState, Vec<u32>)],
    ) -> Result<(Decided<'_>, AutomationRunRowsEvent), ReviewError> {
        let mut decided = Decided::new(self.on.certification);
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
                decided.add(state, events);
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
        Ok((decided, record))
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

    /// Who asks for access to be taken.
    fn by(&self) -> Party {
        match &self.on.row.plan.0 {
            // Nobody's: whoever made the certification didn't ask for it.
            Plan::Automations { .. } => Party::from(&Actor::system("automations")),
            Plan::Decision { by, .. } => by.clone(),
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
