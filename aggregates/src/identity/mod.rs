//! Identities: people (and what stands for people) across all applications (rulings 11).
//!
//! A stream holds what each source says of the person: its *source records*. The identity that others see is their merge.
//! A link (source, key) → identity is made by `IdentityAdded` or `IdentityLinked` and stays: a person who returns is the same.

mod record;
#[cfg(test)]
mod tests;

use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use record::{IdentityRecord, IdentityStatus, IdentityType, merge};

use crate::difference::{Change, Known, difference};
use crate::violation::Refusal;

/// The stream type.
pub const TYPE: &str = "identity";

/// A record's origin: what an application calls the person.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// The application whose feed names it.
    pub application_id: Uuid,
    /// The native key there.
    pub key: String,
}

crate::event::events! {
    /// What happens to an identity. `import` is the import whose feed said so.
    IdentityEvent {
        /// A feed named somebody whom nobody knew.
        IdentityAdded("1.0") { import: Uuid, source: Source, record: IdentityRecord }
        /// Another source's key was found to mean the same person, by the field `matched_by`.
        IdentityLinked("1.0") { import: Uuid, source: Source, matched_by: String, record: IdentityRecord }
        /// A source says something else than before; also when it names the person again after a removal.
        IdentityChanged("1.0") { import: Uuid, source: Source, record: IdentityRecord }
        /// A source names the person no more.
        IdentityRemoved("1.0") { import: Uuid, source: Source }
    }
}

/// What one source says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// Which source.
    pub source: Source,
    /// What it said last.
    pub record: IdentityRecord,
    /// Names the person still.
    pub is_present: bool,
}

/// An identity's state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Identity {
    /// What each source says.
    pub records: Vec<SourceRecord>,
}

/// What can be asked of an identity.
#[derive(Debug, Clone)]
pub enum IdentityCommand {
    /// A full feed named the person with this record, or (`None`) named it no more.
    Observe {
        /// The import.
        import: Uuid,
        /// Who says so.
        source: Source,
        /// What it says.
        delivered: Option<IdentityRecord>,
        /// The field by which a key new to this identity was matched to it.
        matched_by: Option<String>,
    },
}

/// The event that a delivered record makes, if any: the rule that single commands and whole imports share.
pub fn observe(
    known: Known<'_, IdentityRecord>,
    import: Uuid,
    source: Source,
    delivered: Option<IdentityRecord>,
    matched_by: Option<String>,
) -> Option<IdentityEvent> {
    match (difference(known, delivered.as_ref())?, delivered) {
        (Change::Added, Some(record)) => Some(match matched_by {
            Some(matched_by) => IdentityEvent::IdentityLinked { import, source, matched_by, record },
            None => IdentityEvent::IdentityAdded { import, source, record },
        }),
        (Change::Changed | Change::Returned, Some(record)) => {
            Some(IdentityEvent::IdentityChanged { import, source, record })
        }
        _ => Some(IdentityEvent::IdentityRemoved { import, source }),
    }
}

impl cqrs_es::Aggregate for Identity {
    const TYPE: &'static str = TYPE;
    type Command = IdentityCommand;
    type Event = IdentityEvent;
    type Error = Refusal;
    type Services = ();

    async fn handle(&mut self, command: IdentityCommand, (): &(), sink: &EventSink<Self>) -> Result<(), Refusal> {
        let IdentityCommand::Observe { import, source, delivered, matched_by } = command;
        let known = match self.records.iter().find(|known| known.source == source) {
            None => Known::Never,
            Some(known) if known.is_present => Known::Present(&known.record),
            Some(known) => Known::Removed(&known.record),
        };
        if let Some(event) = observe(known, import, source, delivered, matched_by) {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: IdentityEvent) {
        let (source, record) = match event {
            IdentityEvent::IdentityAdded { source, record, .. }
            | IdentityEvent::IdentityLinked { source, record, .. }
            | IdentityEvent::IdentityChanged { source, record, .. } => (source, Some(record)),
            IdentityEvent::IdentityRemoved { source, .. } => (source, None),
        };
        match (self.records.iter_mut().find(|known| known.source == source), record) {
            (Some(known), Some(record)) => {
                known.record = record;
                known.is_present = true;
            }
            (Some(known), None) => known.is_present = false,
            (None, Some(record)) => self.records.push(SourceRecord { source, record, is_present: true }),
            (None, None) => {}
        }
    }
}

impl crate::Stream for Identity {}
