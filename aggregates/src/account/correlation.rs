use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AccountEvent, AccountRecord};
use crate::application::CorrelationRule;
use crate::filter::fold;

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
    /// What found it.
    #[serde(flatten)]
    pub by: FoundBy,
}

/// What found the identity to whom an account belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub enum FoundBy {
    /// Fields that are equal.
    Fields {
        /// The account's.
        account_field: String,
        /// The identity's.
        identity_field: String,
    },
    /// A correlation rule.
    Rule {
        /// Its name then.
        rule: String,
    },
}

/// Finds the identity to whom an account belongs: rule by rule, the first that finds exactly one.
///
/// `find(identity_field, folded value)` gives the identities that have that value, `find_named(rule)` those that the rule of that
/// name means for the account. Two candidates are no answer: a later rule may tell, else the account stays uncorrelated.
pub fn correlate(
    key: &str,
    record: &AccountRecord,
    rules: &[CorrelationRule],
    find: impl Fn(&str, &str) -> Vec<Uuid>,
    find_named: impl Fn(&str) -> Vec<Uuid>,
) -> Option<Correlation> {
    let only = |found: Vec<Uuid>| if let [identity_id] = found[..] { Some(identity_id) } else { None };
    rules.iter().find_map(|rule| match rule {
        CorrelationRule::Fields { account, identity } => {
            let value = comparable(field(key, record, account)?);
            if value.is_empty() {
                return None;
            }
            let by = FoundBy::Fields { account_field: account.clone(), identity_field: identity.clone() };
            only(find(identity, &value)).map(|identity_id| Correlation { identity_id, by })
        }
        CorrelationRule::Named { rule } => {
            let by = FoundBy::Rule { rule: rule.clone() };
            only(find_named(rule)).map(|identity_id| Correlation { identity_id, by })
        }
    })
}

/// The form in which values of accounts and identities are compared: that of filters, so that correlation by fields and by rules
/// finds the same people.
pub fn comparable(value: &str) -> String {
    fold(value.trim())
}

/// The event that a correlation makes, if any. What was said by hand wins over every rule.
pub fn observe_correlation(known: Option<&Owner>, import: Uuid, found: Option<Correlation>) -> Option<AccountEvent> {
    match (known, found) {
        (Some(Owner::Assigned { .. }), _) | (None, None) => None,
        (Some(Owner::Found(known)), Some(found)) if *known == found.identity_id => None,
        (_, Some(Correlation { identity_id, by })) => Some(AccountEvent::AccountCorrelated { import, identity_id, by }),
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
