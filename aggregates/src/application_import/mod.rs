//! Imports: one short stream each, from staging to its end (contracts §1.7, rulings 13–19).
//!
//! What an import changed lives on the streams of identities, accounts and entitlements; each of those events names it.

mod events;
mod metrics;
mod removals;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use events::ApplicationImportEvent;
pub use metrics::{KindMetrics, Metrics};
pub use removals::{Removals, Share};

use crate::violation::Refusal;

/// The stream type.
pub const TYPE: &str = "application_import";

/// How an import was started (rulings 14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ImportType {
    /// By its schedule's clock.
    Scheduled,
    /// At the command line.
    Manual,
    /// By `stage` or `upload`.
    #[serde(rename = "API")]
    Api,
}

impl ImportType {
    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "Scheduled",
            Self::Manual => "Manual",
            Self::Api => "API",
        }
    }
}

/// A file that an import reads; its bytes are kept as evidence under their SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportFile {
    /// Of this file in this import.
    pub id: Uuid,
    /// The group it fills.
    pub file_group_id: Uuid,
    /// The group's name at the time.
    pub file_group: String,
    /// The file's name or its path in the shared directory.
    pub name: String,
    /// SHA-256 of its bytes, lower-case hex.
    pub sha256: String,
    /// In bytes.
    pub size: u64,
}

/// Where an import stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Status {
    /// Waits for a worker.
    #[default]
    Pending,
    /// A worker has it.
    Running,
    /// Cancel was asked for.
    Canceling,
    /// Ended at somebody's wish.
    Canceled,
    /// Ended without success; nothing or a part was applied, as its log says.
    Failed,
    /// Ended well.
    Finished,
}

impl Status {
    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Canceling => "Canceling",
            Self::Canceled => "Canceled",
            Self::Failed => "Failed",
            Self::Finished => "Finished",
        }
    }

    /// Nothing more happens to it.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Canceled | Self::Failed | Self::Finished)
    }
}

/// An import's state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ApplicationImport {
    /// The application; `None` before it was staged.
    pub application_id: Option<Uuid>,
    /// Where it stands.
    pub status: Status,
    /// Reads the schedule's files (as opposed to uploaded ones).
    pub from_schedule: bool,
    /// The files read.
    pub files: Vec<ImportFile>,
    /// The version of the application's stream that the first claim fixed: a resumed import reads by the same rules.
    pub application_version: Option<i64>,
    /// The application delivers identities.
    pub is_identity_source: bool,
    /// How often a worker took it.
    pub attempts: u32,
    /// The complete difference, once planned.
    pub planned: Option<Metrics>,
    /// What it would remove, when that is more than the application allows.
    pub held: Option<Removals>,
    /// The import whose removals it may make.
    pub accepts_removals_of: Option<Uuid>,
    /// Plans and applies nothing.
    pub is_preview: bool,
    /// A tick of the schedule that was skipped: this is no import and never becomes one.
    pub is_skipped: bool,
}

/// What can be asked of an import.
#[derive(Debug, Clone)]
pub enum ApplicationImportCommand {
    /// Make it: with uploaded files, or (`files` empty) with the schedule's.
    Stage {
        /// What is imported.
        application_id: Uuid,
        /// How it was started.
        import_type: ImportType,
        /// Uploaded files; empty = the schedule's files are read when it runs.
        files: Vec<ImportFile>,
        /// An import of the application that was held back: what it would have removed may be removed.
        accept_removals_of: Option<Uuid>,
        /// Plan and apply nothing (rulings 20).
        preview: bool,
    },
    /// The clock struck while another import of the application was Pending.
    Skip {
        /// What would have been imported.
        application_id: Uuid,
        /// When the schedule wanted it.
        scheduled_for: DateTime<Utc>,
    },
    /// A worker takes it, for the first time or after another's lease ran out.
    Claim {
        /// Which worker.
        worker: String,
        /// The application stream's version now.
        application_version: i64,
        /// The application delivers identities, which span all applications: such imports run one at a time.
        is_identity_source: bool,
    },
    /// The schedule's files were read and their bytes kept.
    KeepFiles(Vec<ImportFile>),
    /// It would remove more than the application allows: nothing is applied.
    HoldRemovals(Removals),
    /// The complete difference is known.
    Plan(Metrics),
    /// Somebody wants it to end.
    RequestCancel,
    /// It ended at somebody's wish.
    Cancel {
        /// For people.
        log: String,
    },
    /// It ended without success.
    Fail {
        /// For people.
        log: String,
    },
    /// It ended well.
    Finish {
        /// For people.
        log: Option<String>,
    },
}

impl ApplicationImport {
    fn expect(&self, allowed: &[Status]) -> Result<(), Refusal> {
        if self.application_id.is_none() {
            return Err(Refusal::NotFound("The application import doesn't exist".to_owned()));
        }
        if allowed.contains(&self.status) {
            return Ok(());
        }
        let allowed: Vec<&str> = allowed.iter().map(|status| status.as_str()).collect();
        Err(Refusal::Conflict(format!(
            "The application import is {}; this is possible while it is {}",
            self.status.as_str(),
            allowed.join(" or ")
        )))
    }

