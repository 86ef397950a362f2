//! Transforms as `SailPoint` writes them: a JSON document that makes one value of another and of a row's attributes.
//!
//! A document is `{"type": ..., "attributes": {...}}`, and wherever it takes a value it takes another such document. What each
//! operation does is what <https://developer.sailpoint.com/docs/extensibility/transforms/operations> says; where that is
//! silent, each operation says what was decided. A document that can't be executed is no error: whoever keeps it keeps it
//! verbatim and shows [`NotExecutable`].

mod bounded;
mod conditional;
mod date;
mod java_regex;
mod operation;
mod part;
mod read;
mod replacement;
mod set;
mod settings;
mod template;
#[cfg(test)]
mod tests;
mod unfit;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use operation::{Operation, Row};
pub use set::{Transforms, refers};
pub use unfit::Unfit;

/// A value may have so many bytes.
pub const VALUE_LIMIT: usize = 1 << 16;
/// Bytes that a compiled pattern may take; the time of a match is linear in its text and in this.
pub(crate) const PATTERN_LIMIT: usize = 1 << 20;
/// Transforms inside one another, those that are referred to included.
const DEPTH_LIMIT: usize = 20;
/// Operations of one document, each of which may hold a compiled pattern; those that are referred to count where they are.
const OPERATION_LIMIT: usize = 200;
/// Bytes of a document.
const SIZE_LIMIT: usize = 1 << 20;

/// Executable transforms by name.
pub type Named = BTreeMap<String, Transform>;

/// A transform that can run.
#[derive(Debug, Clone)]
pub struct Transform {
    /// Shared with those that refer to it.
    operation: Arc<Operation>,
    needs: Needs,
}

/// What operations need of a row, and of the limits.
#[derive(Debug, Clone, Default)]
struct Needs {
    operations: usize,
    /// How many are inside one another.
    depth: usize,
    attributes: BTreeSet<Arc<str>>,
    sources: BTreeSet<Arc<AccountSource>>,
    reads_input: bool,
}

/// Whose account an `accountAttribute` means, as it says it; it may say nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccountSource {
    /// `sourceId`, else `applicationId`.
    pub id: Option<String>,
    /// `sourceName`, else `applicationName`.
    pub name: Option<String>,
}

/// Why a document can't be executed here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", if path.is_empty() { String::new() } else { format!("{path}: ") })]
pub struct NotExecutable {
    /// Where in the document (`attributes.values[1].type`); empty is the document itself.
    pub path: String,
    /// What was found and what is executed.
    pub reason: String,
}

impl NotExecutable {
    pub(crate) fn new(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { path: path.into(), reason: reason.into() }
    }
}

impl Transform {
    /// Reads a document that stands alone: it can refer to no other.
    ///
    /// Its `name`, `id`, `internal` and `requiresPeriodicRefresh` don't matter to what it does.
    ///
    /// # Errors
    /// The first thing in it that isn't executed here.
    pub fn read(document: &Value) -> Result<Self, NotExecutable> {
        Transforms::default().transform(document, "")
    }

    /// The value that it makes of an input, which operations without an `input` of their own take, and of a row's attributes.
    /// `None` is no value, in and out. Nothing is trimmed but by `trim`.
    ///
    /// # Errors
    /// Where `SailPoint` would throw, or a value would be longer than [`VALUE_LIMIT`].
    pub fn run(
        &self,
        input: Option<&str>,
        attribute: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<String>, Unfit> {
        self.operation.run(&Row { input, attribute })
    }

    /// The attributes that it may ask a row for.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.needs.attributes.iter().map(AsRef::as_ref)
    }

    /// Whose accounts these attributes are of.
    pub fn sources(&self) -> impl Iterator<Item = &AccountSource> {
        self.needs.sources.iter().map(AsRef::as_ref)
    }

    /// Does any of its operations take the input that it is run with?
    pub const fn reads_input(&self) -> bool {
        self.needs.reads_input
    }
}
