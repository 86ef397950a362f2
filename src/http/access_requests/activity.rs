//! What happened to a request, in words: the log itself, read.

use aggregates::DomainEvent;
use aggregates::access_request::AccessRequestEvent as Event;
use projections::events::Filter;
use uuid::Uuid;

use crate::http::error::ApiError;
use crate::http::party::{ActivityBody, Names};
use crate::http::session::{Access, Session};

/// Events of one stream that are shown.
const MOST: i64 = 1000;

/// What happened, the oldest first.
pub(super) async fn of<A: Access>(session: &Session<A>, id: Uuid) -> Result<Vec<ActivityBody>, ApiError> {
    let filter = Filter {
        aggregate_type: Some(aggregates::access_request::TYPE.to_owned()),
        aggregate_id: Some(id.to_string()),
        ..Filter::default()
    };
    let mut said = Vec::new();
    for row in projections::events::after(session.pool(), 0, &filter, MOST).await?.events {
        match DomainEvent::decode(&row.aggregate_type, &row.payload) {
            Ok(DomainEvent::AccessRequest(event)) => said.push((row, event)),
            Ok(_) => return Err(ApiError::internal(&"an event of another aggregate")),
            Err(error) => return Err(ApiError::internal(&error)),
        }
    }
    let names = Names::of(session, said.iter().filter_map(|(_, event)| named(event)).collect()).await?;
    Ok(said.iter().map(|(row, event)| ActivityBody::of(row, words(event, &names))).collect())
}

/// The identity that an event names in its words.
fn named(event: &Event) -> Option<Uuid> {
    match event {
        Event::AccessRequestAnswered { response } => response.responder,
        Event::AccessRequestAssigned { assignee_id } => *assignee_id,
        _ => None,
    }
}

fn words(event: &Event, names: &Names) -> String {
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
