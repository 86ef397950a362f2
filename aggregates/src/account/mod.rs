//! Accounts: log-ins of an application, what they may do, and whose they are.
//!
//! The id is UUIDv5 of application and native key. All changes of access that one import makes to an account are one
//! event (design §3), split above [`ENTRIES_PER_EVENT`] entries.

mod access;
mod correlation;
mod events;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use access::{Attributes, ENTRIES_PER_EVENT, GrantEntry, access_changed};
pub use correlation::{Correlation, correlate};
pub use events::{AccountEvent, AccountRecord};

use crate::difference::{Change, Known, difference};
use crate::violation::Refusal;

/// The stream type.
pub const TYPE: &str = "account";

/// An account's state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Account {
    record: Option<AccountRecord>,
    is_removed: bool,
    identity: Option<Uuid>,
    grants: BTreeMap<String, Attributes>,
}

/// What can be asked of an account.
#[derive(Debug, Clone)]
pub enum AccountCommand {
    /// A full feed named it with this record, or (`None`) named it no more.
    Observe {
        /// The import.
        import: Uuid,
        /// Whose it is.
        application_id: Uuid,
        /// The native key.
        key: String,
        /// What the feed says.
        delivered: Option<AccountRecord>,
    },
    /// A full feed said what it may do: entitlement key → attributes of the grant.
    ObserveAccess {
        /// The import.
        import: Uuid,
        /// Whose it is.
        application_id: Uuid,
        /// All that it may do.
        delivered: BTreeMap<String, Attributes>,
    },
    /// The correlation rules found (or no longer find) whose it is.
    Correlate {
        /// The import that looked.
        import: Uuid,
        /// Whose, and by which rule.
        found: Option<Correlation>,
    },
}

/// The event that a delivered record makes, if any: the rule that single commands and whole imports share.
pub fn observe(
    known: Known<'_, AccountRecord>,
    import: Uuid,
    application_id: Uuid,
    key: &str,
    delivered: Option<AccountRecord>,
) -> Option<AccountEvent> {
    Some(match (difference(known, delivered.as_ref())?, delivered) {
        (Change::Added, Some(record)) => {
            AccountEvent::AccountAdded { import, application_id, key: key.to_owned(), record }
        }
        (Change::Changed | Change::Returned, Some(record)) => {
            AccountEvent::AccountChanged { import, application_id, record }
        }
        _ => AccountEvent::AccountRemoved { import, application_id },
    })
}

/// The event that a correlation makes, if any.
pub fn observe_correlation(known: Option<Uuid>, import: Uuid, found: Option<Correlation>) -> Option<AccountEvent> {
    match found {
        Some(found) if known != Some(found.identity_id) => Some(AccountEvent::AccountCorrelated {
            import,
            identity_id: found.identity_id,
            account_field: found.account_field,
            identity_field: found.identity_field,
        }),
        None if known.is_some() => Some(AccountEvent::AccountUncorrelated { import }),
        _ => None,
    }
}

impl cqrs_es::Aggregate for Account {
    const TYPE: &'static str = TYPE;
    type Command = AccountCommand;
    type Event = AccountEvent;
    type Error = Refusal;
    type Services = ();

    async fn handle(&mut self, command: AccountCommand, (): &(), sink: &EventSink<Self>) -> Result<(), Refusal> {
        let events = match command {
            AccountCommand::Observe { import, application_id, key, delivered } => {
                let known = match &self.record {
                    None => Known::Never,
                    Some(record) if self.is_removed => Known::Removed(record),
                    Some(record) => Known::Present(record),
                };
                let observed = observe(known, import, application_id, &key, delivered);
                // Access belongs to an account: with the account it ends.
                let mut events = match observed {
                    Some(AccountEvent::AccountRemoved { .. }) => access_changed(
                        import,
                        application_id,
                        Vec::new(),
                        Vec::new(),
                        self.grants.keys().cloned().collect(),
                    ),
                    _ => Vec::new(),
                };
                events.extend(observed);
                events
            }
            AccountCommand::ObserveAccess { import, application_id, delivered } => {
                if self.record.is_none() || self.is_removed {
                    return Err(Refusal::Conflict("The account isn't there; access belongs to an account".to_owned()));
                }
                access::observe_access(&self.grants, import, application_id, delivered)
            }
            AccountCommand::Correlate { import, found } => {
                observe_correlation(self.identity, import, found).into_iter().collect()
            }
        };
        for event in events {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: AccountEvent) {
        match event {
            AccountEvent::AccountAdded { record, .. } | AccountEvent::AccountChanged { record, .. } => {
                self.record = Some(record);
                self.is_removed = false;
            }
            AccountEvent::AccountRemoved { .. } => self.is_removed = true,
            AccountEvent::AccountCorrelated { identity_id, .. } => self.identity = Some(identity_id),
            AccountEvent::AccountUncorrelated { .. } => self.identity = None,
            AccountEvent::AccountAccessChanged { granted, changed, revoked, .. } => {
                for entry in granted.into_iter().chain(changed) {
                    self.grants.insert(entry.entitlement, entry.attributes);
                }
                for entitlement in revoked {
                    self.grants.remove(&entitlement);
                }
            }
        }
    }
}

impl Account {
    /// What the feed said last; `None` when it is removed or was never there.
    pub fn current(&self) -> Option<&AccountRecord> {
        self.record.as_ref().filter(|_| !self.is_removed)
    }

    /// Whose it is.
    pub const fn identity(&self) -> Option<Uuid> {
        self.identity
    }

    /// The attributes of a grant that it holds.
    pub fn grant(&self, entitlement: &str) -> Option<&Attributes> {
        self.grants.get(entitlement)
    }
}

impl crate::Stream for Account {}
