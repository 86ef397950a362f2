//! Records the rows of a certification, block by block.

use std::collections::{HashMap, VecDeque};

use aggregates::automation_run::{AutomationRun, AutomationRunCommand, Plan};
use aggregates::certification::{
    ApplicationCompleteness, Certification, CertificationCommand, CertificationDefinition, Completeness, History,
};
use aggregates::certification_row;
use aggregates::certification_rows::{self, BLOCK, CertificationRowsEvent};
use projections::certifications::{CertificationRow, history_of};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::ReviewError;
use super::collect::{Collected, collect};
use crate::app::SharedApp;
use crate::journal::{Append, AppendError, Appended, CommandError, Context, Expected, Loaded, StreamId};

/// Batches of rows that wait to be made blocks.
const WAITING: usize = 4;
/// Blocks on their way: while the writer works on one, the next is made.
const IN_FLIGHT: usize = 3;

/// Records what a certification reviews, and lets it be reviewed. Taken up again it makes the same blocks; those that are
/// recorded already are passed over.
///
/// # Errors
/// What the journal or the tables said.
pub async fn search(
    app: &SharedApp,
    row: &CertificationRow,
    worker: &str,
    context: &Context,
) -> Result<(), ReviewError> {
    let claim = CertificationCommand::Claim { worker: worker.to_owned() };
    let claimed = app.journal.execute::<Certification>(row.id, claim, None, context.clone()).await?;
    let guard = (StreamId::of::<Certification>(&row.id), claimed.version);
    let definition = &row.definition.0;
    let filter = certification_row::filter(&definition.filter)
        .map_err(|error| ReviewError::Stopped(format!("The filter doesn't fit any more: {error}")))?;
    let history = match definition.history_id {
        Some(history) => history_of(&app.workers, history).await?,
        None => History::default(),
    };
    let (sender, receiver) = mpsc::channel(WAITING);
    let (pool, collected, position) = (app.workers.clone(), row.definition.0.clone(), row.created_position);
    let collecting = tokio::spawn(async move { collect(&pool, &collected, position, &filter, &sender).await });
    let blocks = Blocks::new(row.id, definition, &history);
    let applications = record(app, blocks, receiver, collecting, &guard, context).await?;
    complete(app, row, claimed.version, Completeness::of(applications), context).await
}

async fn record(
    app: &SharedApp,
    mut blocks: Blocks<'_>,
    mut receiver: mpsc::Receiver<Vec<Collected>>,
    collecting: JoinHandle<sqlx::Result<Vec<ApplicationCompleteness>>>,
    guard: &(StreamId, i64),
    context: &Context,
) -> Result<Vec<ApplicationCompleteness>, ReviewError> {
    let (mut collecting, mut applications) = (Some(collecting), Vec::new());
    let mut in_flight: VecDeque<(StreamId, JoinHandle<Result<Appended, AppendError>>)> = VecDeque::new();
    loop {
        while blocks.rows.len() < BLOCK as usize {
            let Some(batch) = receiver.recv().await else {
                // Only the last block isn't full: rows that couldn't be read must not look like the end.
                if let Some(collecting) = collecting.take() {
                    applications = collecting.await.map_err(|error| ReviewError::Stopped(error.to_string()))??;
                }
                break;
            };
            blocks.rows.extend(batch);
        }
        let next = blocks.next();
        while in_flight.len() >= if next.is_some() { IN_FLIGHT } else { 1 } {
            let Some((stream, answer)) = in_flight.pop_front() else { break };
            match answer.await.map_err(|error| ReviewError::Stopped(error.to_string()))? {
                // Recorded before this was taken up again.
                Err(AppendError::Conflict { stream: found, .. }) if found == stream => {}
                other => {
                    other?;
                }
            }
        }
        let Some((stream, event)) = next else { return Ok(applications) };
        let stream = StreamId { aggregate_type: certification_rows::TYPE, aggregate_id: stream.to_string() };
        let mut append = Append::one(stream.clone(), Expected::New, vec![event.into()], context.clone());
        append.guards.push(guard.clone());
        let journal = app.journal.clone();
        in_flight.push_back((stream, tokio::spawn(async move { journal.append_bulk(append).await })));
    }
}

