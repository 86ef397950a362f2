use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Requested, Stage};
use crate::ballot::{Answer, Voter};
use crate::party::{Comment, Party};

/// What can be asked of a personnel event.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "lives for one request")]
pub enum PersonnelEventCommand {
    /// Make it.
    Request {
        /// What.
        request: Requested,
        /// Who asks.
        reporter: Party,
        /// The default responders.
        responders: Vec<Uuid>,
        /// The time.
        at: DateTime<Utc>,
    },
    /// Say yes or no to Approval or Verification.
    Answer {
        /// Which stage.
        stage: Stage,
        /// Who.
        voter: Voter,
        /// What.
        answer: Answer,
        /// Why.
        comment: Option<String>,
        /// The identity that an approved onboarding makes.
        new_identity: Uuid,
        /// The time.
        at: DateTime<Utc>,
    },
    /// Take answers back.
    Reset {
        /// Of which stage.
        stage: Stage,
        /// Whose.
        voter: Voter,
    },
    /// Time has passed: the date may have come.
    Wake {
        /// The time.
        at: DateTime<Utc>,
    },
    /// The next stage of work begins with these access requests.
    Start {
        /// What is to be done.
        requests: Vec<Uuid>,
        /// Its time.
        at: DateTime<Utc>,
    },
    /// Somebody says that a stage of work is done.
    Complete {
        /// Which stage.
        stage: Stage,
        /// Access requests of the event that are not yet provisioned: their numbers.
        outstanding: Vec<i64>,
        /// Who says so.
        by: Party,
        /// The time.
        at: DateTime<Utc>,
    },
    /// Its access requests have moved on: the stages follow.
    Settle {
        /// Every access request is at least provisioned.
        is_provisioned: bool,
        /// Every access request is verified.
        is_verified: bool,
        /// Who makes it so.
        by: Party,
        /// The time.
        at: DateTime<Utc>,
    },
    /// Somebody looks after it.
    Assign(Option<Uuid>),
    /// Remark something.
    Comment(Comment),
    /// Other dates.
    Reschedule {
        /// When it takes effect; `None` = as it is.
        effective_at: Option<DateTime<Utc>>,
        /// When it ends; `None` = as it is.
        end_at: Option<DateTime<Utc>>,
        /// The first moment of today in the configured timezone.
        today: DateTime<Utc>,
        /// The time.
        at: DateTime<Utc>,
    },
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
