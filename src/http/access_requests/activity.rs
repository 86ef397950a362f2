//! What happened to a request, in words.

use aggregates::access_request::AccessRequestEvent as Event;
use uuid::Uuid;

use crate::http::party::Names;

/// The identity that an event names in its words.
pub(super) fn named(event: &Event) -> Option<Uuid> {
    match event {
        Event::AccessRequestAnswered { response } => response.responder,
        Event::AccessRequestAssigned { assignee_id } => *assignee_id,
        _ => None,
    }
}

/// The event in words.
pub(super) fn words(event: &Event, names: &Names) -> String {
    match event {
        Event::AccessRequested { request, .. } => {
            let count = request.privileges.len();
            let suggested = if request.is_suggested { "suggested" } else { "requested" };
            format!("{} was {suggested}; privileges: {count}", request.action.as_str())
        }
        Event::AccessRequestAnswered { response } => {
            let whom = response.responder.map(|id| format!(" for {}", names.party(id).name)).unwrap_or_default();
            let why = response.comment.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
            format!("{}{whom}{why}", response.answer.as_str())
        }
        Event::AccessRequestReset { .. } => "An answer was taken back".to_owned(),
        Event::AccessRequestApproved { .. } => "Approved by all".to_owned(),
        Event::AccessRequestDue {} => "Its date has come".to_owned(),
        Event::AccessRequestProvisioned { .. } => "Carried out".to_owned(),
        Event::AccessRequestFailed { reason, .. } => format!("Failed: {reason}"),
        Event::AccessRequestVerified { evidence: Some(evidence), .. } => {
            format!("Import {} shows it", evidence.number)
        }
        Event::AccessRequestVerified { evidence: None, .. } => "Verified by hand".to_owned(),
        Event::AccessRequestReopened { evidence, .. } => {
            format!("Import {} shows it undone: opened again as a finding", evidence.number)
        }
        Event::AccessRequestAssigned { assignee_id: Some(id) } => format!("Assigned to {}", names.party(*id).name),
        Event::AccessRequestAssigned { assignee_id: None } => "Assigned to nobody".to_owned(),
        Event::AccessRequestCommented { .. } => "A comment was made".to_owned(),
        Event::AccessRequestCanceled { reason, .. } => format!("Canceled: {reason}"),
    }
}
