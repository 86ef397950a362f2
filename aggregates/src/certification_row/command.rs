use uuid::Uuid;

use super::{Applied, Change, NotificationStatus, Standing};
use crate::access_request::Evidence;
use crate::party::Party;
use crate::violation::Refusal;

/// Where the row's certification stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Its rows are being recorded.
    Searching,
    /// It is reviewed.
    InProgress,
    /// It was completed or has expired at most seven days ago.
    Grace,
    /// That was longer ago.
    Over,
}

impl Phase {
    /// What is told to whoever wants what isn't possible in it.
    pub const fn said(self) -> &'static str {
        match self {
            Self::Searching => "The rows of the certification are still being recorded",
            Self::InProgress => "The certification is being reviewed",
            Self::Grace => "The certification has ended; in its grace period rejected rows can be marked FIXED",
            Self::Over => "The certification has ended",
        }
    }
}

/// What the certification says of a row.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The certification.
    pub certification_id: Uuid,
    /// The row's number in it.
    pub result_id: u32,
    /// Where the certification stands.
    pub phase: Phase,
    /// Whose access the row is about.
    pub identity_id: Uuid,
    /// Who reviews the row now.
    pub reviewers: Vec<Uuid>,
    /// The workflow lets people decide about their own access.
    pub is_self_review_allowed: bool,
}

/// Somebody who decides.
#[derive(Debug, Clone)]
pub struct Reviewer {
    /// Who.
    pub party: Party,
    /// May decide for every reviewer (rulings 1).
    pub is_administrator: bool,
}

/// What can be asked of a row. `request_id` is the access request that a rejection opens.
#[derive(Debug, Clone)]
pub enum CertificationRowCommand {
    /// Decide about it.
    Decide {
        /// What the certification says.
        setting: Setting,
        /// Who.
        by: Reviewer,
        /// What.
        change: Change,
        /// Who is to review it; `None` = as it is.
        reviewers: Option<Vec<Uuid>>,
        /// Whether somebody was told; `None` = as it is.
        notification_status: Option<NotificationStatus>,
        /// An administrator overrides sign-off and end.
        is_forced: bool,
        /// As one of all rows that a filter means.
        run_id: Option<Uuid>,
        /// See above.
        request_id: Uuid,
    },
    /// Automations change it.
    Automate {
        /// What the certification says.
        setting: Setting,
        /// Which run.
        run_id: Uuid,
        /// Those that have a say.
        automations: Vec<Applied>,
        /// On what they agree.
        change: Change,
        /// See above.
        request_id: Uuid,
    },
    /// A run's decision is reversed, unless somebody touched the row since.
    Undo {
        /// What the certification says.
        setting: Setting,
        /// Which run.
        run_id: Uuid,
        /// Who reverses it.
        by: Party,
        /// How it stood before.
        to: Standing,
        /// See above.
        request_id: Uuid,
    },
    /// An import shows the rejected access gone.
    Fix {
        /// What the certification says.
        setting: Setting,
        /// Which import.
        evidence: Evidence,
    },
}

impl Setting {
    /// May they decide about this row? Its reviewers and administrators may, nobody about their own access (rulings 1, 38). Where
    /// nobody is named, everybody else who may change anything does.
    ///
    /// # Errors
    /// They may not.
    pub fn allow(&self, by: &Reviewer) -> Result<(), Refusal> {
        let identity = by.party.identity_id;
        if self.is_own(&by.party) {
            return Err(Refusal::Conflict("Nobody decides about their own access".to_owned()));
        }
        let is_named = identity.is_some_and(|identity| self.reviewers.contains(&identity));
        if is_named || by.is_administrator || self.reviewers.is_empty() {
            return Ok(());
        }
        Err(Refusal::Conflict("Only the row's reviewers and administrators decide about it".to_owned()))
    }

    /// Is it about their own access, and the workflow doesn't let them decide about that?
    pub(super) fn is_own(&self, by: &Party) -> bool {
        by.identity_id == Some(self.identity_id) && !self.is_self_review_allowed
    }

    /// The certification must stand so.
    pub(super) fn expect(&self, allowed: &[Phase]) -> Result<(), Refusal> {
        if allowed.contains(&self.phase) {
            return Ok(());
        }
        Err(Refusal::Conflict(self.phase.said().to_owned()))
    }
}
