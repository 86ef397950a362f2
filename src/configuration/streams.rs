//! Streams of configuration objects, read to the byte: what loads them elsewhere reads payloads as values, which round numbers.

use std::collections::HashMap;

use aggregates::config_object::{ConfigObject, TYPE};
use aggregates::{DomainEvent, Recorded};
use cqrs_es::Aggregate;
use projections::events::{ReadError, of_streams};
use uuid::Uuid;

use super::ConfigurationError;
use crate::app::SharedApp;
use crate::journal::Loaded;

/// An object as it was at a version.
pub(super) async fn object(
    app: &SharedApp,
    id: Uuid,
    version: i64,
) -> Result<Loaded<ConfigObject>, ConfigurationError> {
    let events = histories(app, &[id]).await?.remove(&id).unwrap_or_default();
    let reached = events.iter().map(|event| event.sequence).take_while(|sequence| *sequence <= version).last();
    Ok(Loaded::at(&id, folded(&events, version), reached.unwrap_or_default()))
}

/// All that happened to these objects, each in its order.
pub(super) async fn histories(
    app: &SharedApp,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Recorded>>, ConfigurationError> {
    let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    let mut histories: HashMap<Uuid, Vec<Recorded>> = HashMap::new();
    for event in of_streams(&app.pool, TYPE, &ids).await.map_err(unreadable)? {
        histories.entry(event.id()).or_default().push(event);
    }
    Ok(histories)
}

/// An object as its events until a version made it.
pub(super) fn folded(events: &[Recorded], version: i64) -> ConfigObject {
    let mut object = ConfigObject::default();
    for event in events.iter().take_while(|event| event.sequence <= version) {
        if let DomainEvent::ConfigObject(said) = &*event.event {
            object.apply(said.clone());
        }
    }
    object
}

pub(super) fn unreadable(error: ReadError) -> ConfigurationError {
    match error {
        ReadError::Database(error) => ConfigurationError::Database(error),
        other @ ReadError::Event { .. } => ConfigurationError::Database(sqlx::Error::Decode(other.into())),
    }
}
