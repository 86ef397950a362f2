//! What filters see of a row: folded texts, and values of other kinds, by attribute.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json};

use super::Attribute;
use crate::filter::{self, Kind, Value, fold};

/// The values of a part of a row. PostgreSQL holds [`Folded::json`], so that both see the same.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Folded {
    values: HashMap<Attribute, Known>,
}

#[derive(Debug, Clone, PartialEq)]
enum Known {
    Text(String),
    Boolean(bool),
    Time(DateTime<Utc>),
    Custom(BTreeMap<String, String>),
}

impl Folded {
    /// With a text; none is none.
    pub fn text(mut self, attribute: Attribute, text: Option<&str>) -> Self {
        self.values.extend(text.map(|text| (attribute, Known::Text(fold(text)))));
        self
    }

    /// With a yes or no.
    pub fn boolean(mut self, attribute: Attribute, value: Option<bool>) -> Self {
        self.values.extend(value.map(|value| (attribute, Known::Boolean(value))));
        self
    }

    /// With a time.
    pub fn time(mut self, attribute: Attribute, value: Option<DateTime<Utc>>) -> Self {
        self.values.extend(value.map(|value| (attribute, Known::Time(value))));
        self
    }

    /// With custom attributes. Of several whose names differ in case alone the last one counts.
    pub fn custom(mut self, attribute: Attribute, attributes: &BTreeMap<String, String>) -> Self {
        if !attributes.is_empty() {
            let folded = attributes.iter().map(|(name, text)| (fold(name), fold(text))).collect();
            self.values.insert(attribute, Known::Custom(folded));
        }
        self
    }

    /// What [`Folded::json`] wrote, as far as it is named.
    pub fn read(json: &Json, named: &BTreeSet<Attribute>) -> Self {
        let known = |json: &Json| {
            Some(match json {
                Json::Bool(value) => Known::Boolean(*value),
                Json::String(text) => Known::Text(text.clone()),
                Json::Object(attributes) => {
                    let text = |(name, text): (&String, &Json)| Some((name.clone(), text.as_str()?.to_owned()));
                    Known::Custom(attributes.iter().filter_map(text).collect())
                }
                Json::Null | Json::Number(_) | Json::Array(_) => return None,
            })
        };
        let value = |attribute: &Attribute| match (known(json.get(attribute.name())?)?, attribute.kind()) {
            (Known::Text(text), Kind::Time) => Some((*attribute, Known::Time(text.parse().ok()?))),
            (known, _) => Some((*attribute, known)),
        };
        Self { values: named.iter().filter_map(value).collect() }
    }

    /// A value.
    pub fn value(&self, attribute: Attribute, key: &str) -> Option<Value<'_>> {
        Some(match self.values.get(&attribute)? {
            Known::Text(text) => Value::Text(text),
            Known::Boolean(value) => Value::Boolean(*value),
            Known::Time(time) => Value::Time(*time),
            Known::Custom(attributes) => Value::Text(attributes.get(key)?),
        })
    }

    /// The same as one object, by the names that filters use.
    pub fn json(&self) -> Json {
        let value = |known: &Known| match known {
            Known::Text(text) => Json::from(text.as_str()),
            Known::Boolean(value) => Json::from(*value),
            Known::Time(time) => Json::from(time.to_rfc3339()),
            Known::Custom(attributes) => {
                attributes.iter().map(|(name, text)| (name.clone(), Json::from(text.as_str()))).collect()
            }
        };
        self.values
            .iter()
            .map(|(attribute, known)| (attribute.name().to_owned(), value(known)))
            .collect::<Map<String, Json>>()
            .into()
    }
}

/// A row for a `filter`: its parts, each with what it knows.
#[derive(Debug, Clone, Copy)]
pub struct View<'r> {
    /// The account with its person.
    pub source: &'r Folded,
    /// The entitlement.
    pub destination: &'r Folded,
    /// What lies between.
    pub grant: &'r Folded,
    /// What was decided about the same row last time.
    pub previous: Option<&'r Folded>,
}

impl filter::Row for View<'_> {
    type Attribute = Attribute;

    fn value(&self, attribute: Attribute, key: &str) -> Option<Value<'_>> {
        let parts = [Some(self.source), Some(self.destination), Some(self.grant), self.previous];
        parts.into_iter().flatten().find_map(|part| part.value(attribute, key))
    }
}
