//! Runs: what was decided about many rows of a certification at once, by its automations when it was made (seed 004, rulings
//! 35-36) or by somebody's filter (rulings 38). This stream is the lifecycle; what was decided is on the rows' own streams, and how
//! far it went in [`crate::automation_run_rows`].

mod effect;
mod row_set;
#[cfg(test)]
mod tests;

use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use effect::{Effect, Field, effect};
pub use row_set::RowSet;

use crate::automation_run_rows::Counts;
use crate::certification::NamedAutomation;
use crate::certification_row::Change;
use crate::party::Party;
use crate::violation::Refusal;

/// The stream type.
pub const TYPE: &str = "automation_run";

/// What a run does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Plan {
    /// The automations of a certification, over all its rows.
    Automations {
        /// As they were when it was made.
        automations: Vec<NamedAutomation>,
    },
    /// What somebody decided about all rows that their filters meant.
    Decision {
        /// Which rows were asked for.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        filter: String,
        /// Which, by what is and was decided about them.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        mutable_filter: String,
        /// What becomes of them.
        change: Change,
        /// Who decides.
        by: Party,
        /// They decide for every reviewer.
        is_administrator: bool,
        /// The rows that this meant when it was asked for, those that they may not decide about left out.
        #[serde(default)]
        rows: RowSet,
        /// The log's last position when they were looked for: rows that anybody touched later are theirs.
        position: i64,
        /// How many were left out.
        #[serde(default)]
        not_theirs: u64,
    },
}

impl Plan {
    /// Its automations; a decision by filter has none.
    pub fn automations(&self) -> &[NamedAutomation] {
        match self {
            Self::Automations { automations } => automations,
            Self::Decision { .. } => &[],
        }
    }

    /// What its blocks counted, by its automations' places (a decision by filter has one), with the rows that were left out before it began.
    pub fn counts(&self, blocks: impl IntoIterator<Item = Vec<Counts>>) -> Vec<Counts> {
        let mut sum = match self {
            Self::Automations { automations } => vec![Counts::default(); automations.len()],
            Self::Decision { not_theirs, .. } => {
                vec![Counts { matched: *not_theirs, skipped: *not_theirs, ..Counts::default() }]
            }
        };
        for block in blocks {
            for (sum, count) in sum.iter_mut().zip(block) {
                *sum += count;
            }
        }
        sum
    }
}

crate::event::events! {
    /// What happens to a run.
    AutomationRunEvent {
        /// It began.
        AutomationRunStarted("1.0") { certification_id: Uuid, plan: Plan }
        /// A worker goes on with it.
        AutomationRunClaimed("1.0") { worker: String }
        /// Every row was looked at.
        AutomationRunCompleted("1.0") { counts: Vec<Counts> }
        /// It stopped; what was applied stays.
        AutomationRunFailed("1.0") { message: String, counts: Vec<Counts> }
        /// Its decisions are to be reversed.
        AutomationRunUndoStarted("1.0") {}
        /// They are, but for rows that somebody touched since.
        AutomationRunUndone("1.0") { reversed: u64, kept: u64 }
    }
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words of the API")]
pub enum Status {
    #[default]
    Running,
    Completed,
    Error,
    Undoing,
    Undone,
}

impl Status {
    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Error => "ERROR",
            Self::Undoing => "UNDOING",
            Self::Undone => "UNDONE",
        }
    }
}

/// A run's state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct AutomationRun {
    /// How often a worker has taken it up since it began or was to be undone.
    pub attempts: u32,
    /// Which certification, and what it does; `None` before it began.
    pub plan: Option<(Uuid, Plan)>,
    /// Where it stands.
    pub status: Status,
}

/// What can be asked of a run.
#[derive(Debug, Clone)]
pub enum AutomationRunCommand {
    /// Begin it.
    Start {
        /// Of which certification.
        certification_id: Uuid,
        /// What it does.
        plan: Plan,
    },
    /// Go on with it.
    Claim {
        /// Who does.
        worker: String,
    },
    /// Every row was looked at.
    Complete {
        /// By automation.
        counts: Vec<Counts>,
    },
    /// It can't go on.
    Fail {
        /// Why.
        message: String,
        /// By automation.
        counts: Vec<Counts>,
    },
    /// Reverse it.
    Undo,
    /// It is reversed.
    CompleteUndo {
        /// Rows that stand as before it.
        reversed: u64,
        /// Rows that somebody touched since.
        kept: u64,
    },
}

use AutomationRunCommand as Command;
use AutomationRunEvent as Event;

impl AutomationRun {
    fn expect(&self, allowed: &[Status]) -> Result<(), Refusal> {
        if self.plan.is_none() {
            return Err(Refusal::NotFound("The run doesn't exist".to_owned()));
        }
        if allowed.contains(&self.status) {
            return Ok(());
        }
        let allowed: Vec<&str> = allowed.iter().map(|status| status.as_str()).collect();
        let message =
            format!("The run is {}; this is possible while it is {}", self.status.as_str(), allowed.join(" or "));
        Err(Refusal::Conflict(message))
    }

    fn decide(&self, command: Command) -> Result<Event, Refusal> {
        Ok(match command {
            Command::Start { certification_id, plan } => {
                if self.plan.is_some() {
                    return Err(Refusal::Conflict("The run exists already".to_owned()));
                }
                Event::AutomationRunStarted { certification_id, plan }
            }
            Command::Claim { worker } => {
                self.expect(&[Status::Running, Status::Undoing])?;
                Event::AutomationRunClaimed { worker }
            }
            Command::Complete { counts } => {
                self.expect(&[Status::Running])?;
                Event::AutomationRunCompleted { counts }
            }
            Command::Fail { message, counts } => {
                self.expect(&[Status::Running])?;
                Event::AutomationRunFailed { message, counts }
            }
            Command::Undo => {
                self.expect(&[Status::Completed, Status::Error])?;
                Event::AutomationRunUndoStarted {}
            }
            Command::CompleteUndo { reversed, kept } => {
                self.expect(&[Status::Undoing])?;
                Event::AutomationRunUndone { reversed, kept }
            }
        })
    }
}

impl cqrs_es::Aggregate for AutomationRun {
    const TYPE: &'static str = TYPE;
    type Command = AutomationRunCommand;
    type Event = AutomationRunEvent;
    type Error = Refusal;
    type Services = ();

    async fn handle(&mut self, command: Command, (): &(), sink: &EventSink<Self>) -> Result<(), Refusal> {
        let event = self.decide(command)?;
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::AutomationRunStarted { certification_id, plan } => self.plan = Some((certification_id, plan)),
            Event::AutomationRunClaimed { .. } => self.attempts += 1,
            Event::AutomationRunCompleted { .. } => self.status = Status::Completed,
            Event::AutomationRunFailed { .. } => self.status = Status::Error,
            Event::AutomationRunUndoStarted {} => {
                self.status = Status::Undoing;
                self.attempts = 0;
            }
            Event::AutomationRunUndone { .. } => self.status = Status::Undone,
        }
    }
}

impl crate::Stream for AutomationRun {}