    /// Was it an import of this application that the removal limit held back? Else the reason why it wasn't.
    pub fn check_held(&self, application: Uuid) -> Result<(), &'static str> {
        if self.application_id != Some(application) {
            return Err("the application has no such import");
        }
        if self.held.is_none() || self.status != Status::Failed {
            return Err("it was not held back by the removal limit");
        }
        Ok(())
    }

    fn decide(&self, command: ApplicationImportCommand) -> Result<ApplicationImportEvent, Refusal> {
        use ApplicationImportCommand as Command;
        use ApplicationImportEvent as Event;
        Ok(match command {
            Command::Stage { application_id, import_type, files, accept_removals_of, preview } => {
                if self.application_id.is_some() || self.is_skipped {
                    return Err(Refusal::Conflict("The application import exists already".to_owned()));
                }
                Event::ImportStaged { application_id, import_type, files, accept_removals_of, preview }
            }
            Command::Skip { application_id, scheduled_for } => {
                if self.application_id.is_some() || self.is_skipped {
                    return Err(Refusal::Conflict("The application import exists already".to_owned()));
                }
                Event::ImportSkipped { application_id, scheduled_for }
            }
            Command::Claim { worker, application_version, is_identity_source } => {
                // One that was cancelled before any worker had it needs none: it is Canceled at once.
                let had_worker = self.application_version.is_some();
                self.expect(if had_worker { &[Status::Running, Status::Canceling] } else { &[Status::Pending] })?;
                let application_version = self.application_version.unwrap_or(application_version);
                let is_identity_source = if had_worker { self.is_identity_source } else { is_identity_source };
                Event::ImportClaimed { worker, application_version, is_identity_source }
            }
            Command::KeepFiles(files) => {
                self.expect(&[Status::Running])?;
                if files.is_empty() {
                    return Err(Refusal::Conflict("An import keeps at least one file".to_owned()));
                }
                if !self.files.is_empty() {
                    return Err(Refusal::Conflict("The import's files are kept already".to_owned()));
                }
                Event::ImportFilesKept { files }
            }
            Command::HoldRemovals(removals) => {
                self.expect(&[Status::Running])?;
                if self.planned.is_some() || self.held.is_some() {
                    return Err(Refusal::Conflict("The import is planned or held back already".to_owned()));
                }
                if self.files.is_empty() {
                    return Err(Refusal::Conflict("An import is planned after its files were kept".to_owned()));
                }
                Event::ImportRemovalsHeld { removals }
            }
            Command::Plan(metrics) => {
                self.expect(&[Status::Running])?;
                // A worker that goes on after another plans again, but only what is left: the first plan is the whole.
                if self.planned.is_some() {
                    return Err(Refusal::Conflict("The import is planned already".to_owned()));
                }
                if self.files.is_empty() {
                    return Err(Refusal::Conflict("An import is planned after its files were kept".to_owned()));
                }
                Event::ImportPlanned { metrics }
            }
            Command::RequestCancel => {
                self.expect(&[Status::Pending, Status::Running])?;
                Event::ImportCancelRequested {}
            }
            Command::Cancel { log } => {
                self.expect(&[Status::Canceling])?;
                Event::ImportCanceled { log }
            }
            Command::Fail { log } => {
                self.expect(&[Status::Pending, Status::Running])?;
                Event::ImportFailed { log }
            }
            Command::Finish { log } => {
                self.expect(&[Status::Running])?;
                let Some(metrics) = self.planned.clone() else {
                    return Err(Refusal::Conflict("An import finishes after it was planned".to_owned()));
                };
                Event::ImportFinished { metrics, log }
            }
        })
    }
}

impl cqrs_es::Aggregate for ApplicationImport {
    const TYPE: &'static str = TYPE;
    type Command = ApplicationImportCommand;
    type Event = ApplicationImportEvent;
    type Error = Refusal;
    type Services = ();

    async fn handle(&mut self, command: Self::Command, (): &(), sink: &EventSink<Self>) -> Result<(), Refusal> {
        let event = self.decide(command)?;
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: ApplicationImportEvent) {
        use ApplicationImportEvent as Event;
        match event {
            Event::ImportStaged { application_id, files, accept_removals_of, preview, .. } => {
                self.is_preview = preview;
                self.accepts_removals_of = accept_removals_of;
                self.application_id = Some(application_id);
                self.from_schedule = files.is_empty();
                self.files = files;
            }
            Event::ImportClaimed { application_version, is_identity_source, .. } => {
                self.application_version = Some(application_version);
                self.is_identity_source = is_identity_source;
                self.attempts += 1;
                if self.status == Status::Pending {
                    self.status = Status::Running;
                }
            }
            Event::ImportFilesKept { files } => self.files = files,
            Event::ImportSkipped { .. } => self.is_skipped = true,
            Event::ImportRemovalsHeld { removals } => self.held = Some(removals),
            Event::ImportPlanned { metrics } => self.planned = Some(metrics),
            Event::ImportCancelRequested {} => self.status = Status::Canceling,
            Event::ImportCanceled { .. } => self.status = Status::Canceled,
            Event::ImportFailed { .. } => self.status = Status::Failed,
            Event::ImportFinished { .. } => self.status = Status::Finished,
        }
    }
}

/// The claim that an import from a schedule holds while it is Pending: one at a time for an application (rulings 13).
pub fn pending_claim(application: Uuid) -> String {
    format!("pending-import:{application}")
}

/// The claim that an import holds while a worker has it: imports of one application run one at a time (rulings 14).
pub fn running_claim(application: Uuid) -> String {
    format!("running-import:{application}")
}

/// The claim that an import of identities holds while a worker has it: two at once might make one person twice.
pub const IDENTITIES_CLAIM: &str = "running-import-of-identities";

impl crate::Stream for ApplicationImport {
    fn claims(&self) -> Vec<String> {
        let Some(application) = self.application_id else { return Vec::new() };
        match self.status {
            Status::Pending if self.from_schedule => vec![pending_claim(application)],
            // A cancelled import that a worker had keeps the application until the worker has let go.
            Status::Running | Status::Canceling if self.application_version.is_some() => {
                let mut claims = vec![running_claim(application)];
                if self.is_identity_source {
                    claims.push(IDENTITIES_CLAIM.to_owned());
                }
                claims
            }
            _ => Vec::new(),
        }
    }
}
