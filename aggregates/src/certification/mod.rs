//! Certifications: one review of access, made from a workflow (contracts §3.4, rulings 36-38). This stream is the lifecycle only; what
//! is reviewed is in [`crate::certification_rows`], what is decided in [`crate::certification_row`].

mod definition;
mod history;
#[cfg(test)]
mod tests;

use chrono::{DateTime, TimeDelta, Utc};
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use definition::{Assignment, CertificationDefinition, NAME_LIMIT, NamedAutomation, Proposed};
pub use history::{History, Known};

use crate::certification_row::Phase;
use crate::violation::{Refusal, refuse_if_any};

/// The stream type.
pub const TYPE: &str = "certification";

/// How long after its end a rejected row may still become FIXED (rulings 37).
pub const GRACE: TimeDelta = TimeDelta::days(7);

/// Rows in the feeds = in scope + out of scope by filter + uncorrelated: what an auditor reconciles.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Completeness {
    /// Grants of the workflow's applications.
    pub rows_in_feeds: u64,
    /// Those that are reviewed.
    pub in_scope: u64,
    /// Those that the filter leaves out.
    pub out_of_scope_by_filter: u64,
    /// Those of accounts that nobody is known to have.
    pub uncorrelated: u64,
    /// The same by application.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applications: Vec<ApplicationCompleteness>,
}

/// The account of one application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "as in the whole account")]
pub struct ApplicationCompleteness {
    pub application_id: Uuid,
    pub name: String,
    pub rows_in_feeds: u64,
    pub in_scope: u64,
    pub out_of_scope_by_filter: u64,
    pub uncorrelated: u64,
}

impl Completeness {
    /// The account of all applications.
    pub fn of(applications: Vec<ApplicationCompleteness>) -> Self {
        let sum = |count: fn(&ApplicationCompleteness) -> u64| applications.iter().map(count).sum();
        Self {
            rows_in_feeds: sum(|of| of.rows_in_feeds),
            in_scope: sum(|of| of.in_scope),
            out_of_scope_by_filter: sum(|of| of.out_of_scope_by_filter),
            uncorrelated: sum(|of| of.uncorrelated),
            applications,
        }
    }
}

crate::event::events! {
    /// What happens to a certification.
    CertificationEvent {
        /// It was made. What it reviews is access as it was at this event's position.
        CertificationCreated("1.0") { definition: Box<CertificationDefinition> }
        /// A worker records its rows.
        CertificationSearchClaimed("1.0") { worker: String }
        /// All rows are recorded: reviewers may begin. `runId` is the run of its automations, if it has any.
        CertificationSearchCompleted("1.0") {
            completeness: Completeness,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            run_id: Option<Uuid>,
        }
        /// Somebody ended it.
        CertificationCompleted("1.0") {}
        /// Its due date has come.
        CertificationExpired("1.0") {}
    }
}

/// Where a certification stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words of the API")]
pub enum State {
    #[default]
    Searching,
    InProgress,
    Completed,
    Expired,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Searching, Self::InProgress, Self::Completed, Self::Expired];

    /// The word of the API (contracts §3.4; the last one by rulings 37).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Searching => "CERT_STATE_SEARCHING",
            Self::InProgress => "CERT_STATE_IN_PROGRESS",
            Self::Completed => "CERT_STATE_COMPLETED",
            Self::Expired => "CERT_STATE_EXPIRED",
        }
    }

    /// The state of a word.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// What rows may be done to now; `ended_at` is when it was completed or has expired, else when it will expire: the due date holds
    /// also before a worker says so.
    pub fn phase(self, ended_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Phase {
        match (self, ended_at) {
            (Self::Searching, _) => Phase::Searching,
            (Self::InProgress, None) => Phase::InProgress,
            (Self::InProgress, Some(due)) if now < due => Phase::InProgress,
            (_, Some(ended)) if now < ended + GRACE => Phase::Grace,
            _ => Phase::Over,
        }
    }
}

/// A certification's state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Certification {
    /// What it is; `None` before it was made.
    pub definition: Option<CertificationDefinition>,
    /// Where it stands.
    pub state: State,
}

/// What can be asked of a certification.
#[derive(Debug, Clone)]
pub enum CertificationCommand {
    /// Make it.
    Create(Box<Proposed>),
    /// Record its rows.
    Claim {
        /// Who does.
        worker: String,
    },
    /// All rows are recorded.
    CompleteSearch {
        /// The account.
        completeness: Completeness,
        /// The run of its automations.
        run_id: Option<Uuid>,
    },
    /// End it.
    Complete,
    /// Time has passed.
    Expire {
        /// The time.
        at: DateTime<Utc>,
    },
}

use CertificationCommand as Command;
use CertificationEvent as Event;

impl Certification {
    fn existing(&self) -> Result<&CertificationDefinition, Refusal> {
        self.definition.as_ref().ok_or_else(|| Refusal::NotFound("The certification doesn't exist".to_owned()))
    }

    fn expect(&self, state: State, what: &str) -> Result<&CertificationDefinition, Refusal> {
        let definition = self.existing()?;
        if self.state == state {
            return Ok(definition);
        }
        Err(Refusal::Conflict(format!(
            "{what} is possible in {}; the certification is in {}",
            state.as_str(),
            self.state.as_str()
        )))
    }

    fn decide(&self, command: Command) -> Result<Option<Event>, Refusal> {
        Ok(match command {
            Command::Create(proposed) => {
                if self.definition.is_some() {
                    return Err(Refusal::Conflict("The certification exists already".to_owned()));
                }
                refuse_if_any(proposed.violations())?;
                Some(Event::CertificationCreated { definition: Box::new(proposed.definition) })
            }
            Command::Claim { worker } => {
                self.expect(State::Searching, "Recording rows")?;
                Some(Event::CertificationSearchClaimed { worker })
            }
            Command::CompleteSearch { completeness, run_id } => {
                self.expect(State::Searching, "Recording rows")?;
                Some(Event::CertificationSearchCompleted { completeness, run_id })
            }
            Command::Complete => {
                // Also while its rows are recorded: one whose rows can't be read must have an end, too.
                if self.state != State::Searching {
                    self.expect(State::InProgress, "Completing")?;
                }
                self.existing()?;
                Some(Event::CertificationCompleted {})
            }
            Command::Expire { at } => {
                let definition = self.existing()?;
                let is_due = definition.due_at.is_some_and(|due| due <= at);
                (is_due && self.state == State::InProgress).then_some(Event::CertificationExpired {})
            }
        })
    }
}

impl cqrs_es::Aggregate for Certification {
    const TYPE: &'static str = TYPE;
    type Command = CertificationCommand;
    type Event = CertificationEvent;
    type Error = Refusal;
    type Services = ();

    async fn handle(&mut self, command: Command, (): &(), sink: &EventSink<Self>) -> Result<(), Refusal> {
        if let Some(event) = self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::CertificationCreated { definition } => self.definition = Some(*definition),
            Event::CertificationSearchClaimed { .. } => {}
            Event::CertificationSearchCompleted { .. } => self.state = State::InProgress,
            Event::CertificationCompleted {} => self.state = State::Completed,
            Event::CertificationExpired {} => self.state = State::Expired,
        }
    }
}

impl crate::Stream for Certification {}
