//! A filter held against a subject.

use chrono::{DateTime, Utc};

use super::subject::{Field, Place, Raw, Subject};
use crate::account::comparable;
use crate::filter::{Checked, Row, Test, Value};

/// A filter with the places that it reads: those, and no others, are folded of each subject.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    pub(super) filter: Checked<Field>,
    /// Each once.
    pub(super) places: Vec<Place>,
}

impl Condition {
    pub(super) fn new(filter: Checked<Field>) -> Self {
        let mut places = Vec::new();
        each_test(&filter, &mut |test| places.push(place(test)));
        places.sort();
        places.dedup();
        Self { filter, places }
    }

    /// Is the subject one of those that the filter means?
    pub fn holds(&self, subject: Subject<'_>) -> bool {
        holds(&self.filter, &self.places, subject)
    }

    /// The places that it reads, each once.
    pub fn places(&self) -> &[Place] {
        &self.places
    }
}

/// Is the subject one of those that a filter means, which reads no other places?
pub(super) fn holds(filter: &Checked<Field>, places: &[Place], subject: Subject<'_>) -> bool {
    let values = places.iter().map(|place| subject.raw(place).map(Known::of)).collect();
    filter.matches(&Seen { places, values })
}

/// Where a test looks.
pub(super) fn place(test: &Test<Field>) -> Place {
    Place { field: test.attribute, custom: test.key.clone().unwrap_or_default() }
}

/// Shows every test of a filter.
fn each_test<'f>(filter: &'f Checked<Field>, show: &mut impl FnMut(&'f Test<Field>)) {
    match filter {
        Checked::Test(test) => show(test),
        Checked::Not(inner) => each_test(inner, show),
        Checked::All(parts) | Checked::Any(parts) => parts.iter().for_each(|part| each_test(part, show)),
    }
}

enum Known {
    Text(String),
    Boolean(bool),
    Time(DateTime<Utc>),
}

impl Known {
    fn of(raw: Raw<'_>) -> Self {
        match raw {
            Raw::Text(text) => Self::Text(comparable(text)),
            Raw::Boolean(value) => Self::Boolean(value),
            Raw::Time(time) => Self::Time(time),
        }
    }
}

/// What a filter sees of a subject.
struct Seen<'c> {
    places: &'c [Place],
    /// Beside the places.
    values: Vec<Option<Known>>,
}

impl Row for Seen<'_> {
    type Attribute = Field;

    fn value(&self, field: Field, custom: &str) -> Option<Value<'_>> {
        let at = self.places.iter().position(|place| place.field == field && place.custom == custom)?;
        Some(match self.values[at].as_ref()? {
            Known::Text(text) => Value::Text(text),
            Known::Boolean(value) => Value::Boolean(*value),
            Known::Time(time) => Value::Time(*time),
        })
    }
}
