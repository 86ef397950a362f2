//! What an automation would do now, held against access as it is: nothing is recorded.

use std::collections::HashMap;

use aggregates::automation::{AutomationDefinition, built_ins};
use aggregates::certification::{Assignment, CertificationDefinition, History, NamedAutomation};
use aggregates::certification_row::{self, RowFilter, Standing, View};
use projections::certifications::{history_of, latest_ended};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::collect::{Collected, collect};
use super::{Configuration, ReviewError};
use crate::app::SharedApp;

/// Rows that are shown of each sort.
const SHOWN: usize = 100;

/// What an automation would do.
#[derive(Debug, Default)]
pub struct Preview {
    /// Rows that a certification would review.
    pub rows: u64,
    /// Rows that it would mean.
    pub matched: u64,
    /// The first of them.
    pub examples: Vec<Seen>,
    /// Rows with a decision in the certification before that it wouldn't mean, by reason.
    pub missed: HashMap<&'static str, u64>,
    /// The first of them.
    pub missed_examples: Vec<Missed>,
    /// The certification before.
    pub history_id: Option<Uuid>,
}

/// A row by the names of its account and entitlement.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Seen {
    pub source: (Uuid, String),
    pub destination: (Uuid, String),
    pub application: (Uuid, String),
}

/// A row that isn't meant, and why.
#[derive(Debug)]
pub struct Missed {
    /// It.
    pub row: Seen,
    /// What was decided last time.
    pub previous: Standing,
    /// Why it isn't meant.
    pub why: Why,
}

/// Why a row with a previous decision isn't meant: the first reason of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The filter doesn't match.
    Filter,
    /// The filter over the previous decision doesn't match.
    MutableFilter,
    /// A built-in one means only rows of which nothing but times has changed.
    Changed,
}

impl Why {
    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Filter => "FILTER_DOES_NOT_MATCH",
            Self::MutableFilter => "MUTABLE_FILTER_DOES_NOT_MATCH",
            Self::Changed => "CHANGED_SINCE",
        }
    }
}

/// Holds an automation against what a certification of a workflow would review now.
///
/// # Errors
/// There is no such workflow or automation, a filter doesn't fit any more, or the tables can't be read.
pub async fn preview(app: &SharedApp, automation_id: Uuid, workflow: Uuid) -> Result<Preview, ReviewError> {
    let seen = Configuration::look(&app.pool).await?;
    let automation = match built_ins().into_iter().find(|known| known.id == automation_id) {
        Some(built_in) => built_in,
        None => NamedAutomation::from(seen.automation(automation_id)?.clone()),
    };
    let workflow = seen.workflow(workflow)?;
    let definition = CertificationDefinition {
        workflow_id: workflow.id,
        name: workflow.name.clone(),
        notes: String::new(),
        application_ids: projections::applications::in_use(&app.pool, &workflow.application_ids).await?,
        filter: workflow.filter.clone(),
        reviewers: Assignment::default(),
        is_self_review_allowed: workflow.is_self_review_allowed,
        due_at: None,
        history_id: latest_ended(&app.pool, workflow.id).await?,
        automations: Vec::new(),
    };
    let judge = Judge::new(app, &automation, definition.history_id).await?;
    let stopped =
        |error: aggregates::filter::FilterError| ReviewError::Stopped(format!("The workflow's filter: {error}"));
    let filter = certification_row::filter(&definition.filter).map_err(stopped)?;
    let position = projections::events::head(&app.pool).await?;
    let (sender, mut receiver) = mpsc::channel(4);
    let pool = app.workers.clone();
    let collected = definition.clone();
    let collecting = tokio::spawn(async move { collect(&pool, &collected, position, &filter, &sender).await });
    let mut preview = Preview { history_id: definition.history_id, ..Preview::default() };
    while let Some(batch) = receiver.recv().await {
        for row in &batch {
            judge.row(row, &mut preview);
        }
    }
    collecting.await.map_err(|error| ReviewError::Stopped(error.to_string()))??;
    Ok(preview)
}

struct Judge {
    only_unchanged: bool,
    filter: RowFilter,
    mutable_filter: RowFilter,
    history: History,
    standings: HashMap<u32, Standing>,
}

impl Judge {
    async fn new(app: &SharedApp, automation: &NamedAutomation, history: Option<Uuid>) -> Result<Self, ReviewError> {
        let AutomationDefinition { filter, mutable_filter, .. } = &automation.definition;
        let stopped = |error: aggregates::filter::FilterError| ReviewError::Stopped(error.to_string());
        let (history, standings) = match history {
            Some(id) => {
                let standings = projections::certifications::standings(&app.pool, id).await?;
                (history_of(&app.pool, id).await?, standings)
            }
            None => (History::default(), HashMap::new()),
        };
        Ok(Self {
            only_unchanged: automation.only_unchanged,
            filter: certification_row::filter(filter).map_err(stopped)?,
            mutable_filter: certification_row::mutable_filter(mutable_filter).map_err(stopped)?,
            history,
            standings,
        })
    }

    fn row(&self, row: &Collected, preview: &mut Preview) {
        preview.rows += 1;
        let found = self.history.find(&row.source.known, &row.destination.known, &row.row.attributes);
        let previous = found.and_then(|(result, _)| self.standings.get(&result));
        let Some(why) = self.misses(&row.view(None), previous, found.is_some_and(|(_, is_unchanged)| is_unchanged))
        else {
            preview.matched += 1;
            if preview.examples.len() < SHOWN {
                preview.examples.push(seen(row));
            }
            return;
        };
        let Some(previous) = previous.filter(|previous| previous.is_complete()) else { return };
        *preview.missed.entry(why.as_str()).or_default() += 1;
        if preview.missed_examples.len() < SHOWN {
            preview.missed_examples.push(Missed { row: seen(row), previous: previous.clone(), why });
        }
    }

    /// Why it doesn't mean a row; `None` = it does.
    fn misses(&self, view: &View<'_>, previous: Option<&Standing>, is_unchanged: bool) -> Option<Why> {
        if self.filter.as_ref().is_some_and(|filter| !filter.matches(view)) {
            return Some(Why::Filter);
        }
        if let Some(mutable) = &self.mutable_filter {
            let decided = previous.map(Standing::previous);
            let is_meant =
                decided.as_ref().is_some_and(|decided| mutable.matches(&View { previous: Some(decided), ..*view }));
            if !is_meant {
                return Some(Why::MutableFilter);
            }
        }
        (self.only_unchanged && !is_unchanged).then_some(Why::Changed)
    }
}

fn seen(row: &Collected) -> Seen {
    let (source, destination) = (&row.source.shown, &row.destination.shown);
    Seen {
        source: (source.id, source.name.clone()),
        destination: (destination.id, destination.name.clone()),
        application: (source.datasource_id, source.datasource_name.clone()),
    }
}
