//! What happened to an event, in words.

use aggregates::personnel_event::PersonnelEventEvent as Event;
use uuid::Uuid;

use crate::http::party::Names;

/// The identity that an event names in its words.
pub(super) fn named(event: &Event) -> Option<Uuid> {
    match event {
        Event::PersonnelStageAnswered { response, .. } => response.responder,
        Event::PersonnelEventAssigned { assignee_id } => *assignee_id,
        _ => None,
    }
}

/// The event in words.
pub(super) fn words(event: &Event, names: &Names) -> String {
    match event {
        Event::PersonnelEventRequested { request, .. } => format!("{} was requested", request.r#type.as_str()),
        Event::PersonnelEventDue {} => "The effective date has come".to_owned(),
        Event::PersonnelStageAnswered { stage, response } => {
            let whom = response.responder.map(|id| format!(" for {}", names.party(id).name)).unwrap_or_default();
            let why = response.comment.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
            format!("{}: {}{whom}{why}", stage.as_str(), response.answer.as_str())
        }
        Event::PersonnelStageReset { stage, .. } => format!("{}: an answer was taken back", stage.as_str()),
        Event::PersonnelStageStarted { stage, requests } if requests.is_empty() => {
            format!("{} began", stage.as_str())
        }
        Event::PersonnelStageStarted { stage, requests } => {
            format!("{} began; access requests: {}", stage.as_str(), requests.len())
        }
        Event::PersonnelStageCompleted { stage, .. } => format!("{} was completed", stage.as_str()),
        Event::PersonnelStageRejected { stage, .. } => format!("{} was rejected", stage.as_str()),
        Event::PersonnelStageReopened { stage } => format!("{} was opened again", stage.as_str()),
        Event::PersonnelIdentityCreated { identity_id } => format!("The identity {identity_id} came into being"),
        Event::PersonnelEventAssigned { assignee_id: Some(id) } => format!("Assigned to {}", names.party(*id).name),
        Event::PersonnelEventAssigned { assignee_id: None } => "Assigned to nobody".to_owned(),
        Event::PersonnelEventCommented { .. } => "A comment was made".to_owned(),
        Event::PersonnelEventRescheduled { effective_at, end_at, .. } => {
            let end = end_at.map(|end| format!(" until {}", end.format("%Y-%m-%d %H:%M UTC"))).unwrap_or_default();
            format!("Rescheduled to {}{end}", effective_at.format("%Y-%m-%d %H:%M UTC"))
        }
        Event::PersonnelEventCanceled { reason, .. } => format!("Canceled: {reason}"),
        Event::PersonnelEventCompleted { .. } => "Completed".to_owned(),
    }
}
