use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Requested, Stage};
use crate::ballot::Response;
use crate::party::{Comment, Party};

crate::event::events! {
    /// What happens to a personnel event.
    #[expect(clippy::large_enum_variant, reason = "lives for one batch")]
    PersonnelEventEvent {
        /// Somebody asked for it. `responders` answer its Approval and its Verification; `is_due` = its date has come already.
        PersonnelEventRequested("1.0") { request: Requested, reporter: Party, responders: Vec<Uuid>, is_due: bool, at: DateTime<Utc> }
        /// Its effective date has come.
        PersonnelEventDue("1.0") {}
        /// A responder answered.
        PersonnelStageAnswered("1.0") { stage: Stage, response: Response }
        /// A responder took the answer back.
        PersonnelStageReset("1.0") { stage: Stage, #[serde(default, skip_serializing_if = "Option::is_none")] responder: Option<Uuid> }
        /// A stage began; `requests` are the access requests that it made.
        PersonnelStageStarted("1.0") { stage: Stage, requests: Vec<Uuid> }
        /// A stage is done.
        PersonnelStageCompleted("1.0") { stage: Stage, by: Party, at: DateTime<Utc> }
        /// All responders have answered, and at least one said no.
        PersonnelStageRejected("1.0") { stage: Stage, at: DateTime<Utc> }
        /// Verification was rejected: this stage is worked on again, and somebody must say when it is done.
        PersonnelStageReopened("1.0") { stage: Stage }
        /// An onboarding was approved: the identity came into being.
        PersonnelIdentityCreated("1.0") { identity_id: Uuid }
        /// Somebody looks after it, or (`None`) nobody does any more.
        PersonnelEventAssigned("1.0") { #[serde(default, skip_serializing_if = "Option::is_none")] assignee_id: Option<Uuid> }
        /// Somebody remarked something.
        PersonnelEventCommented("1.0") { comment: Comment }
        /// Its dates are others now.
        PersonnelEventRescheduled("1.0") {
            effective_at: DateTime<Utc>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            end_at: Option<DateTime<Utc>>,
            is_due: bool,
        }
        /// It ended before its time.
        PersonnelEventCanceled("1.0") { reason: String, by: Party, at: DateTime<Utc> }
        /// It ended well.
        PersonnelEventCompleted("1.0") { at: DateTime<Utc> }
    }
}
