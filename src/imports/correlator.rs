//! Whose accounts are: an application's correlation, and the people among whom it looks.

use std::collections::{BTreeMap, HashMap};

use aggregates::account::{self, AccountRecord, correlate};
use aggregates::application::CorrelationRule;
use aggregates::rule::{Correlation, People, Place, Subject};
use projections::identities::{Candidate, Whole};
use uuid::Uuid;

use super::known::IdentityIndex;

/// Finds the identities to whom accounts belong.
#[derive(Default)]
pub struct Correlator {
    rules: Vec<CorrelationRule>,
    named: BTreeMap<String, Correlation>,
    by_field: IdentityIndex,
    people: Whoever,
}

/// People as named rules look for them.
#[derive(Default)]
struct Whoever {
    by_place: HashMap<Place, HashMap<String, Vec<Uuid>>>,
    all: HashMap<Uuid, (Vec<String>, Whole)>,
}

impl Correlator {
    /// With nobody to be found yet. `named` are the rules that `rules` name.
    pub fn new(rules: Vec<CorrelationRule>, named: BTreeMap<String, Correlation>) -> Self {
        let fields = rules.iter().filter_map(|rule| match rule {
            CorrelationRule::Fields { identity, .. } => Some(identity.as_str()),
            CorrelationRule::Named { .. } => None,
        });
        let by_field = IdentityIndex::of(fields);
        let places = named.values().flat_map(Correlation::places);
        let by_place = places.map(|place| (place.clone(), HashMap::new())).collect();
        Self { rules, named, by_field, people: Whoever { by_place, all: HashMap::new() } }
    }

    /// Must candidates be whole?
    pub fn needs_whole(&self) -> bool {
        !self.named.is_empty()
    }

    /// May it find somebody for an account that has nothing but a key?
    pub fn finds_by_key(&self) -> bool {
        self.rules.iter().any(|rule| match rule {
            CorrelationRule::Fields { account, .. } => account == "key",
            CorrelationRule::Named { rule } => self.named.get(rule).is_some_and(Correlation::finds_by_key),
        })
    }

    /// Adds somebody who may be found.
    pub fn add(&mut self, candidate: Candidate) {
        self.by_field.add_candidate(&candidate);
        let Some(whole) = candidate.whole.map(|whole| whole.0).filter(|_| self.needs_whole()) else { return };
        for (place, by_text) in &mut self.people.by_place {
            for text in subjects(&candidate.keys, &whole).filter_map(|person| person.folded(place)) {
                let people: &mut Vec<Uuid> = by_text.entry(text).or_default();
                // Only the one who is being added can be there already, under another key.
                if people.last() != Some(&candidate.id) {
                    people.push(candidate.id);
                }
            }
        }
        self.people.all.insert(candidate.id, (candidate.keys, whole));
    }

    /// Whose an account is.
    pub fn find(&self, key: &str, record: &AccountRecord) -> Option<account::Correlation> {
        let find = |field: &str, value: &str| self.by_field.find(field, value);
        let find_named = |name: &str| {
            let rule = self.named.get(name);
            rule.map(|rule| rule.find(Subject::Account { key, record }, &self.people)).unwrap_or_default()
        };
        correlate(key, record, &self.rules, find, find_named)
    }
}

impl People for Whoever {
    fn with(&self, place: &Place, folded: &str) -> &[Uuid] {
        self.by_place.get(place).and_then(|by_text| by_text.get(folded)).map_or(&[], Vec::as_slice)
    }

    fn is_meant(&self, identity: Uuid, holds: &dyn Fn(Subject<'_>) -> bool) -> bool {
        self.all.get(&identity).is_some_and(|(keys, whole)| subjects(keys, whole).any(holds))
    }
}

/// A person under each of their keys.
fn subjects<'s>(keys: &'s [String], whole: &'s Whole) -> impl Iterator<Item = Subject<'s>> {
    keys.iter().map(|key| Subject::Identity { key, record: &whole.record, status: Some(&whole.status) })
}

#[cfg(test)]
mod tests {
    use aggregates::identity::IdentityRecord;
    use aggregates::rule::Rule;
    use proptest::prelude::*;
    use serde_json::json;
    use sqlx::types::Json;

