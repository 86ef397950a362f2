use serde::{Deserialize, Serialize};

use super::definition::fields;
use crate::violation::{Violation, check_text};

/// A rule's name has at most so many characters, as the name of any configuration object.
pub(super) const NAME_LIMIT: usize = 512;

/// Account fields by which an identity may be found.
pub const CORRELATING_ACCOUNT_FIELDS: &[&str] = &["key", "name", "identity", "email", "employeeId", "type"];
/// Identity fields by which an account may be correlated.
const CORRELATING_IDENTITY_FIELDS: &[&str] = &["key", "email", "employeeId", "displayName"];

/// How the identity is found to whom an account belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, try_from = "Written")]
pub enum CorrelationRule {
    /// An account field equals an identity field.
    Fields {
        /// Of the account: `key`, `name`, `identity`, `email`, `employeeId`, `type` or a custom attribute.
        account: String,
        /// Of the identity: `key`, `email`, `employeeId`, `displayName` or a custom attribute.
        identity: String,
    },
    /// The correlation rule of this name.
    Named {
        /// Its name.
        rule: String,
    },
}

/// A rule as it is written, so that a reader is told what is wrong with it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    account: Option<String>,
    identity: Option<String>,
    rule: Option<String>,
}

impl TryFrom<Written> for CorrelationRule {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, &'static str> {
        match written {
            Written { account: Some(account), identity: Some(identity), rule: None } => {
                Ok(Self::Fields { account, identity })
            }
            Written { account: None, identity: None, rule: Some(rule) } => Ok(Self::Named { rule }),
            _ => Err("either account and identity or rule is needed"),
        }
    }
}

impl CorrelationRule {
    /// An account field and the identity field that it finds.
    pub fn fields(account: &str, identity: &str) -> Self {
        Self::Fields { account: account.to_owned(), identity: identity.to_owned() }
    }

    /// Notes what is wrong with it. Whether there is such a rule is seen when it is needed: that may change.
    pub(super) fn check(&self, found: &mut Vec<Violation>, at: &str) {
        match self {
            Self::Fields { account, identity } => {
                let sides = [
                    ("account", "Account field", account, fields::ACCOUNTS, CORRELATING_ACCOUNT_FIELDS),
                    ("identity", "Identity field", identity, fields::IDENTITIES, CORRELATING_IDENTITY_FIELDS),
                ];
                for (side, label, field, known, usable) in sides {
                    let at = format!("{at}.{side}");
                    check_text(found, &at, label, field, 128);
                    if known.contains(&field.as_str()) && !usable.contains(&field.as_str()) {
                        let usable = usable.join(", ");
                        let message = format!("{field} can't be used; allowed: {usable} or a custom attribute");
                        found.push(Violation::new(at, message));
                    }
                }
            }
            Self::Named { rule } => check_text(found, &format!("{at}.rule"), "Rule name", rule, NAME_LIMIT),
        }
    }
}
