//! Why a text is no filter, or a filter doesn't fit.

/// The first thing that is wrong with a filter: 400 for who sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("character {position}: found {found}, expected {expected}")]
pub struct FilterError {
    /// Where: the first character is 1.
    pub position: usize,
    /// What stands there, shortened.
    pub found: String,
    /// What could stand there.
    pub expected: String,
}

impl FilterError {
    pub(super) fn new(position: usize, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { position, found: found.into(), expected: expected.into() }
    }
}

/// A piece of somebody's text for a message: not too long, and with what can't be seen made visible.
pub(super) fn shown(text: &str) -> String {
    const LIMIT: usize = 60;
    let mut shown = String::new();
    for (index, char) in text.chars().enumerate() {
        if index == LIMIT {
            shown.push('…');
            break;
        }
        if char == ' ' || !(char.is_whitespace() || char.is_control()) {
            shown.push(char);
        } else {
            shown.extend(char.escape_unicode());
        }
    }
    shown
}
