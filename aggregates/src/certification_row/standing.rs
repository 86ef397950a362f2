use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Attribute, Decision, Folded, SignedOffState};

/// What is decided about a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// Never `Unknown`.
    #[serde(default = "nothing", skip_serializing_if = "is_nothing")]
    pub decision: Decision,
    /// The last remark; empty = none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
    /// Nothing replaces it any more but an administrator's force.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_signed_off: bool,
}

fn nothing() -> Decision {
    Decision::None
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_nothing(decision: &Decision) -> bool {
    *decision == Decision::None
}

impl Default for Standing {
    fn default() -> Self {
        Self { decision: Decision::None, notes: String::new(), is_signed_off: false }
    }
}

impl Standing {
    /// Nothing was decided yet.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The state of rows and filters.
    pub const fn signed_off_state(&self) -> SignedOffState {
        if self.is_signed_off { SignedOffState::SignedOff } else { SignedOffState::NotSignedOff }
    }

    /// With what filters see of it where it is what is decided now.
    pub fn current(&self, folded: Folded) -> Folded {
        self.folded(folded, [Attribute::Decision, Attribute::Notes, Attribute::SignedOffState])
    }

    /// What filters see of it where it is what was decided last time.
    pub fn previous(&self) -> Folded {
        let names = [Attribute::PreviousDecision, Attribute::PreviousNotes, Attribute::PreviousSignedOffState];
        self.folded(Folded::default(), names)
    }

    fn folded(&self, folded: Folded, [decision, notes, state]: [Attribute; 3]) -> Folded {
        folded
            .text(decision, Some(&self.decision.long()))
            .text(notes, Some(&self.notes))
            .text(state, Some(self.signed_off_state().as_str()))
    }

    /// Accepted, rejected or fixed.
    pub const fn is_complete(&self) -> bool {
        matches!(self.decision, Decision::Accepted | Decision::Rejected | Decision::Fixed)
    }
}

/// What is to become of a row; what isn't said stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The decision; `None` of it resets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// The notes; blanks alone clear them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// Signed off or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_signed_off: Option<bool>,
}

impl Change {
    /// A change by the words of the API: `Unknown` and empty notes leave a thing alone (rulings 32).
    pub fn of(decision: Decision, signed_off_state: SignedOffState, notes: &str) -> Self {
        Self {
            decision: (decision != Decision::Unknown).then_some(decision),
            notes: (!notes.is_empty()).then(|| notes.to_owned()),
            is_signed_off: match signed_off_state {
                SignedOffState::Unknown => None,
                SignedOffState::NotSignedOff => Some(false),
                SignedOffState::SignedOff => Some(true),
            },
        }
    }

    /// Does it leave everything alone?
    pub const fn is_empty(&self) -> bool {
        self.decision.is_none() && self.notes.is_none() && self.is_signed_off.is_none()
    }

    /// What becomes of a row that stands so.
    pub fn applied_to(&self, was: &Standing) -> Standing {
        let notes = |notes: &String| if notes.trim().is_empty() { String::new() } else { notes.clone() };
        Standing {
            decision: self.decision.unwrap_or(was.decision),
            notes: self.notes.as_ref().map_or_else(|| was.notes.clone(), notes),
            is_signed_off: self.is_signed_off.unwrap_or(was.is_signed_off),
        }
    }
}

/// Whether somebody was told of a row (contracts §3.4). Telling is the client's business, which keeps here how it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the words of the API")]
pub enum NotificationStatus {
    #[default]
    Unknown,
    Pending,
    Succeed,
    Failed,
}

impl NotificationStatus {
    /// Each at the place of its number.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::Pending, Self::Succeed, Self::Failed];

    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Pending => "PENDING",
            Self::Succeed => "SUCCEED",
            Self::Failed => "FAILED",
        }
    }

    /// The status of a word, in any case.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str().eq_ignore_ascii_case(word))
    }
}

/// An automation that had a say in a row, with the notes that it gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Applied {
    /// Which.
    pub id: Uuid,
    /// Its name then.
    pub name: String,
    /// Its notes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
}
