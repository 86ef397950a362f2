use uuid::Uuid;

use super::AccountRecord;
use crate::application::CorrelationRule;
use crate::values::folded;

/// Whose an account is, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
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

fn field<'a>(key: &'a str, record: &'a AccountRecord, name: &str) -> Option<&'a str> {
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
