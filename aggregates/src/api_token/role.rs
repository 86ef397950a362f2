use serde::{Deserialize, Serialize};

/// What a token may do (rulings 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// GET except events and tokens.
    Reader,
    /// Also events, proofs, packs and the token list.
    Auditor,
    /// Also all domain writes; the default.
    Operator,
    /// All.
    Administrator,
}

impl Role {
    /// Every role, least first.
    pub const ALL: [Self; 4] = [Self::Reader, Self::Auditor, Self::Operator, Self::Administrator];

    /// The role's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
            Self::Administrator => "administrator",
        }
    }

    /// May it read events and the token list?
    pub const fn audits(self) -> bool {
        !matches!(self, Self::Reader)
    }

    /// May it change the domain?
    pub const fn operates(self) -> bool {
        matches!(self, Self::Operator | Self::Administrator)
    }

    /// May it change tokens and settings?
    pub const fn administers(self) -> bool {
        matches!(self, Self::Administrator)
    }
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == word)
            .ok_or_else(|| format!("unknown role {word:?}; allowed: reader, auditor, operator, administrator"))
    }
}
