use serde::{Deserialize, Serialize};

/// What is decided about a row (seed 004). `None` resets a decision, `Unknown` says nothing about it (rulings 32).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the words of the API")]
pub enum Decision {
    #[default]
    Unknown,
    None,
    Accepted,
    Rejected,
    Fixed,
}

/// What stands before a decision's word in rows and filters.
const LONG: &str = "RESULT_DECISION_";

impl Decision {
    /// Each at the place of its number.
    pub const ALL: [Self; 5] = [Self::Unknown, Self::None, Self::Accepted, Self::Rejected, Self::Fixed];

    /// The short word, which actions show.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::None => "NONE",
            Self::Accepted => "ACCEPTED",
            Self::Rejected => "REJECTED",
            Self::Fixed => "FIXED",
        }
    }

    /// The long word, which rows and filters have.
    pub fn long(self) -> String {
        format!("{LONG}{}", self.as_str())
    }

    /// The decision of a word, short or long, in any case.
    pub fn read(word: &str) -> Option<Self> {
        let word = word.to_ascii_uppercase();
        let short = word.strip_prefix(LONG).unwrap_or(&word);
        Self::ALL.into_iter().find(|decision| decision.as_str() == short)
    }
}

/// Whether a row is signed off (seed 004).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the words of the API")]
pub enum SignedOffState {
    #[default]
    Unknown,
    NotSignedOff,
    SignedOff,
}

impl SignedOffState {
    /// Each at the place of its number.
    pub const ALL: [Self; 3] = [Self::Unknown, Self::NotSignedOff, Self::SignedOff];

    /// The word of rows and filters.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::NotSignedOff => "NOT_SIGNED_OFF",
            Self::SignedOff => "SIGNED_OFF",
        }
    }

    /// The word of actions, which call the first one otherwise (rulings 32).
    pub const fn in_actions(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN_SIGNED_OFF",
            other => other.as_str(),
        }
    }

    /// The state of a word, as rows or actions have it, in any case.
    pub fn read(word: &str) -> Option<Self> {
        let is = |known: &str| known.eq_ignore_ascii_case(word);
        Self::ALL.into_iter().find(|state| is(state.as_str()) || is(state.in_actions()))
    }
}
