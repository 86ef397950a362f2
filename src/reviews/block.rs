//! A block of a run, done or undone: what is decided about its rows and its record, in one append that holds only while the run is
//! this worker's and the certification stands as it was seen.

use aggregates::DomainEvent;
use aggregates::automation_run::AutomationRun;
use aggregates::automation_run_rows::{self, AutomationRunRowsEvent};
use aggregates::party::Party;
use projections::automation_runs::AutomationRunRow;
use projections::certifications::CertificationRow;

use super::ReviewError;
use super::decide::Decided;
use crate::app::SharedApp;
use crate::journal::{AppendError, Context, Expected, StreamEvents, StreamId};

/// A run at work.
pub(super) struct OnBlocks<'r> {
    pub(super) app: &'r SharedApp,
    pub(super) row: &'r AutomationRunRow,
    pub(super) certification: &'r CertificationRow,
    /// Of the run's stream since this worker took it up.
    pub(super) version: i64,
    pub(super) context: &'r Context,
}

impl OnBlocks<'_> {
    /// Appends a block; `false` = somebody touched one of its rows, or a withdrawn request, meanwhile: it is to be decided again.
    pub(super) async fn append(
        &self,
        block: u32,
        decided: Decided<'_>,
        by: &Party,
        record: AutomationRunRowsEvent,
        expected: Expected,
    ) -> Result<bool, ReviewError> {
        let mut append = decided.append(self.app, by, self.context).await?;
        let stream = StreamId {
            aggregate_type: automation_run_rows::TYPE,
            aggregate_id: automation_run_rows::stream(self.row.id, block).to_string(),
        };
        let events = vec![DomainEvent::from(record)];
        append.streams.push(StreamEvents { stream: stream.clone(), expected, events });
        append.guards.push((StreamId::of::<AutomationRun>(&self.row.id), self.version));
        match self.app.journal.append_bulk(append).await {
            Ok(_) => Ok(true),
            // Another worker did it, or has the run.
            Err(AppendError::Conflict { stream: found, .. }) if found == stream => Err(ReviewError::Interrupted),
            Err(AppendError::Conflict { .. }) => Ok(false),
            Err(AppendError::Guard { stream: found, .. })
                if found.aggregate_type == aggregates::certification::TYPE =>
            {
                Err(ReviewError::Stopped("The certification ended meanwhile".to_owned()))
            }
            Err(AppendError::Guard { .. }) => Err(ReviewError::Interrupted),
            Err(error) => Err(error.into()),
        }
    }
}
