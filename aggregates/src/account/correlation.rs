use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AccountEvent, AccountRecord};
use crate::application::CorrelationRule;
use crate::values::folded;

/// Whose an account is, and who says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Owner {
    /// The rules found this identity.
    Found(Uuid),
    /// Somebody named this identity by hand: no rule takes the account away from it.
    Assigned {
        /// The person.
        identity_id: Uuid,
        /// Why, in the words of who did it.
        comment: Option<String>,
    },
}

/// Whose an account is by the rules, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Correlation {
    /// The person.
    pub identity_id: Uuid,
    /// The account's field that found it.
    pub account_field: String,
    /// The identity's field that was equal.
    pub identity_field: String,
}

/// Finds the identity to whom an account belongs: rule by rule, the first whose value exactly one identity has.
///
/// `find(identity_field, folded value)` gives the identities that have that value. Two candidates are no answer: a later
/// rule may tell, else the account stays uncorrelated.
pub fn correlate(
    key: &str,
    record: &AccountRecord,
    rules: &[CorrelationRule],
    find: impl Fn(&str, &str) -> Vec<Uuid>,
) -> Option<Correlation> {
    rules.iter().find_map(|rule| {
        let value = folded(field(key, record, &rule.account)?);
        if value.is_empty() {
            return None;
        }
        match find(&rule.identity, &value).as_slice() {
            [identity_id] => Some(Correlation {
                identity_id: *identity_id,
                account_field: rule.account.clone(),
                identity_field: rule.identity.clone(),
            }),
            _ => None,
        }
    })
}

/// The event that a correlation makes, if any. What was said by hand wins over every rule.
pub fn observe_correlation(known: Option<&Owner>, import: Uuid, found: Option<Correlation>) -> Option<AccountEvent> {
    match (known, found) {
        (Some(Owner::Assigned { .. }), _) | (None, None) => None,
        (Some(Owner::Found(known)), Some(found)) if *known == found.identity_id => None,
        (_, Some(Correlation { identity_id, account_field, identity_field })) => {
            Some(AccountEvent::AccountCorrelated { import, identity_id, account_field, identity_field })
        }
        (Some(Owner::Found(_)), None) => Some(AccountEvent::AccountUncorrelated { import }),
    }
}

/// What an account says in a field that a correlation rule names.
pub fn field<'a>(key: &'a str, record: &'a AccountRecord, name: &str) -> Option<&'a str> {
    match name {
        "key" => Some(key),
        "name" => record.name.as_deref(),
        "identity" => record.identity.as_deref(),
        "email" => record.email.as_deref(),
        "type" => record.r#type.as_deref(),
        "employeeId" => record.employee_id.as_deref(),
        custom => record.attributes.get(custom).map(String::as_str),
    }
}
