//! Jobs that export and import configuration objects (contracts §2.2, rulings 40-46).

pub mod directory;
mod events;
pub mod incoming;
mod options;
pub mod plan;
#[cfg(test)]
mod plan_tests;
pub mod resolve;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};

pub use events::{Artifact, ConfigJobEvent, Task};
pub use options::{DefaultReference, ImportOptions, Objects, Selection};

use crate::violation::{Refusal, check_length, refuse_if_any};

/// The stream type.
pub const TYPE: &str = "config_job";

/// Where a job is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// It waits for a worker.
    #[default]
    NotStarted,
    /// A worker has it.
    InProgress,
    /// It did all of it.
    Complete,
    /// It couldn't do all of it.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

impl Status {
    /// The contract's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "NOT_STARTED",
            Self::InProgress => "IN_PROGRESS",
            Self::Complete => "COMPLETE",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// Nothing happens to it any more.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Complete | Self::Failed | Self::Cancelled)
    }
}

/// A job's state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ConfigJob {
    /// What it does; `None` before it was asked for.
    pub task: Option<Task>,
    /// Where it is.
    pub status: Status,
    /// How often a worker took it up.
    pub attempts: u32,
    is_restored: bool,
}

/// What can be asked of a job.
#[derive(Debug, Clone)]
pub enum ConfigJobCommand {
    /// Begin it.
    Start {
        /// What it does.
        task: Task,
        /// At most 4,000 characters.
        description: Option<String>,
        /// From then on its files can't be downloaded.
        expires_at: DateTime<Utc>,
    },
    /// Take it up, for the first time or after another worker died.
    Claim {
        /// Which worker.
        worker: String,
    },
    /// All of it is done.
    Complete {
        /// The file that tells.
        result: Artifact,
        /// Exported, or made and changed.
        objects: u64,
    },
    /// Not all of it could be done.
    Fail {
        /// Why.
        reason: String,
        /// The file that tells, if it came that far.
        result: Option<Artifact>,
        /// Made and changed nevertheless.
        objects: u64,
    },
    /// Stop it.
    Cancel,
    /// Put what it imported back, in the same append.
    Restore {
        /// Put back.
        objects: u64,
    },
}

use ConfigJobCommand as Command;
use ConfigJobEvent as Event;

impl ConfigJob {
    fn decide(&self, command: Command) -> Result<Event, Refusal> {
        if let Command::Start { task, description, expires_at } = command {
            if self.task.is_some() {
                return Err(Refusal::Conflict("The job exists already".to_owned()));
            }
            let mut found = Vec::new();
            if let Some(description) = &description {
                check_length(&mut found, "description", "Description", description, 4000);
            }
            found.extend(match &task {
                Task::Export { selection, .. } => selection.violations(),
                Task::Import { options, .. } => options.violations(),
            });
            refuse_if_any(found)?;
            return Ok(Event::ConfigJobStarted { task, description, expires_at });
        }
        if self.task.is_none() {
            return Err(Refusal::NotFound("The job doesn't exist".to_owned()));
        }
        if let Command::Restore { objects } = command {
            return match &self.task {
                _ if self.is_restored => Err(Refusal::Conflict("The import is restored already".to_owned())),
                Some(Task::Import { preview: false, .. }) if self.status.is_final() => {
                    Ok(Event::ConfigJobRestored { objects })
                }
                Some(Task::Import { preview: false, .. }) => Err(Refusal::Conflict(format!(
                    "The import is {}; it can be restored when it has ended",
                    self.status.as_str()
                ))),
                _ => Err(Refusal::Conflict("Only imports that imported something can be restored".to_owned())),
            };
        }
        if self.status.is_final() {
            return Err(Refusal::Conflict(format!("The job is {} already", self.status.as_str())));
        }
        Ok(match command {
            Command::Claim { worker } => Event::ConfigJobClaimed { worker },
            Command::Complete { result, objects } => Event::ConfigJobCompleted { result, objects },
            Command::Fail { reason, result, objects } => Event::ConfigJobFailed { reason, result, objects },
            Command::Cancel | Command::Start { .. } | Command::Restore { .. } => Event::ConfigJobCanceled {},
        })
    }
}

impl cqrs_es::Aggregate for ConfigJob {
    const TYPE: &'static str = TYPE;
    type Command = ConfigJobCommand;
    type Event = ConfigJobEvent;
    type Error = Refusal;
    type Services = ();

    async fn handle(&mut self, command: Command, (): &(), sink: &EventSink<Self>) -> Result<(), Refusal> {
        let event = self.decide(command)?;
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: Event) {
        self.status = match event {
            Event::ConfigJobStarted { task, .. } => {
                self.task = Some(task);
                Status::NotStarted
            }
            Event::ConfigJobClaimed { .. } => {
                self.attempts += 1;
                Status::InProgress
            }
            Event::ConfigJobCompleted { .. } => Status::Complete,
            Event::ConfigJobFailed { .. } => Status::Failed,
            Event::ConfigJobCanceled {} => Status::Cancelled,
            Event::ConfigJobRestored { .. } => {
                self.is_restored = true;
                self.status
            }
        };
    }
}

impl crate::Stream for ConfigJob {}
