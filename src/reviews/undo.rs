//! A run's decisions are reversed, by events, on rows that nobody has touched since.

use std::collections::HashMap;
use std::ops::Range;

use aggregates::automation_run::{AutomationRun, AutomationRunCommand};
use aggregates::automation_run_rows::AutomationRunRowsEvent;
use aggregates::certification_row::{self, CertificationRowCommand, CertificationRowEvent, Standing};
use aggregates::certification_rows::BLOCK;
use aggregates::party::Party;
use aggregates::{DomainEvent, Refusal};
use projections::automation_runs::{self, AutomationRunRow, RunBlock};
use projections::certifications::{RowState, find, states};
use projections::events::{ReadError, of_streams};

use super::ReviewError;
use super::block::{OnBlocks, Slice, Work};
use super::decide::{Decided, request_id, setting};
use super::run::changed;
use crate::app::SharedApp;
use crate::journal::{CommandError, Context, Expected};

/// Reverses a run, from where this stopped.
///
/// # Errors
/// What the journal or the tables said.
pub async fn undo(app: &SharedApp, row: &AutomationRunRow, worker: &str, context: &Context) -> Result<(), ReviewError> {
    let claim = AutomationRunCommand::Claim { worker: worker.to_owned() };
    let claimed = app.journal.execute::<AutomationRun>(row.id, claim, None, context.clone()).await?;
    let certification = find(&app.workers, row.certification_id)
        .await?
        .ok_or_else(|| ReviewError::Stopped("the certification isn't there".to_owned()))?;
    let blocks = automation_runs::blocks(&app.workers, row.id).await?;
    let by = Party::from(&context.actor);
    let (version, expected) = (claimed.version, Expected::Version(1));
    let undo = Undo(OnBlocks { app, row, certification: &certification, version, expected, by, context });
    let left = blocks.into_iter().filter(|(_, is_undone)| !is_undone).map(|(block, _)| block as u32);
    let undone = undo.0.each(left, &undo).await;
    match undone {
        // The certification ended meanwhile: what isn't reversed stays.
        Ok(()) | Err(ReviewError::Stopped(_)) => {}
        Err(error) => return Err(error),
    }
    let (changed, reversed) = automation_runs::undone(&app.workers, row.id).await?;
    let (changed, reversed) = (changed as u64, reversed as u64);
    let command = AutomationRunCommand::CompleteUndo { reversed, kept: changed.saturating_sub(reversed) };
    app.journal.execute::<AutomationRun>(row.id, command, None, context.clone()).await?;
    Ok(())
}

struct Undo<'u>(OnBlocks<'u>);

impl Work for Undo<'_> {
    async fn decide(&self, blocks: Range<u32>) -> Result<Slice<'_>, ReviewError> {
        let range = (blocks.start * BLOCK, blocks.end * BLOCK);
        let states = states(&self.0.app.workers, self.0.certification, range, Some(self.0.row.id)).await?;
        let before = self.before(&states).await?;
        let mut decided = Decided::new(self.0.certification);
        let mut reversed: HashMap<u32, u64> = HashMap::new();
        for state in &states {
            let Some(to) = before.get(&state.result_id) else { continue };
            let command = CertificationRowCommand::Undo {
                setting: setting(self.0.certification, state, self.0.app.clock.now()),
                run_id: self.0.row.id,
                by: self.0.by.clone(),
                to: to.clone(),
                request_id: request_id(self.0.certification.id, state),
            };
            let events = match state.row.decide(command) {
                Ok(events) => events,
                Err(Refusal::Conflict(message)) => return Err(ReviewError::Stopped(message)),
                Err(error) => return Err(CommandError::from(error).into()),
            };
            if !events.is_empty() {
                *reversed.entry(state.result_id / BLOCK).or_default() += 1;
                decided.add(state, events);
            }
        }
        let (first, count) = (blocks.start as i32, blocks.len() as i64);
        let log = automation_runs::log(&self.0.app.workers, self.0.row.id, first, count).await?;
        let record = |done: RunBlock| {
            let block = done.block as u32;
            let reversed = reversed.get(&block).copied().unwrap_or_default();
            let record = AutomationRunRowsEvent::AutomationRunRowsUndone {
                run_id: self.0.row.id,
                certification_id: self.0.certification.id,
                block,
                reversed,
                kept: changed(&done.log.0).saturating_sub(reversed),
            };
            (block, record)
        };
        Ok(Slice { decided, records: log.into_iter().map(record).collect() })
    }
}

impl Undo<'_> {
    /// How rows stood before the run, as its events on them say.
    async fn before(&self, states: &[RowState]) -> Result<HashMap<u32, Standing>, ReviewError> {
        let stream = |state: &RowState| certification_row::stream(self.0.certification.id, state.result_id).to_string();
        let ids: Vec<String> = states.iter().map(stream).collect();
        let events =
            of_streams(&self.0.app.workers, certification_row::TYPE, &ids).await.map_err(|error| match error {
                ReadError::Database(error) => ReviewError::Database(error),
                unreadable @ ReadError::Event { .. } => ReviewError::Database(sqlx::Error::Decode(unreadable.into())),
            })?;
        let mut before = HashMap::new();
        for recorded in events {
            let DomainEvent::CertificationRow(event) = &*recorded.event else { continue };
            let run = match event {
                CertificationRowEvent::CertificationRowDecided { run_id, .. } => *run_id,
                CertificationRowEvent::CertificationRowAutomated { run_id, .. } => Some(*run_id),
                _ => None,
            };
            if let Some((was, _)) = event.change().filter(|_| run == Some(self.0.row.id)) {
                before.insert(event.row().1, was.clone());
            }
        }
        Ok(before)
    }
}
