//! Records from rows: each field into its type, with an issue for each value that doesn't fit.

use std::collections::BTreeMap;

use aggregates::account::AccountRecord;
use aggregates::entitlement::EntitlementRecord;
use aggregates::identity::schema::{AttributeType, Schema};
use aggregates::identity::{IdentityRecord, IdentityStatus, IdentityType};
use aggregates::values::{self, BOOLEAN_ALLOWED, INTEGER_ALLOWED, TIME_ALLOWED};
use chrono::{DateTime, Utc};

use super::delivered::Interner;
use super::issues::Problem;
use super::mapping::{Few, Fields, KEY_LIMIT};

/// Reads the fields of a row and collects what is wrong.
pub struct RowReader<'a> {
    fields: Fields<'a>,
}

impl<'a> RowReader<'a> {
    /// A reader of one row.
    pub const fn new(fields: Fields<'a>) -> Self {
        Self { fields }
    }

    /// What was wrong with the row.
    pub fn problems(self) -> Vec<Problem> {
        self.fields.problems
    }

    /// The keys that a field names, mostly one; `None` (and a problem) when they can't be read.
    pub fn keys(&mut self, field: &str) -> Option<Few<String>> {
        self.read_keys(field, str::to_owned)
    }

    /// As [`RowReader::keys`], numbered.
    pub fn numbers(&mut self, field: &str, numbers: &mut Interner) -> Option<Few<u32>> {
        self.read_keys(field, |key| numbers.number(key))
    }

    fn read_keys<T>(&mut self, field: &str, read: impl FnMut(&str) -> T) -> Option<Few<T>> {
        let keys = self.fields.several(field);
        if keys.is_empty() {
            drop(keys); // it borrows from here
            self.problem(field, None, "missing_key", format!("{field} is missing"), None);
            return None;
        }
        if keys.iter().any(|key| key.contains('\0')) {
            return None; // The row's own check has told it.
        }
        let is_long = |key: &&&str| key.len() > KEY_LIMIT && key.chars().count() > KEY_LIMIT;
        if let Some(long) = keys.iter().find(is_long).map(|key| (*key).to_owned()) {
            let message = format!("{field} is longer than {KEY_LIMIT} characters");
            drop(keys); // as above
            self.problem(field, Some(long), "key_too_long", message, None);
            return None;
        }
        Some(keys.into_iter().map(read).collect())
    }

    fn text(&self, field: &str) -> Option<String> {
        self.fields.get(field)
    }

    fn boolean(&mut self, field: &str) -> Option<bool> {
        let text = self.text(field)?;
        let read = values::boolean(&text);
        if read.is_none() {
            self.misfit(field, text, AttributeType::Boolean);
        }
        read
    }

    fn time(&mut self, field: &str) -> Option<DateTime<Utc>> {
        let text = self.text(field)?;
        let read = values::time(&text);
        if read.is_none() {
            self.misfit(field, text, AttributeType::Date);
        }
        read
    }

    /// A value that isn't of its field's type.
    fn misfit(&mut self, field: &str, value: String, expected: AttributeType) {
        let (code, message, allowed) = match expected {
            AttributeType::Boolean => ("not_a_boolean", "is neither yes nor no", BOOLEAN_ALLOWED),
            AttributeType::Date => ("not_a_date", "is not a date that exists", TIME_ALLOWED),
            AttributeType::Int => ("not_an_integer", "is not a whole number", INTEGER_ALLOWED),
            AttributeType::String | AttributeType::Identity => return, // any text is one
        };
        self.problem(field, Some(value), code, format!("{field} {message}"), Some(allowed));
    }

    /// Custom attributes, those that the schema of identities names in the form of their types.
    fn typed_attributes(&mut self, schema: Option<&Schema>) -> BTreeMap<String, String> {
        let mut attributes = self.fields.attributes();
        let Some(schema) = schema else { return attributes };
        attributes.retain(|name, text| {
            let Some(attribute) = schema.get(name).filter(|attribute| !attribute.r#type.is_any_text()) else {
                return true;
            };
            let several = attribute.is_multi_valued.then(|| self.fields.several(name));
            let values: Vec<String> =
                several.map_or_else(|| vec![text.clone()], |all| all.into_iter().map(str::to_owned).collect());
            let mut normal = Vec::with_capacity(values.len());
            for value in values {
                match attribute.r#type.normal(&value) {
                    Some(value) => normal.push(value),
                    None => self.misfit(name, value, attribute.r#type),
                }
            }
            *text = normal.join(", ");
            !text.is_empty()
        });
        attributes
    }

    fn problem(
        &mut self,
        field: &str,
        value: Option<String>,
        code: &'static str,
        message: String,
        allowed: Option<&'static str>,
    ) {
        let column = self.fields.column(field);
        self.fields.problems.push(Problem { column, value, code, message, allowed });
    }

    /// An identity, whose custom attributes are of the types that the schema of identities says.
    pub fn identity(&mut self, schema: Option<&Schema>) -> IdentityRecord {
        let status = self.text("status").and_then(|text| {
            let read = IdentityStatus::from_feed(&text);
            if read.is_none() {
                let message = "status is unknown".to_owned();
                self.problem("status", Some(text), "unknown_status", message, Some(IdentityStatus::ALLOWED));
            }
            read
        });
        IdentityRecord {
            first_name: self.text("firstName"),
            last_name: self.text("lastName"),
            display_name: self.text("displayName"),
            email: self.text("email"),
            employee_id: self.text("employeeId"),
            r#type: self.text("type").map(|word| IdentityType::from_feed(&word)),
            title: self.text("title"),
            company: self.text("company"),
            division: self.text("division"),
            department: self.text("department"),
            office: self.text("office"),
            supervisor: self.text("supervisor"),
            supervisor_id: None,
            status,
            created_date: self.time("createdDate"),
            updated_date: self.time("updatedDate"),
            inactivated_date: self.time("inactivatedDate"),
            attributes: self.typed_attributes(schema),
        }
    }

    /// An account.
    pub fn account(&mut self) -> AccountRecord {
        AccountRecord {
            name: self.text("name"),
            identity: self.text("identity"),
            email: self.text("email"),
            employee_id: self.text("employeeId"),
            is_active: self.boolean("isActive"),
            last_login_at: self.time("lastLoginAt"),
            r#type: self.text("type"),
            attributes: self.fields.attributes(),
        }
    }

    /// An entitlement.
    pub fn entitlement(&mut self) -> EntitlementRecord {
        EntitlementRecord {
            name: self.text("name"),
            r#type: self.text("type"),
            description: self.text("description"),
            owner: self.text("owner"),
            is_privileged: self.boolean("isPrivileged"),
            attributes: self.fields.attributes(),
        }
    }

    /// The attributes of a grant.
    pub fn grant(&self) -> aggregates::account::Attributes {
        self.fields.attributes()
    }
}
