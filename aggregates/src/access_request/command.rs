use chrono::{DateTime, Utc};

use super::{Evidence, RequestedAccess};
use crate::ballot::{Answer, Voter};
use crate::party::{Comment, Party};
use uuid::Uuid;

/// What can be asked of an access request.
#[derive(Debug, Clone)]
pub enum AccessRequestCommand {
    /// Make it.
    Request {
        /// What.
        request: RequestedAccess,
        /// Who asks.
        reporter: Party,
        /// Who must answer; nobody in particular when empty.
        responders: Vec<Uuid>,
        /// The personnel event's approval covers it.
        is_approved: bool,
        /// The time.
        at: DateTime<Utc>,
    },
    /// Say yes or no.
    Answer {
        /// Who.
        voter: Voter,
        /// What.
        answer: Answer,
        /// Why.
        comment: Option<String>,
        /// The time.
        at: DateTime<Utc>,
    },
    /// Take answers back.
    Reset(Voter),
    /// Time has passed: the date may have come.
    Wake {
        /// The time.
        at: DateTime<Utc>,
    },
    /// It was carried out.
    Provision {
        /// Who says so.
        by: Party,
        /// The time.
        at: DateTime<Utc>,
    },
    /// It couldn't be carried out.
    Fail {
        /// Why.
        reason: String,
        /// Who says so.
        by: Party,
        /// The time.
        at: DateTime<Utc>,
    },
    /// It is so.
    Verify {
        /// The import that shows it; `None` = somebody says so.
        evidence: Option<Evidence>,
        /// Who.
        by: Party,
        /// The time.
        at: DateTime<Utc>,
    },
    /// A later import shows it undone.
    Reopen {
        /// Which import.
        evidence: Evidence,
        /// The time.
        at: DateTime<Utc>,
    },
    /// Somebody looks after it.
    Assign(Option<Uuid>),
    /// Remark something.
    Comment(Comment),
    /// End it before its time.
    Cancel {
        /// Why.
        reason: Option<String>,
        /// Who.
        by: Party,
        /// The time.
        at: DateTime<Utc>,
    },
}
