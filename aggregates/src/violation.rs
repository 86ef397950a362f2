//! Why a command is refused.

use serde::{Deserialize, Serialize};

/// One field of a request that breaks a rule. `field` is a dotted camelCase path (`connector.fileGroups[0].name`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// Where.
    pub field: String,
    /// What was found and what is allowed.
    pub message: String,
}

impl Violation {
    /// A violation at `field`.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// A rule said no. Nothing was written. The HTTP layer gives each case its status (contracts §1.3).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request's fields break rules: 400.
    #[error("One or more validation errors occurred")]
    Invalid(Vec<Violation>),
    /// The stream doesn't exist: 404.
    #[error("{0}")]
    NotFound(String),
    /// The state forbids it now: 409.
    #[error("{0}")]
    Conflict(String),
    /// The request is right but something it needs isn't in place: 422.
    #[error("{0}")]
    Precondition(String),
}

impl Refusal {
    /// A refusal because of one field.
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![Violation::new(field, message)])
    }
}

/// `Err(Refusal::Invalid)` when there are violations.
pub fn refuse_if_any(violations: Vec<Violation>) -> Result<(), Refusal> {
    if violations.is_empty() { Ok(()) } else { Err(Refusal::Invalid(violations)) }
}

/// Notes a violation when the text is empty or longer than `limit` characters.
pub fn check_text(violations: &mut Vec<Violation>, field: &str, label: &str, text: &str, limit: usize) {
    if text.trim().is_empty() {
        violations.push(Violation::new(field, format!("{label} is required")));
    }
    check_length(violations, field, label, text, limit);
}

/// Notes a violation when the text is longer than `limit` characters or holds a NUL, which PostgreSQL can't store.
pub fn check_length(violations: &mut Vec<Violation>, field: &str, label: &str, text: &str, limit: usize) {
    let length = text.chars().count();
    if length > limit {
        violations.push(Violation::new(field, format!("{label} has {length} characters; at most {limit} are allowed")));
    }
    if text.contains('\0') {
        violations.push(Violation::new(field, format!("{label} contains a NUL character")));
    }
}
