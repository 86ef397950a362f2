//! Streams of configuration objects, read to the byte: what loads them elsewhere reads payloads as values, which round numbers.

use aggregates::DomainEvent;
use aggregates::config_object::{ConfigObject, TYPE};
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
    let events = of_streams(&app.pool, TYPE, &[id.to_string()]).await.map_err(unreadable)?;
    let (mut object, mut reached) = (ConfigObject::default(), 0);
    for event in events.into_iter().take_while(|event| event.sequence <= version) {
        reached = event.sequence;
        if let DomainEvent::ConfigObject(said) = &*event.event {
            object.apply(said.clone());
        }
    }
    Ok(Loaded::at(&id, object, reached))
}

pub(super) fn unreadable(error: ReadError) -> ConfigurationError {
    match error {
        ReadError::Database(error) => ConfigurationError::Database(error),
        other @ ReadError::Event { .. } => ConfigurationError::Database(sqlx::Error::Decode(other.into())),
    }
}
