use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{PersonnelEvent, Stage, Status};
use crate::ballot::Ballot;
use crate::party::Party;

/// A stage of an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StageState {
    /// Which.
    pub stage: Stage,
    /// Waits for somebody.
    pub is_open: bool,
    /// Verification was rejected after it: somebody must say when it is done now.
    pub is_reopened: bool,
    /// Its responders said no.
    pub is_rejected: bool,
    /// Who must answer, where responders do.
    pub ballot: Option<Ballot>,
    /// The access requests that it made.
    pub requests: Vec<Uuid>,
    /// When it was done.
    pub completed_at: Option<DateTime<Utc>>,
    /// Who said so.
    pub completed_by: Option<Party>,
}

/// Where a stage stands, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the words of the API")]
pub enum StageStatus {
    Pending,
    Open,
    Scheduled,
    Snoozed,
    Completed,
    Rejected,
    Canceled,
}

impl StageState {
    pub(super) fn new(stage: Stage, responders: &[Uuid]) -> Self {
        Self {
            stage,
            is_open: stage == Stage::Approval,
            is_reopened: false,
            is_rejected: false,
            ballot: stage.is_answered().then(|| Ballot::of(responders.to_vec())),
            requests: Vec::new(),
            completed_at: None,
            completed_by: None,
        }
    }

    /// Is it done?
    pub const fn is_completed(&self) -> bool {
        self.completed_at.is_some()
    }

    /// Where it stands in its event.
    pub fn status(&self, of: &PersonnelEvent) -> StageStatus {
        let is_current = of.current().is_some_and(|current| current.stage == self.stage);
        match of.status() {
            _ if self.is_rejected => StageStatus::Rejected,
            _ if self.is_completed() => StageStatus::Completed,
            Status::Canceled => StageStatus::Canceled,
            _ if self.is_open => StageStatus::Open,
            Status::Snoozed if is_current => StageStatus::Snoozed,
            Status::Scheduled if is_current => StageStatus::Scheduled,
            _ => StageStatus::Pending,
        }
    }
}
