//! A checked filter, and rows held against it.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};

/// A filter that fits the rows whose attributes are called `A`.
///
/// Every test is true or false, never unknown: of a missing attribute each is false, and `not` makes that true.
#[derive(Debug, Clone, PartialEq)]
pub enum Checked<A> {
    /// One attribute's value.
    Test(Test<A>),
    /// The contrary.
    Not(Box<Self>),
    /// Each of these; of none = every row.
    All(Vec<Self>),
    /// At least one of these; of none = no row.
    Any(Vec<Self>),
}

/// An attribute and what must be true of its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Test<A> {
    /// Which.
    pub attribute: A,
    /// Of custom attributes: which of them, folded.
    pub key: Option<String>,
    /// What must be true.
    pub condition: Condition,
}

/// What must be true of a value. Of a custom attribute's text `Number` and `Boolean` are true when it can be read as one and
/// then compares so.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// There is one.
    Present,
    /// There is a text, and it isn't empty.
    NotEmpty,
    /// The text compares so with this folded one, byte by byte (`COLLATE "C"`).
    Text(Order, String),
    /// The text has this folded one in it.
    Part(Part, String),
    /// The number compares so.
    Number(Order, f64),
    /// It is this one.
    Boolean(bool),
    /// The time compares so.
    Time(Order, DateTime<Utc>),
}

/// How the value compares with the literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Order {
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// Where in the value the literal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Part {
    Anywhere,
    Start,
    End,
}

/// Something with attributes.
pub trait Row {
    /// What it calls an attribute.
    type Attribute: Copy;

    /// The attribute's value; `None` when it has none. `key` is the folded name of a custom attribute, else empty.
    fn value(&self, attribute: Self::Attribute, key: &str) -> Option<Value<'_>>;
}

/// An attribute's value. Of another kind than the catalogue says, every test of it is false.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'r> {
    /// Folded ([`super::fold`]).
    Text(&'r str),
    /// No NaN.
    Number(f64),
    /// Yes or no.
    Boolean(bool),
    /// To the microsecond, as PostgreSQL keeps it.
    Time(DateTime<Utc>),
}

impl<A: Copy> Checked<A> {
    /// What its tests name, as often as they do.
    pub fn attributes(&self) -> Vec<A> {
        match self {
            Self::Test(test) => vec![test.attribute],
            Self::Not(inner) => inner.attributes(),
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::attributes).collect(),
        }
    }

    /// Is the row one of those that the filter means?
    pub fn matches<R: Row<Attribute = A>>(&self, row: &R) -> bool {
        match self {
            Self::Test(test) => row
                .value(test.attribute, test.key.as_deref().unwrap_or_default())
                .is_some_and(|value| test.condition.is_true(value)),
            Self::Not(inner) => !inner.matches(row),
            Self::All(parts) => parts.iter().all(|part| part.matches(row)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(row)),
        }
    }
}

impl Condition {
    fn is_true(&self, value: Value<'_>) -> bool {
        match (self, value) {
            (Self::Present, _) => true,
            (Self::NotEmpty, Value::Text(text)) => !text.is_empty(),
            (Self::Text(order, literal), Value::Text(text)) => order.admits(text.cmp(literal.as_str())),
            (Self::Part(Part::Anywhere, literal), Value::Text(text)) => text.contains(literal.as_str()),
            (Self::Part(Part::Start, literal), Value::Text(text)) => text.starts_with(literal.as_str()),
            (Self::Part(Part::End, literal), Value::Text(text)) => text.ends_with(literal.as_str()),
            (Self::Number(order, literal), Value::Number(value)) => order.admits_partial(value.partial_cmp(literal)),
            (Self::Number(order, literal), Value::Text(text)) => {
                number(text).is_some_and(|value| order.admits_partial(value.partial_cmp(literal)))
            }
            (Self::Boolean(literal), Value::Boolean(value)) => value == *literal,
            (Self::Boolean(literal), Value::Text(text)) => text == if *literal { "true" } else { "false" },
            (Self::Time(order, literal), Value::Time(time)) => order.admits(time.cmp(literal)),
            _ => false,
        }
    }
}

impl Order {
    const fn admits(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
        }
    }

    fn admits_partial(self, ordering: Option<Ordering>) -> bool {
        ordering.is_some_and(|ordering| self.admits(ordering))
    }
}

/// The number that a custom attribute's text is: up to 15 digits, and up to 15 more after a point. SQL reads the same
/// (`projections::filter`): no exponents, no separators, nothing that overflows.
fn number(text: &str) -> Option<f64> {
    let is_digits = |text: &str| (1..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let is_number = match unsigned.split_once('.') {
        Some((whole, fraction)) => is_digits(whole) && is_digits(fraction),
        None => is_digits(unsigned),
    };
    if is_number { text.parse().ok() } else { None }
}
