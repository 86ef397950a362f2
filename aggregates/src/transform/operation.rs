use std::collections::BTreeMap;
use std::sync::Arc;

use super::bounded::Bounded;
use super::conditional::{Conditional, Static};
use super::date::Form;
use super::part::{Split, Substring};
use super::replacement::Replace;
use super::{Unfit, VALUE_LIMIT};

/// What a transform is run with.
pub(super) struct Row<'a> {
    pub(super) input: Option<&'a str>,
    pub(super) attribute: &'a dyn Fn(&str) -> Option<String>,
}

/// One operation.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    /// Makes a value of its input. Of no value it makes none.
    Change(Given, Change),
    /// One value behind the other; those that are none are left out.
    Concat(Vec<Given>),
    /// The first value that is one; an empty text is. `ignoreErrors`: a value that can't be made is none.
    FirstValid { values: Vec<Given>, ignores_errors: bool },
    /// A text with variables.
    Static(Static),
    /// One of two texts with variables.
    Conditional(Conditional),
    /// What another transform makes of an input and of the same row.
    Reference(Given, Arc<Operation>),
    /// An attribute of the row. It is the only account and the only identity there is, so whose it would be doesn't matter.
    Attribute(String),
}

/// A value that an operation takes.
#[derive(Debug, Clone)]
pub(super) enum Given {
    /// What the transform is run with.
    Input,
    /// Always the same.
    Text(String),
    /// What another operation makes.
    Made(Box<Operation>),
}

/// What is done with an input.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Lower,
    Upper,
    /// As Java does: control characters and spaces, but no others (a no-break space stays).
    Trim,
    Split(Split),
    Substring(Substring),
    Replace(Replace),
    /// One text for another, and what all others become.
    Lookup(BTreeMap<String, String>, Option<String>),
    /// Out of one form into another.
    Date(Form, Form),
}

impl Operation {
    pub(super) fn run(&self, row: &Row) -> Result<Option<String>, Unfit> {
        match self {
            Self::Change(input, change) => match input.run(row)? {
                Some(input) => change.run(&input).and_then(bounded),
                None => Ok(None),
            },
            Self::Concat(values) => {
                let mut whole = Bounded::default();
                for value in values {
                    whole.push(&value.run(row)?.unwrap_or_default())?;
                }
                Ok(Some(whole.finish()))
            }
            Self::FirstValid { values, ignores_errors } => {
                for value in values {
                    match value.run(row) {
                        Ok(None) => {}
                        Err(_) if *ignores_errors => {}
                        found => return found,
                    }
                }
                Ok(None)
            }
            Self::Static(text) => text.run(row),
            Self::Conditional(conditional) => conditional.run(row),
            Self::Reference(input, operation) => {
                let input = input.run(row)?;
                operation.run(&Row { input: input.as_deref(), attribute: row.attribute })
            }
            Self::Attribute(name) => bounded((row.attribute)(name)),
        }
    }
}

impl Given {
    pub(super) fn run(&self, row: &Row) -> Result<Option<String>, Unfit> {
        match self {
            Self::Input => bounded(row.input.map(str::to_owned)),
            Self::Text(text) => bounded(Some(text.clone())),
            Self::Made(operation) => operation.run(row),
        }
    }
}

impl Change {
    fn run(&self, input: &str) -> Result<Option<String>, Unfit> {
        Ok(match self {
            Self::Lower => Some(input.to_lowercase()),
            Self::Upper => Some(input.to_uppercase()),
            Self::Trim => Some(input.trim_matches(|letter| letter <= ' ').to_owned()),
            Self::Split(split) => split.run(input)?,
            Self::Substring(substring) => Some(substring.run(input)),
            Self::Replace(replace) => Some(replace.run(input)?),
            Self::Lookup(table, default) => match table.get(input).or(default.as_ref()) {
                Some(found) => Some(found.clone()),
                None => return Err(Unfit::NotInTable),
            },
            Self::Date(from, to) => Some(to.write(from.read(input)?)?),
        })
    }
}

fn bounded(value: Option<String>) -> Result<Option<String>, Unfit> {
    match value {
        Some(value) if value.len() > VALUE_LIMIT => Err(Unfit::TooLong(value.len())),
        value => Ok(value),
    }
}
