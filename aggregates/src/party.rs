//! Who did something, as an event's payload remembers it where a later rule needs to know.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Actor;
use crate::violation::{Refusal, check_text, refuse_if_any};

/// An actor by the name it had then, and the identity that it stands for (rulings 1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Party {
    /// The token's or client's id, the user's or the timer's name.
    pub actor_id: String,
    /// The name at the time.
    pub name: String,
    /// The identity that it stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_id: Option<Uuid>,
}

impl Party {
    /// What the API shows as its id: the identity's, else the token's (rulings 1).
    pub fn id(&self) -> String {
        self.identity_id.map_or_else(|| self.actor_id.clone(), |id| id.to_string())
    }

    /// Is it the same token, or the same person?
    pub fn is(&self, other: &Self) -> bool {
        self.actor_id == other.actor_id || (self.identity_id.is_some() && self.identity_id == other.identity_id)
    }
}

impl From<&Actor> for Party {
    fn from(actor: &Actor) -> Self {
        let identity_id = actor.identity_id.as_deref().and_then(|id| Uuid::parse_str(id).ok());
        Self { actor_id: actor.id.clone(), name: actor.name.clone(), identity_id }
    }
}

/// A remark of somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Comment {
    /// Whose.
    pub by: Party,
    /// When.
    pub at: chrono::DateTime<chrono::Utc>,
    /// 1 to 4,000 characters.
    pub text: String,
}

/// Characters of a comment.
pub const COMMENT_LIMIT: usize = 4000;

/// A remark that is empty or too long is a violation of `comment`.
pub fn check_comment(text: Option<&str>) -> Result<(), Refusal> {
    let mut violations = Vec::new();
    if let Some(text) = text {
        check_text(&mut violations, "comment", "Comment", text, COMMENT_LIMIT);
    }
    refuse_if_any(violations)
}