    use super::*;

    fn named(script: &str) -> Correlator {
        let document = json!({"type": "Correlation", "language": "scim", "sourceCode": {"script": script}});
        let Ok(Rule::Correlation(rule)) = Rule::read(&document) else { panic!("{script}") };
        let rules = vec![CorrelationRule::Named { rule: "r".to_owned() }];
        Correlator::new(rules, BTreeMap::from([("r".to_owned(), rule)]))
    }

    /// What several people may share, or nearly.
    fn value() -> impl Strategy<Value = String> {
        let values = [
            "a@x.com",
            "A@X.com",
            " a@x.com ",
            "ΌΣΟΣ",
            "όσος",
            "όσοσ",
            "ß",
            "SS",
            "ss",
            "",
            " ",
            "\"",
            "\\",
            "{account.key}",
        ];
        prop::sample::select(values.to_vec()).prop_map(str::to_owned)
    }

    fn person() -> impl Strategy<Value = (Vec<String>, [Option<String>; 4])> {
        let values = [(); 4].map(|()| prop::option::of(value()));
        (prop::collection::vec(value(), 1..3), values)
    }

    fn candidate(
        id: u128,
        (keys, [email, employee_id, display_name, badge]): (Vec<String>, [Option<String>; 4]),
    ) -> Candidate {
        let attributes: BTreeMap<String, String> = badge.into_iter().map(|badge| ("badge".to_owned(), badge)).collect();
        let record = IdentityRecord {
            email: email.clone(),
            employee_id: employee_id.clone(),
            display_name: display_name.clone(),
            attributes: attributes.clone(),
            ..IdentityRecord::default()
        };
        Candidate {
            id: Uuid::from_u128(id),
            display_name,
            email,
            employee_id,
            attributes: Json(attributes),
            keys,
            sources: Vec::new(),
            whole: Some(Json(Whole { record: Box::new(record), status: "Active".to_owned() })),
        }
    }

    proptest! {
        #[test]
        fn a_rule_of_equal_fields_finds_whom_the_fields_find(
            people in prop::collection::vec(person(), 0..6),
            (keys, [name, email, r#type, badge]) in person(),
        ) {
            let attributes = badge.into_iter().map(|badge| ("badge".to_owned(), badge)).collect();
            let record = AccountRecord { name, email, r#type, attributes, ..AccountRecord::default() };
            let pairs = [
                ("email", "email", "email eq \"{account.email}\""),
                ("key", "key", "key eq \"{account.key}\""),
                ("name", "displayName", "displayName eq \"{account.name}\""),
                ("badge", "badge", "attributes.badge eq \"{account.attributes.badge}\""),
                ("type", "employeeId", "employeeId eq \"{account.type}\" and (key pr or not (key pr))"),
            ];
            for (account, identity, script) in pairs {
                let mut by_fields = Correlator::new(vec![CorrelationRule::fields(account, identity)], BTreeMap::new());
                let mut by_rule = named(script);
                for (id, person) in (0..).zip(people.clone()) {
                    by_fields.add(candidate(id, person.clone()));
                    by_rule.add(candidate(id, person));
                }
                let whose = |found: Option<account::Correlation>| found.map(|found| found.identity_id);
                prop_assert_eq!(
                    whose(by_fields.find(&keys[0], &record)),
                    whose(by_rule.find(&keys[0], &record)),
                    "{}", script
                );
            }
        }
    }

    #[test]
    fn a_rule_finds_by_a_key_if_it_asks_for_nothing_else() {
        assert!(named("key eq \"{account.key}\"").finds_by_key());
        assert!(!named("email eq \"{account.email}\"").finds_by_key());
        assert!(Correlator::new(vec![CorrelationRule::fields("key", "email")], BTreeMap::new()).finds_by_key());
        assert!(!Correlator::new(vec![CorrelationRule::fields("email", "key")], BTreeMap::new()).finds_by_key());
    }
}
