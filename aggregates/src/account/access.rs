use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::AccountEvent;

/// Attributes of a grant, by name.
pub type Attributes = BTreeMap<String, String>;

/// An event holds at most so many entries; more become several events.
pub const ENTRIES_PER_EVENT: usize = 1000;

/// One entitlement that an account holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantEntry {
    /// The entitlement's native key.
    pub entitlement: String,
    /// What the feed says of this grant.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: Attributes,
}

/// The events of a complete change of an account's access, none when nothing changes.
pub fn access_changed(
    import: Uuid,
    application_id: Uuid,
    granted: Vec<GrantEntry>,
    changed: Vec<GrantEntry>,
    revoked: Vec<String>,
) -> Vec<AccountEvent> {
    let mut events = Vec::new();
    let (mut granted, mut changed, mut revoked) = (granted.into_iter(), changed.into_iter(), revoked.into_iter());
    loop {
        let revoked: Vec<_> = revoked.by_ref().take(ENTRIES_PER_EVENT).collect();
        let changed: Vec<_> = changed.by_ref().take(ENTRIES_PER_EVENT - revoked.len()).collect();
        let granted: Vec<_> = granted.by_ref().take(ENTRIES_PER_EVENT - revoked.len() - changed.len()).collect();
        if granted.is_empty() && changed.is_empty() && revoked.is_empty() {
            return events;
        }
        events.push(AccountEvent::AccountAccessChanged { import, application_id, granted, changed, revoked });
    }
}

/// The difference between the grants held and those delivered.
pub(super) fn observe_access(
    held: &BTreeMap<String, Attributes>,
    import: Uuid,
    application_id: Uuid,
    delivered: BTreeMap<String, Attributes>,
) -> Vec<AccountEvent> {
    let revoked = held.keys().filter(|key| !delivered.contains_key(*key)).cloned().collect();
    let (mut granted, mut changed) = (Vec::new(), Vec::new());
    for (entitlement, attributes) in delivered {
        match held.get(&entitlement) {
            None => granted.push(GrantEntry { entitlement, attributes }),
            Some(known) if *known != attributes => changed.push(GrantEntry { entitlement, attributes }),
            Some(_) => {}
        }
    }
    access_changed(import, application_id, granted, changed, revoked)
}
