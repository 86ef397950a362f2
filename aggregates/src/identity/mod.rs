//! Identities: people (and what stands for people) across all applications (rulings 11).
//!
//! A stream holds what each source says of the person: its *source records*. The identity that others see is their merge.
//! A link (source, key) → identity is made by `IdentityAdded` or `IdentityLinked` and stays: a person who returns is the same.

pub mod profile;
mod record;
pub mod schema;
#[cfg(test)]
mod tests;

use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use record::{IdentityRecord, IdentityStatus, IdentityType, is_present, merge};

use crate::difference::{Change, Known, difference};
use crate::violation::Refusal;

/// The stream type.
pub const TYPE: &str = "identity";

/// Stands for an application in the record of an onboarding: the last of all ids, so that it decides last.
pub const ONBOARDING: Uuid = Uuid::max();
/// Stands for an application in the record of a role transition, which decides first until a feed speaks of the person again.
pub const TRANSITION: Uuid = Uuid::nil();

/// A record's origin: what an application calls the person; for a personnel event, its id.
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
        /// An onboarding was approved: somebody whom no feed names yet.
        IdentityOnboarded("1.0") { personnel_event: Uuid, record: IdentityRecord }
        /// An onboarding was canceled, or whom no feed ever named has left.
        IdentityOffboarded("1.0") { personnel_event: Uuid, onboarding: Uuid }
        /// A role transition began: this holds until a feed speaks of the person again.
        IdentityTransitioned("1.0") { personnel_event: Uuid, record: IdentityRecord }
        /// A role transition for a time has ended.
        IdentityTransitionEnded("1.0") { personnel_event: Uuid }
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
    /// An onboarding makes it.
    Onboard {
        /// The personnel event.
        personnel_event: Uuid,
        /// Who joins.
        record: IdentityRecord,
    },
    /// Who is known from an onboarding only has left, or doesn't come.
    Offboard {
        /// The personnel event.
        personnel_event: Uuid,
    },
    /// A role transition begins.
    Transition {
        /// The personnel event.
        personnel_event: Uuid,
        /// What changes.
        record: IdentityRecord,
    },
    /// A role transition for a time has ended.
    EndTransition {
        /// The personnel event.
        personnel_event: Uuid,
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
        if let Some(event) = self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: IdentityEvent) {
        fold(&mut self.records, event);
    }
}

/// Folds an event into what each source says: the aggregate and the projection share it.
pub fn fold(records: &mut Vec<SourceRecord>, event: IdentityEvent) {
    let is_feed = matches!(
        event,
        IdentityEvent::IdentityAdded { .. }
            | IdentityEvent::IdentityLinked { .. }
            | IdentityEvent::IdentityChanged { .. }
    );
    let (source, record) = match event {
        IdentityEvent::IdentityAdded { source, record, .. }
        | IdentityEvent::IdentityLinked { source, record, .. }
        | IdentityEvent::IdentityChanged { source, record, .. } => (source, Some(record)),
        IdentityEvent::IdentityRemoved { source, .. } => (source, None),
        IdentityEvent::IdentityOnboarded { personnel_event, record } => {
            (Source::onboarding(personnel_event), Some(record))
        }
        IdentityEvent::IdentityOffboarded { onboarding, .. } => (Source::onboarding(onboarding), None),
        IdentityEvent::IdentityTransitioned { personnel_event, record } => {
            (Source::transition(personnel_event), Some(record))
        }
        IdentityEvent::IdentityTransitionEnded { personnel_event } => (Source::transition(personnel_event), None),
    };
    if is_feed {
        for overruled in records.iter_mut().filter(|known| known.source.is_of_people()) {
            overruled.is_present = false;
        }
    }
    match (records.iter_mut().find(|known| known.source == source), record) {
        (Some(known), Some(record)) => {
            known.record = record;
            known.is_present = true;
        }
        (Some(known), None) => known.is_present = false,
        (None, Some(record)) => records.push(SourceRecord { source, record, is_present: true }),
        (None, None) => {}
    }
}

impl Identity {
    fn decide(&self, command: IdentityCommand) -> Result<Option<IdentityEvent>, Refusal> {
        let known = |source: &Source| self.records.iter().find(|known| known.source == *source);
        Ok(match command {
            IdentityCommand::Observe { import, source, delivered, matched_by } => {
                let known = match known(&source) {
                    None => Known::Never,
                    Some(known) if known.is_present => Known::Present(&known.record),
                    Some(known) => Known::Removed(&known.record),
                };
                observe(known, import, source, delivered, matched_by)
            }
            IdentityCommand::Onboard { personnel_event, record } => {
                // Whoever left may come back.
                if is_present(&self.records) {
                    return Err(Refusal::Conflict("The identity exists already".to_owned()));
                }
                Some(IdentityEvent::IdentityOnboarded { personnel_event, record })
            }
            IdentityCommand::Offboard { personnel_event } => self
                .records
                .iter()
                .find(|known| known.source.application_id == ONBOARDING && known.is_present)
                .and_then(|known| Uuid::parse_str(&known.source.key).ok())
                .map(|onboarding| IdentityEvent::IdentityOffboarded { personnel_event, onboarding }),
            IdentityCommand::Transition { personnel_event, record } => {
                let is_new =
                    record != IdentityRecord::default() && known(&Source::transition(personnel_event)).is_none();
                is_new.then_some(IdentityEvent::IdentityTransitioned { personnel_event, record })
            }
            IdentityCommand::EndTransition { personnel_event } => known(&Source::transition(personnel_event))
                .filter(|known| known.is_present)
                .map(|_| IdentityEvent::IdentityTransitionEnded { personnel_event }),
        })
    }
}

impl Source {
    /// Is it a personnel event? What such a source says holds until a feed speaks of the person.
    pub fn is_of_people(&self) -> bool {
        [ONBOARDING, TRANSITION].contains(&self.application_id)
    }

    /// The record that an onboarding makes.
    pub fn onboarding(personnel_event: Uuid) -> Self {
        Self { application_id: ONBOARDING, key: personnel_event.to_string() }
    }

    /// The record that a role transition makes.
    pub fn transition(personnel_event: Uuid) -> Self {
        Self { application_id: TRANSITION, key: personnel_event.to_string() }
    }
}

impl crate::Stream for Identity {}
