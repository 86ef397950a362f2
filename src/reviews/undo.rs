//! A run's decisions are reversed, by events, on rows that nobody has touched since.

use std::collections::HashMap;

use aggregates::automation_run::{AutomationRun, AutomationRunCommand};
use aggregates::automation_run_rows::AutomationRunRowsEvent;
use aggregates::certification_row::{self, CertificationRowCommand, CertificationRowEvent, Standing};
use aggregates::certification_rows::BLOCK;
use aggregates::party::Party;
use aggregates::{DomainEvent, Refusal};
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use projections::automation_runs::{self, AutomationRunRow};
use projections::certifications::{RowState, find, states};
use projections::events::{ReadError, of_streams};

use super::ReviewError;
use super::block::OnBlocks;
use super::decide::{Decided, request_id, setting};
use super::run::changed;
use crate::app::SharedApp;
use crate::journal::{CommandError, Context, Expected};

/// Blocks on their way.
const IN_FLIGHT: usize = 3;

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
    let undo = Undo(OnBlocks { app, row, certification: &certification, version: claimed.version, context });
    let undone = stream::iter(blocks.into_iter().filter(|(_, is_undone)| !is_undone))
        .map(|(block, _)| undo.block(block as u32).boxed())
        .buffered(IN_FLIGHT)
        .try_collect::<()>()
        .await;
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

impl Undo<'_> {
    async fn block(&self, block: u32) -> Result<(), ReviewError> {
        loop {
            let range = (block * BLOCK, (block + 1) * BLOCK);
            let states = states(&self.0.app.workers, self.0.certification, range, Some(self.0.row.id)).await?;
            let before = self.before(&states).await?;
            let by = Party::from(&self.0.context.actor);
            let mut decided = Decided::new(self.0.certification);
            let mut reversed = 0;
            for state in &states {
                let Some(to) = before.get(&state.result_id) else { continue };
                let command = CertificationRowCommand::Undo {
                    setting: setting(self.0.certification, state, self.0.app.clock.now()),
                    run_id: self.0.row.id,
                    by: by.clone(),
                    to: to.clone(),
                    request_id: request_id(self.0.certification.id, state),
                };
                let events = match state.row.decide(command) {
                    Ok(events) => events,
                    Err(Refusal::Conflict(message)) => return Err(ReviewError::Stopped(message)),
                    Err(error) => return Err(CommandError::from(error).into()),
                };
                if !events.is_empty() {
                    reversed += 1;
                    decided.add(state, events);
                }
            }
            let log = automation_runs::log(&self.0.app.workers, self.0.row.id, block as i32, 1).await?;
            let kept = log.first().map_or(0, |block| changed(&block.log.0)).saturating_sub(reversed);
            let record = AutomationRunRowsEvent::AutomationRunRowsUndone {
                run_id: self.0.row.id,
                certification_id: self.0.certification.id,
                block,
                reversed,
                kept,
            };
            if self.0.append(block, decided, &by, record, Expected::Version(1)).await? {
                return Ok(());
            }
        }
    }

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