/// All rows are there: it is in progress, and its automations run.
async fn complete(
    app: &SharedApp,
    row: &CertificationRow,
    version: i64,
    completeness: Completeness,
    context: &Context,
) -> Result<(), ReviewError> {
    let automations = row.definition.0.automations.clone();
    let run_id = (!automations.is_empty()).then(|| app.clock.id());
    let loaded = app.journal.load::<Certification>(row.id).await.map_err(CommandError::from)?;
    if loaded.version != version {
        return Err(ReviewError::Interrupted);
    }
    let command = CertificationCommand::CompleteSearch { completeness, run_id };
    let (_, append) = loaded.decide(command, context.clone()).await.map_err(CommandError::from)?;
    let mut append = append.ok_or(ReviewError::Interrupted)?;
    if let Some(run_id) = run_id {
        let plan = Plan::Automations { automations };
        let command = AutomationRunCommand::Start { certification_id: row.id, plan };
        let run = Loaded::<AutomationRun>::new(&run_id).decide(command, context.clone()).await;
        append = run.map_err(CommandError::from)?.1.into_iter().fold(append, Append::and);
    }
    app.journal.append(append).await.map_err(CommandError::from)?;
    app.reviews_bell.notify_one();
    Ok(())
}

/// Makes blocks of rows: numbers accounts and entitlements in the order in which they are needed.
struct Blocks<'d> {
    certification: Uuid,
    definition: &'d CertificationDefinition,
    history: &'d History,
    rows: Vec<Collected>,
    block: u32,
    sources: u32,
    /// The account that was numbered last: rows come account by account.
    last_source: Option<Uuid>,
    destinations: HashMap<Uuid, u32>,
}

impl<'d> Blocks<'d> {
    fn new(certification: Uuid, definition: &'d CertificationDefinition, history: &'d History) -> Self {
        Self {
            certification,
            definition,
            history,
            rows: Vec::new(),
            block: 0,
            sources: 0,
            last_source: None,
            destinations: HashMap::new(),
        }
    }

    /// The next block of the rows at hand; `None` when there are none.
    fn next(&mut self) -> Option<(Uuid, CertificationRowsEvent)> {
        let taken: Vec<Collected> = self.rows.drain(..self.rows.len().min(BLOCK as usize)).collect();
        if taken.is_empty() {
            return None;
        }
        let (first_source, first_destination) = (self.sources, self.destinations.len() as u32);
        let (mut sources, mut destinations, mut rows) = (Vec::new(), Vec::new(), Vec::with_capacity(taken.len()));
        let mut sets: Vec<Vec<Uuid>> = Vec::new();
        for Collected { source, destination, mut row, .. } in taken {
            if self.last_source != Some(source.shown.id) {
                self.last_source = Some(source.shown.id);
                self.sources += 1;
                sources.push(source.shown.clone());
            }
            let next = self.destinations.len() as u32;
            row.source = self.sources - 1;
            row.destination = *self.destinations.entry(destination.shown.id).or_insert_with(|| {
                destinations.push(destination.shown.clone());
                next
            });
            if let Some((previous, is_unchanged)) =
                self.history.find(&source.known, &destination.known, &row.attributes)
            {
                row.previous = Some(previous);
                row.is_unchanged = is_unchanged;
            }
            let reviewers = self.definition.reviewers.of_row(
                source.shown.identity.id,
                source.managers.first().copied(),
                &destination.managers,
                self.definition.is_self_review_allowed,
            );
            let known = sets.iter().rposition(|set| *set == reviewers);
            row.reviewers = known.unwrap_or_else(|| {
                sets.push(reviewers);
                sets.len() - 1
            }) as u32;
            rows.push(row);
        }
        let block = self.block;
        self.block += 1;
        let event = CertificationRowsEvent::CertificationRowsRecorded {
            certification_id: self.certification,
            block,
            first_source,
            sources,
            first_destination,
            destinations,
            reviewers: sets,
            rows,
        };
        Some((certification_rows::stream(self.certification, block), event))
    }
}
