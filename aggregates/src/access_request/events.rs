use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Evidence, RequestedAccess};
use crate::ballot::Response;
use crate::party::{Comment, Party};

crate::event::events! {
    /// What happens to an access request.
    AccessRequestEvent {
        /// Somebody, or a personnel event, asked for it. `is_approved` = the personnel event's approval covers it.
        AccessRequested("1.0") {
            request: RequestedAccess,
            reporter: Party,
            responders: Vec<Uuid>,
            is_approved: bool,
            is_due: bool,
            at: DateTime<Utc>,
        }
        /// A responder answered.
        AccessRequestAnswered("1.0") { response: Response }
        /// A responder took the answer back.
        AccessRequestReset("1.0") { #[serde(default, skip_serializing_if = "Option::is_none")] responder: Option<Uuid> }
        /// All responders said yes.
        AccessRequestApproved("1.0") { by: Party, at: DateTime<Utc> }
        /// Its date has come.
        AccessRequestDue("1.0") {}
        /// Somebody carried it out.
        AccessRequestProvisioned("1.0") { by: Party, at: DateTime<Utc> }
        /// Somebody couldn't carry it out.
        AccessRequestFailed("1.0") { reason: String, by: Party, at: DateTime<Utc> }
        /// It is so: an import shows it, or (without `evidence`) somebody says so.
        AccessRequestVerified("1.0") {
            #[serde(default, skip_serializing_if = "Option::is_none")]
            evidence: Option<Evidence>,
            by: Party,
            at: DateTime<Utc>,
        }
        /// A later import shows it undone: a finding.
        AccessRequestReopened("1.0") { evidence: Evidence, at: DateTime<Utc> }
        /// Somebody looks after it, or (`None`) nobody does any more.
        AccessRequestAssigned("1.0") { #[serde(default, skip_serializing_if = "Option::is_none")] assignee_id: Option<Uuid> }
        /// Somebody remarked something.
        AccessRequestCommented("1.0") { comment: Comment }
        /// It ended before its time.
        AccessRequestCanceled("1.0") { reason: String, by: Party, at: DateTime<Utc> }
    }
}
