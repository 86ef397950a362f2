use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Correlation, FoundBy, GrantEntry};

/// What a feed says of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct AccountRecord {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the feed calls the person: correlation material.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employee_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_login_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// Custom attributes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

crate::event::events! {
    /// What happens to an account. `import` is the import whose feed said so; without one, somebody did it by hand.
    AccountEvent {
        /// A feed named it for the first time.
        AccountAdded("1.0") { import: Uuid, application_id: Uuid, key: String, record: AccountRecord }
        /// A feed says something else than before; also when it is named again after a removal.
        AccountChanged("1.0") { import: Uuid, application_id: Uuid, record: AccountRecord }
        /// No feed names it any more. Its access was revoked just before.
        AccountRemoved("1.0") { import: Uuid, application_id: Uuid }
        /// It belongs to an identity, because `account_field` equals the identity's `identity_field`, or `rule` says so.
        AccountCorrelated("1.0") { import: Uuid, identity_id: Uuid, #[serde(flatten)] by: FoundBy }
        /// Nobody is found to whom it belongs.
        AccountUncorrelated("1.0") { import: Uuid }
        /// Somebody said by hand to whom it belongs. That holds, whatever the rules find, until it is released.
        AccountAssigned("1.0") {
            identity_id: Uuid,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            comment: Option<String>,
        }
        /// What was said by hand holds no more; `correlation` is what the rules found then, if anything.
        AccountReleased("1.0") {
            #[serde(default, skip_serializing_if = "Option::is_none")]
            correlation: Option<Correlation>,
        }
        /// What it may do changed. Entitlements by native key.
        AccountAccessChanged("1.0") {
            import: Uuid,
            application_id: Uuid,
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            granted: Vec<GrantEntry>,
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            changed: Vec<GrantEntry>,
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            revoked: Vec<String>,
        }
    }
}
