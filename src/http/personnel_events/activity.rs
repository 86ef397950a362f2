//! What happened to an event, in words: the log itself, read.

use aggregates::DomainEvent;
use aggregates::personnel_event::PersonnelEventEvent as Event;
use projections::events::Filter;
use sqlx::PgPool;
use uuid::Uuid;

use crate::http::error::ApiError;
use crate::http::party::{ActivityBody, Names};

/// Events of one stream that are shown.
const MOST: i64 = 1000;

/// What happened to an event, the oldest first.
pub(super) async fn of(pool: &PgPool, id: Uuid, names: &Names) -> Result<Vec<ActivityBody>, ApiError> {
    let filter = Filter {
        aggregate_type: Some(aggregates::personnel_event::TYPE.to_owned()),
        aggregate_id: Some(id.to_string()),
        ..Filter::default()
    };
    let found = projections::events::after(pool, 0, &filter, MOST).await?;
    let said = found.events.iter().map(|row| {
        let event = DomainEvent::decode(&row.aggregate_type, &row.payload);
        match event {
            Ok(DomainEvent::PersonnelEvent(event)) => Ok(ActivityBody::of(row, words(&event, names))),
            Ok(_) => Err(ApiError::internal(&"an event of another aggregate")),
            Err(error) => Err(ApiError::internal(&error)),
        }
    });
    said.collect()
}

fn words(event: &Event, names: &Names) -> String {
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
