//! What each row of a feed must be.

use serde_json::Value;

use super::subject::{CONTENTS, catalogue, every_catalogue};
use super::{Condition, NotExecutable, misfit, not_executable, said};
use crate::application::Content;
use crate::filter::{Filter, FilterError};

/// A validation rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Validation {
    filter: Filter,
    /// For people: why a row must be so.
    pub description: Option<String>,
    /// A row that isn't so is remarked on, and counts.
    pub is_warning: bool,
}

impl Validation {
    pub(super) fn read(document: &Value, filter: Filter) -> Result<Self, NotExecutable> {
        let severity = &document["attributes"]["severity"];
        let is_warning = match severity.as_str() {
            Some("warning") => true,
            Some("error") => false,
            None if severity.is_null() => false,
            _ => {
                let reason = format!("{}; error (which is usual) or warning are allowed", said(severity));
                return Err(not_executable("attributes.severity", reason));
            }
        };
        // Which rows it is for, its use says; some rows must be there for which it is.
        filter.check(&every_catalogue()).map_err(misfit)?;
        let misfits = CONTENTS.into_iter().map(|content| (content, filter.check(&catalogue(content)).err()));
        let misfits: Vec<String> = misfits.filter_map(|(content, error)| Some(told(content, &error?))).collect();
        if misfits.len() == CONTENTS.len() {
            let reason = format!("No rows have all that it names. {}", misfits.join("; "));
            return Err(not_executable(super::SCRIPT, reason));
        }
        let description = document["description"].as_str().map(str::trim).filter(|text| !text.is_empty());
        Ok(Self { filter, description: description.map(str::to_owned), is_warning })
    }

    /// The rule, ready for rows of this content.
    ///
    /// # Errors
    /// The first thing in its filter that doesn't fit such rows.
    pub fn of(&self, content: Content) -> Result<Condition, FilterError> {
        self.filter.check(&catalogue(content)).map(Condition::new)
    }
}

fn told(content: Content, error: &FilterError) -> String {
    format!("Of {}: {error}", content.as_str())
}
