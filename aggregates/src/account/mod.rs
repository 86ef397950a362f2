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
pub use correlation::{Correlation, FoundBy, Owner, comparable, correlate, field, observe_correlation};
pub use events::{AccountEvent, AccountRecord};

use crate::difference::{Change, Known, difference};
use crate::violation::{Refusal, check_length, refuse_if_any};

/// The stream type.
pub const TYPE: &str = "account";

/// An account's state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Account {
    record: Option<AccountRecord>,
    is_removed: bool,
    owner: Option<Owner>,
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
    /// Somebody says by hand to whom it belongs.
    Assign {
        /// The person.
        identity_id: Uuid,
        /// Why; at most 4,000 characters.
        comment: Option<String>,
    },
    /// What was said by hand holds no more; the rules decide again.
    Release {
        /// What the rules find.
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
    let change = difference(known, delivered.as_ref())?;
    Some(event_of(change, import, application_id, key, delivered.unwrap_or_default()))
}

/// The event of a change; `record` is what its feed says of the account now.
pub fn event_of(change: Change, import: Uuid, application_id: Uuid, key: &str, record: AccountRecord) -> AccountEvent {
    match change {
        Change::Added => AccountEvent::AccountAdded { import, application_id, key: key.to_owned(), record },
        Change::Changed | Change::Returned => AccountEvent::AccountChanged { import, application_id, record },
        Change::Removed => AccountEvent::AccountRemoved { import, application_id },
    }
}

impl Account {
    /// Only an account that is there is given to somebody: of a removed one, what holds is what it was.
    fn require_present(&self) -> Result<(), Refusal> {
        match &self.record {
            None => Err(Refusal::NotFound("The account doesn't exist".to_owned())),
            Some(_) if self.is_removed => Err(Refusal::Conflict(
                "The account was removed; its link can change when a feed names it again".to_owned(),
            )),
            Some(_) => Ok(()),
        }
    }

    fn assign(&self, identity_id: Uuid, comment: Option<String>) -> Result<Option<AccountEvent>, Refusal> {
        self.require_present()?;
        let mut violations = Vec::new();
        check_length(&mut violations, "comment", "Comment", comment.as_deref().unwrap_or_default(), 4000);
        refuse_if_any(violations)?;
        let asked = Owner::Assigned { identity_id, comment: comment.clone() };
        let is_same = self.owner.as_ref() == Some(&asked);
        Ok((!is_same).then_some(AccountEvent::AccountAssigned { identity_id, comment }))
    }

    fn release(&self, found: Option<Correlation>) -> Result<AccountEvent, Refusal> {
        self.require_present()?;
        match self.owner {
            Some(Owner::Assigned { .. }) => Ok(AccountEvent::AccountReleased { correlation: found }),
            _ => Err(Refusal::Conflict("Nobody linked the account by hand".to_owned())),
        }
    }

    /// The rules' say, which counts as long as nobody said otherwise by hand: an import that was planned before that may
    /// still append what it found.
    fn found(&mut self, identity_id: Option<Uuid>) {
        if !matches!(self.owner, Some(Owner::Assigned { .. })) {
            self.owner = identity_id.map(Owner::Found);
        }
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
                observe_correlation(self.owner.as_ref(), import, found).into_iter().collect()
            }
            AccountCommand::Assign { identity_id, comment } => self.assign(identity_id, comment)?.into_iter().collect(),
            AccountCommand::Release { found } => vec![self.release(found)?],
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
            AccountEvent::AccountCorrelated { identity_id, .. } => self.found(Some(identity_id)),
            AccountEvent::AccountUncorrelated { .. } => self.found(None),
            AccountEvent::AccountAssigned { identity_id, comment } => {
                self.owner = Some(Owner::Assigned { identity_id, comment });
            }
            AccountEvent::AccountReleased { correlation } => {
                self.owner = correlation.map(|found| Owner::Found(found.identity_id));
            }
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
        match self.owner {
            Some(Owner::Found(identity_id) | Owner::Assigned { identity_id, .. }) => Some(identity_id),
            None => None,
        }
    }

    /// The attributes of a grant that it holds.
    pub fn grant(&self, entitlement: &str) -> Option<&Attributes> {
        self.grants.get(entitlement)
    }
}

impl crate::Stream for Account {}
