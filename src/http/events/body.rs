use aggregates::Actor;
use chrono::{DateTime, Utc};
use projections::events::EventRow;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// An event.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventBody {
    /// Place in the log: 1, 2, 3, ... without a gap.
    position: i64,
    /// Type of the stream, `snake_case`.
    aggregate_type: String,
    /// Id of the stream.
    aggregate_id: String,
    /// Place in the stream: 1, 2, 3, ...
    sequence: i64,
    /// What happened.
    event_type: String,
    /// Version of the data's shape.
    event_version: String,
    /// When.
    recorded_at: DateTime<Utc>,
    /// Who.
    actor: ActorBody,
    /// Ties together all that follows from one request.
    correlation_id: Option<String>,
    /// Position of the event that this follows from.
    causation_id: Option<i64>,
    /// What happened in detail.
    #[schema(value_type = Object)]
    data: Box<RawValue>,
}

/// The actor of an event, by the name it had then.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActorBody {
    /// token, client, cli or system.
    r#type: &'static str,
    /// The token's id, the user's name, ...
    id: String,
    /// The name at the time.
    name: String,
    /// The identity that the token stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_id: Option<String>,
}

impl From<Actor> for ActorBody {
    fn from(actor: Actor) -> Self {
        Self { r#type: actor.kind.as_str(), id: actor.id, name: actor.name, identity_id: actor.identity_id }
    }
}

impl TryFrom<EventRow> for EventBody {
    type Error = serde_json::Error;

    fn try_from(row: EventRow) -> Result<Self, serde_json::Error> {
        let actor = projections::events::actor(&row.metadata);
        let text = |name: &str| row.metadata.get(name).and_then(Value::as_str).map(str::to_owned);
        Ok(Self {
            position: row.position,
            correlation_id: text("correlationId"),
            causation_id: text("causationId").and_then(|position| position.parse().ok()),
            aggregate_type: row.aggregate_type,
            aggregate_id: row.aggregate_id,
            sequence: row.sequence,
            event_type: row.event_type,
            event_version: row.event_version,
            recorded_at: row.recorded_at,
            actor: actor.into(),
            data: aggregates::event::inner(&row.payload)?,
        })
    }
}
