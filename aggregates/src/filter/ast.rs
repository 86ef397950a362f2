//! What a filter says.

use std::ops::Deref;

/// A filter. Made by `text.parse()`; its `Display` parses back to itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// `path pr`: it has a value that isn't empty.
    Present(Located<Path>),
    /// `path eq "value"`.
    Compare(Comparison),
    /// `path[filter]`: the filter's paths begin at `path`.
    Within(Located<Path>, Box<Filter>),
    /// `not (filter)`.
    Not(Box<Filter>),
    /// All of at least two.
    And(Vec<Filter>),
    /// One of at least two.
    Or(Vec<Filter>),
}

/// An attribute compared with a literal.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Comparison {
    pub path: Located<Path>,
    pub operator: Located<Operator>,
    pub literal: Located<Literal>,
}

/// The way to an attribute: `source.identity.department`, `urn:ietf:params:scim:schemas:core:2.0:User:name.familyName`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// The URI before the last colon.
    pub schema: Option<String>,
    /// At least one name. All but the first may be anything in quotes: `source.attributes."Cost Centre"`.
    pub names: Vec<String>,
}

/// How a comparison compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// Equals.
    Eq,
    /// Doesn't equal: `not eq`, true for a missing attribute (rulings 33).
    Ne,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    /// Is greater than, later than, after.
    Gt,
    /// Is at least.
    Ge,
    /// Is less than, earlier than, before.
    Lt,
    /// Is at most.
    Le,
}

impl Operator {
    /// All of them.
    pub const ALL: [Self; 9] =
        [Self::Eq, Self::Ne, Self::Co, Self::Sw, Self::Ew, Self::Gt, Self::Ge, Self::Lt, Self::Le];

    /// As filters write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Co => "co",
            Self::Sw => "sw",
            Self::Ew => "ew",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }

    /// The operator of this name, in any case.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| operator.name().eq_ignore_ascii_case(name))
    }
}

/// What an attribute is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `"text"`, with the escapes of JSON and without NUL, which PostgreSQL can't store.
    Text(String),
    /// A finite number.
    Number(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// No value.
    Null,
}

/// Something, and at which character of the filter's text it stands, for messages. The place is no part of what it says:
/// equality passes over it.
#[derive(Debug, Clone)]
pub struct Located<T> {
    value: T,
    /// The first character is 1; 0 = not from a text.
    pub position: usize,
}

impl<T> Located<T> {
    /// Something at a place.
    pub const fn new(value: T, position: usize) -> Self {
        Self { value, position }
    }
}

impl<T> From<T> for Located<T> {
    fn from(value: T) -> Self {
        Self::new(value, 0)
    }
}

impl<T> Deref for Located<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: PartialEq> PartialEq for Located<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}
