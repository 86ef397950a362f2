//! What is known before an import, and how identities are found in it.

use std::collections::{BTreeMap, HashMap};

use aggregates::account::comparable;
use projections::identities::Candidate;
use uuid::Uuid;

/// Identities by the values of their fields, folded; for matching (rulings 11) and correlation.
#[derive(Default)]
pub struct IdentityIndex {
    by_field: HashMap<String, HashMap<String, Vec<Uuid>>>,
}

impl IdentityIndex {
    /// An index of these fields.
    pub fn of<'a>(fields: impl IntoIterator<Item = &'a str>) -> Self {
        Self { by_field: fields.into_iter().map(|field| (field.to_owned(), HashMap::new())).collect() }
    }

    /// Adds a value of an identity.
    pub fn add(&mut self, field: &str, value: Option<&str>, identity: Uuid) {
        let Some(values) = self.by_field.get_mut(field) else { return };
        let folded = comparable(value.unwrap_or_default());
        if folded.is_empty() {
            return;
        }
        let identities = values.entry(folded).or_default();
        if !identities.contains(&identity) {
            identities.push(identity);
        }
    }

    /// Adds what an identity is known by.
    pub fn add_all(
        &mut self,
        identity: Uuid,
        keys: &[String],
        (display_name, email, employee_id): (Option<&str>, Option<&str>, Option<&str>),
        attributes: &BTreeMap<String, String>,
    ) {
        for key in keys {
            self.add("key", Some(key), identity);
        }
        self.add("displayName", display_name, identity);
        self.add("email", email, identity);
        self.add("employeeId", employee_id, identity);
        for (name, value) in attributes {
            self.add(name, Some(value), identity);
        }
    }

    /// Adds an identity of the tables.
    pub fn add_candidate(&mut self, candidate: &Candidate) {
        let names = (candidate.display_name.as_deref(), candidate.email.as_deref(), candidate.employee_id.as_deref());
        self.add_all(candidate.id, &candidate.keys, names, &candidate.attributes.0);
    }

    /// The identities that have a folded value.
    pub fn find(&self, field: &str, folded: &str) -> Vec<Uuid> {
        self.by_field.get(field).and_then(|values| values.get(folded)).cloned().unwrap_or_default()
    }
}
