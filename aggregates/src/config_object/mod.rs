//! Configuration objects: what a deployment is set up with, as SailPoint's `sp-config` exports and imports it (contracts §2,
//! rulings 40-46).
//!
//! An object is kept whole: what isn't understood here leaves as it came. What is understood does something: a SOURCE is an
//! application (its stream here holds only what the application has no word for), a TRANSFORM makes fields of feeds, an
//! `IDENTITY_PROFILE` says of which people's fields, an `IDENTITY_OBJECT_CONFIG` which custom attributes people have.

mod difference;
mod document;
mod kind;
mod reference;
mod secrets;
#[cfg(test)]
mod tests;

use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use difference::{FieldChange, differences};
pub use document::Document;
pub use kind::ObjectType;
pub use reference::{Place, Reference, references, replace};
pub use secrets::{REDACTED, Secret, redact};

use crate::ids;
use crate::violation::{Refusal, Violation, check_text, refuse_if_any};

/// The stream type.
pub const TYPE: &str = "config_object";

crate::event::events! {
    /// What happens to a configuration object. `jobId` is the import that did it.
    ConfigObjectEvent {
        /// It was made, or made again after it was deleted.
        ConfigObjectCreated("1.0") { reference: Reference, document: Document, job_id: Uuid }
        /// It was replaced.
        ConfigObjectUpdated("1.0") { reference: Reference, old: Document, new: Document, job_id: Uuid }
        /// It is gone.
        ConfigObjectDeleted("1.0") { job_id: Uuid }
    }
}

/// The stream of the object that files know by this type and id.
pub fn stream(kind: ObjectType, id: &str) -> Uuid {
    ids::native(Uuid::nil(), kind.as_str(), id)
}

/// An object's state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ConfigObject {
    /// What it is called and what it says; `None` before it was made and after it was deleted.
    pub kept: Option<(Reference, Document)>,
}

/// What can be asked of an object. Asking for what is already so appends nothing.
#[derive(Debug, Clone)]
pub enum ConfigObjectCommand {
    /// Make it, or replace it.
    Put {
        /// Type, id and name.
        reference: Reference,
        /// What it says.
        document: Document,
        /// The import that asks.
        job_id: Uuid,
    },
    /// Take it away.
    Delete {
        /// The import that asks.
        job_id: Uuid,
    },
}

use ConfigObjectCommand as Command;
use ConfigObjectEvent as Event;

impl ConfigObject {
    /// What a command makes of it.
    ///
    /// # Errors
    /// A name is missing or too long; there is nothing to delete.
    pub fn decide(&self, command: Command) -> Result<Option<Event>, Refusal> {
        match command {
            Command::Put { reference, document, job_id } => {
                let mut found = Vec::new();
                check_text(&mut found, "self.name", "Name", &reference.name, 512);
                check_text(&mut found, "self.id", "Id", &reference.id, 128);
                if reference.object_type().is_none() {
                    found.push(Violation::new("self.type", ObjectType::unknown(&reference.kind)));
                }
                refuse_if_any(found)?;
                Ok(match &self.kept {
                    None => Some(Event::ConfigObjectCreated { reference, document, job_id }),
                    Some((known, old)) if *known == reference && *old == document => None,
                    Some((_, old)) => {
                        Some(Event::ConfigObjectUpdated { reference, old: old.clone(), new: document, job_id })
                    }
                })
            }
            Command::Delete { job_id } => match self.kept {
                Some(_) => Ok(Some(Event::ConfigObjectDeleted { job_id })),
                None => Err(Refusal::NotFound("The configuration object doesn't exist".to_owned())),
            },
        }
    }
}

impl cqrs_es::Aggregate for ConfigObject {
    const TYPE: &'static str = TYPE;
    type Command = ConfigObjectCommand;
    type Event = ConfigObjectEvent;
    type Error = Refusal;
    type Services = ();

    async fn handle(&mut self, command: Command, (): &(), sink: &EventSink<Self>) -> Result<(), Refusal> {
        if let Some(event) = self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Event) {
        self.kept = match event {
            Event::ConfigObjectCreated { reference, document, .. } => Some((reference, document)),
            Event::ConfigObjectUpdated { reference, new, .. } => Some((reference, new)),
            Event::ConfigObjectDeleted { .. } => None,
        };
    }
}

impl crate::Stream for ConfigObject {
    /// Two objects of a type never share a name: references may name instead of id. Of some types there is one object at most.
    fn claims(&self) -> Vec<String> {
        let claim = |(reference, _): &(Reference, Document)| {
            let is_one = reference.object_type().is_some_and(ObjectType::is_one_per_tenant);
            let name = if is_one { "" } else { &reference.name };
            format!("config-object:{}:{name}", reference.kind)
        };
        self.kept.iter().map(claim).collect()
    }
}
