//! Blocks of a run, done or undone: what is decided about their rows and their records, in appends that hold only while the run is
//! this worker's and the certification stands as it was seen.

use std::future::Future;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use aggregates::DomainEvent;
use aggregates::automation_run::AutomationRun;
use aggregates::automation_run_rows::{self, AutomationRunRowsEvent};
use aggregates::certification_rows::BLOCK;
use aggregates::party::Party;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use projections::automation_runs::AutomationRunRow;
use projections::certifications::CertificationRow;

use super::ReviewError;
use super::decide::Decided;
use crate::app::SharedApp;
use crate::journal::{AppendError, Context, Expected, Journal, Pace, StreamEvents, StreamId};

/// Slices on their way: while the writer works on one, the next ones are decided.
const IN_FLIGHT: usize = 3;
/// Blocks of a slice, however few events they make: their rows are in memory at once.
const MOST_BLOCKS: usize = 20;

/// What is done with blocks.
pub(super) trait Work: Sync {
    /// What becomes of the rows of neighbouring blocks.
    fn decide(&self, blocks: Range<u32>) -> impl Future<Output = Result<Slice<'_>, ReviewError>> + Send;
}

/// What is decided about the rows of some blocks.
pub(super) struct Slice<'c> {
    pub(super) decided: Decided<'c>,
    /// Each block's record; none of one without rows that are meant.
    pub(super) records: Vec<(u32, AutomationRunRowsEvent)>,
}

/// A run at work.
pub(super) struct OnBlocks<'r> {
    pub(super) app: &'r SharedApp,
    pub(super) row: &'r AutomationRunRow,
    pub(super) certification: &'r CertificationRow,
    /// Of the run's stream since this worker took it up.
    pub(super) version: i64,
    /// Of the stream of each block.
    pub(super) expected: Expected,
    /// Who asks for access to be taken, and takes such requests back.
    pub(super) by: Party,
    pub(super) context: &'r Context,
}

/// How much a slice holds: as many blocks as make the events that the writer's pace allows.
struct Size {
    pace: Pace,
    /// Of a block, as the last slice had them.
    events: AtomicUsize,
}

impl Size {
    fn blocks(&self, journal: &Journal) -> usize {
        (self.pace.rows(journal) / self.events.load(Ordering::Relaxed)).clamp(1, MOST_BLOCKS)
    }
}

impl OnBlocks<'_> {
    /// Works on blocks, in order: several in one append, at the writer's pace.
    pub(super) async fn each(
        &self,
        blocks: impl Iterator<Item = u32> + Send,
        work: &impl Work,
    ) -> Result<(), ReviewError> {
        let size = Size { pace: Pace::default(), events: AtomicUsize::new(BLOCK as usize) };
        let mut blocks = blocks.peekable();
        let slices = std::iter::from_fn(|| {
            let first = blocks.next()?;
            let mut slice = first..first + 1;
            let wanted = size.blocks(&self.app.journal);
            while slice.len() < wanted && blocks.next_if_eq(&slice.end).is_some() {
                slice.end += 1;
            }
            Some(slice)
        });
        stream::iter(slices)
            .map(|slice| self.slice(slice, work, &size).boxed())
            .buffered(IN_FLIGHT)
            .try_collect::<()>()
            .await
    }

    async fn slice(&self, blocks: Range<u32>, work: &impl Work, size: &Size) -> Result<(), ReviewError> {
        if self.append(blocks.clone(), work, size).await? {
            return Ok(());
        }
        for block in blocks {
            while !self.append(block..block + 1, work, size).await? {}
        }
        Ok(())
    }

    /// Decides about blocks; `false` = they are to be decided again, one by one: somebody touched one of their rows, or a withdrawn request,
    /// meanwhile, or they make far more events than the blocks before.
    async fn append(&self, blocks: Range<u32>, work: &impl Work, size: &Size) -> Result<bool, ReviewError> {
        let count = blocks.len();
        let Slice { decided, records } = work.decide(blocks).await?;
        if records.is_empty() {
            return Ok(true);
        }
        let mut append = decided.append(self.app, &self.by, self.context).await?;
        append.streams.extend(records.into_iter().map(|(block, record)| StreamEvents {
            stream: StreamId {
                aggregate_type: automation_run_rows::TYPE,
                aggregate_id: automation_run_rows::stream(self.row.id, block).to_string(),
            },
            expected: self.expected,
            events: vec![DomainEvent::from(record)],
        }));
        let events = append.streams.iter().map(|stream| stream.events.len()).sum::<usize>();
        size.events.store(events.div_ceil(count), Ordering::Relaxed);
        if count > 1 && events > 2 * size.pace.rows(&self.app.journal) {
            return Ok(false);
        }
        append.guards.push((StreamId::of::<AutomationRun>(&self.row.id), self.version));
        match self.app.journal.append_bulk(append).await {
            Ok(appended) => {
                size.pace.measured(events, appended.took);
                Ok(true)
            }
            // Another worker did it, or has the run.
            Err(AppendError::Conflict { stream, .. }) if stream.aggregate_type == automation_run_rows::TYPE => {
                Err(ReviewError::Interrupted)
            }
            Err(AppendError::Conflict { .. }) => Ok(false),
            Err(AppendError::Guard { stream, .. }) if stream.aggregate_type == aggregates::certification::TYPE => {
                Err(ReviewError::Stopped("The certification ended meanwhile".to_owned()))
            }
            Err(AppendError::Guard { .. }) => Err(ReviewError::Interrupted),
            Err(error) => Err(error.into()),
        }
    }
}
