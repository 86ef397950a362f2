//! Rules: filters that somebody gave a name, as documents of type RULE.
//!
//! A [`Validation`] rule says what each row of a feed must be; a [`Correlation`] rule says whose an account is. Both are written
//! in the language of [`crate::filter`], which also evaluates them. A document that can't be executed is no error: whoever keeps
//! it keeps it verbatim and shows [`NotExecutable`].

mod condition;
mod correlation;
mod subject;
mod template;
#[cfg(test)]
mod tests;
mod validation;

use serde_json::Value;

pub use condition::Condition;
pub use correlation::{Correlation, People};
pub use subject::{Place, Subject};
pub use validation::Validation;

use crate::filter::{Filter, FilterError};
pub use crate::transform::NotExecutable;

/// The language that is executed.
const LANGUAGE: &str = "scim";
/// Where a document has its filter.
const SCRIPT: &str = "sourceCode.script";

/// A rule that can be executed.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// What each row of a feed must be.
    Validation(Validation),
    /// Whose an account is.
    Correlation(Correlation),
}

impl Rule {
    /// Reads a document: `{"type": "Validation" | "Correlation", "language": "scim", "sourceCode": {"script": <filter>},
    /// "description", "attributes"}`. What else it has doesn't matter to what it does.
    ///
    /// # Errors
    /// The first thing in it that isn't executed here.
    pub fn read(document: &Value) -> Result<Self, NotExecutable> {
        let kinds = |kind: &str| ["Validation", "Correlation"].into_iter().find(|known| *known == kind);
        let language = document["language"].as_str();
        if language.is_none_or(|language| !language.eq_ignore_ascii_case(LANGUAGE)) {
            let found = said(&document["language"]);
            return Err(not_executable("language", format!("{found}; executed are rules in the language \"scim\"")));
        }
        let Some(kind) = document["type"].as_str().and_then(kinds) else {
            let found = said(&document["type"]);
            return Err(not_executable("type", format!("{found}; executed are Validation and Correlation")));
        };
        let script = &document["sourceCode"]["script"];
        let Some(text) = script.as_str() else {
            return Err(not_executable(SCRIPT, format!("{}; a filter is needed", said(script))));
        };
        let filter: Filter = text.parse().map_err(misfit)?;
        match kind {
            "Validation" => Validation::read(document, filter).map(Self::Validation),
            _ => Correlation::read(&filter).map(Self::Correlation),
        }
    }
}

fn not_executable(path: &str, reason: impl Into<String>) -> NotExecutable {
    NotExecutable { path: path.to_owned(), reason: reason.into() }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn misfit(error: FilterError) -> NotExecutable {
    not_executable(SCRIPT, error.to_string())
}

/// What a document says in a place, for messages.
fn said(value: &Value) -> String {
    match value {
        Value::Null => "nothing is said".to_owned(),
        other => {
            let text: String = other.to_string().chars().take(60).collect();
            format!("it is {text}")
        }
    }
}
