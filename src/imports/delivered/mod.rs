//! What the files of an import say, without faults, duplicates and contradictions (rulings 16 and 17).

mod grants;
mod interned;
mod keyed;
mod listing;

use aggregates::account::AccountRecord;
use aggregates::entitlement::EntitlementRecord;
use aggregates::identity::IdentityRecord;
use uuid::Uuid;

pub use grants::{DeliveredGrants, GrantRow, GrantRows, Pair};
pub use interned::{AttributeSets, Interner};
pub use keyed::Keyed;
pub use listing::Listing;

/// What the files say; `None` = not delivered, which changes nothing of it.
#[derive(Debug, Default)]
pub struct Delivered {
    /// Whose files they are: ids of accounts and entitlements are made from it and their keys.
    pub application: Uuid,
    /// People.
    pub identities: Option<Keyed<IdentityRecord>>,
    /// What may be granted.
    pub entitlements: Option<Keyed<EntitlementRecord>>,
    /// Log-ins.
    pub accounts: Option<Keyed<AccountRecord>>,
    /// Who may do what.
    pub grants: Option<DeliveredGrants>,
    /// Data rows in all files.
    pub rows_read: u64,
    /// Rows that repeat another.
    pub duplicates: u64,
    /// For people: what is remarkable about the files.
    pub remarks: Vec<String>,
}
