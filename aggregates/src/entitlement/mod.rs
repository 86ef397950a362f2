//! Entitlements: what an application can grant. The id is UUIDv5 of application and native key (design §3).

use std::collections::BTreeMap;

use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::difference::{Change, Known, difference};
use crate::violation::Refusal;

/// The stream type.
pub const TYPE: &str = "entitlement";

/// What a feed says of an entitlement.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct EntitlementRecord {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_privileged: Option<bool>,
    /// Custom attributes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

crate::event::events! {
    /// What happens to an entitlement. `import` is the import whose feed said so.
    EntitlementEvent {
        /// A feed named it for the first time.
        EntitlementAdded("1.0") { import: Uuid, application_id: Uuid, key: String, record: EntitlementRecord }
        /// A feed says something else than before; also when it is named again after a removal.
        EntitlementChanged("1.0") { import: Uuid, application_id: Uuid, record: EntitlementRecord }
        /// No feed names it any more.
        EntitlementRemoved("1.0") { import: Uuid, application_id: Uuid }
    }
}

/// An entitlement's state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Entitlement {
    record: Option<EntitlementRecord>,
    is_removed: bool,
}

/// What can be asked of an entitlement.
#[derive(Debug, Clone)]
pub enum EntitlementCommand {
    /// A full feed named it with this record, or (`None`) named it no more.
    Observe {
        /// The import.
        import: Uuid,
        /// Whose it is.
        application_id: Uuid,
        /// The native key.
        key: String,
        /// What the feed says.
        delivered: Option<EntitlementRecord>,
    },
}

/// The event that a delivered record makes, if any: the rule that single commands and whole imports share.
pub fn observe(
    known: Known<'_, EntitlementRecord>,
    import: Uuid,
    application_id: Uuid,
    key: &str,
    delivered: Option<EntitlementRecord>,
) -> Option<EntitlementEvent> {
    Some(match (difference(known, delivered.as_ref())?, delivered) {
        (Change::Added, Some(record)) => {
            EntitlementEvent::EntitlementAdded { import, application_id, key: key.to_owned(), record }
        }
        (Change::Changed | Change::Returned, Some(record)) => {
            EntitlementEvent::EntitlementChanged { import, application_id, record }
        }
        _ => EntitlementEvent::EntitlementRemoved { import, application_id },
    })
}

impl cqrs_es::Aggregate for Entitlement {
    const TYPE: &'static str = TYPE;
    type Command = EntitlementCommand;
    type Event = EntitlementEvent;
    type Error = Refusal;
    type Services = ();

    async fn handle(&mut self, command: EntitlementCommand, (): &(), sink: &EventSink<Self>) -> Result<(), Refusal> {
        let EntitlementCommand::Observe { import, application_id, key, delivered } = command;
        let known = match &self.record {
            None => Known::Never,
            Some(record) if self.is_removed => Known::Removed(record),
            Some(record) => Known::Present(record),
        };
        if let Some(event) = observe(known, import, application_id, &key, delivered) {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: EntitlementEvent) {
        match event {
            EntitlementEvent::EntitlementAdded { record, .. } | EntitlementEvent::EntitlementChanged { record, .. } => {
                self.record = Some(record);
                self.is_removed = false;
            }
            EntitlementEvent::EntitlementRemoved { .. } => self.is_removed = true,
        }
    }
}

impl Entitlement {
    /// What the feed said last; `None` when it is removed or was never there.
    pub fn current(&self) -> Option<&EntitlementRecord> {
        self.record.as_ref().filter(|_| !self.is_removed)
    }
}

impl crate::Stream for Entitlement {}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;

    fn observed(delivered: Option<EntitlementRecord>) -> EntitlementCommand {
        EntitlementCommand::Observe {
            import: Uuid::nil(),
            application_id: Uuid::nil(),
            key: "admin".to_owned(),
            delivered,
        }
    }

    fn named(name: &str) -> EntitlementRecord {
        EntitlementRecord { name: Some(name.to_owned()), ..Default::default() }
    }

    fn added(name: &str) -> EntitlementEvent {
        EntitlementEvent::EntitlementAdded {
            import: Uuid::nil(),
            application_id: Uuid::nil(),
            key: "admin".to_owned(),
            record: named(name),
        }
    }

    #[test]
    fn an_entitlement_appears_with_its_first_feed() {
        TestFramework::<Entitlement>::with(())
            .given_no_previous_events()
            .when(observed(Some(named("Administrators"))))
            .then_expect_events(vec![added("Administrators")]);
    }

    #[test]
    fn the_same_feed_again_appends_nothing() {
        TestFramework::<Entitlement>::with(())
            .given(vec![added("A")])
            .when(observed(Some(named("A"))))
            .then_expect_events(vec![]);
    }

    #[test]
    fn an_entitlement_that_returns_is_the_same_one() {
        let removed = EntitlementEvent::EntitlementRemoved { import: Uuid::nil(), application_id: Uuid::nil() };
        let changed = EntitlementEvent::EntitlementChanged {
            import: Uuid::nil(),
            application_id: Uuid::nil(),
            record: named("A"),
        };
        TestFramework::<Entitlement>::with(())
            .given(vec![added("A")])
            .when(observed(None))
            .then_expect_events(vec![removed.clone()]);
        TestFramework::<Entitlement>::with(())
            .given(vec![added("A"), removed])
            .when(observed(Some(named("A"))))
            .then_expect_events(vec![changed]);
    }
}
