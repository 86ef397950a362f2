use serde::{Deserialize, Serialize};

/// What an access token may be used for (contracts §2.4), beside its client's role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Scope {
    /// Reads configuration.
    #[serde(rename = "sp:config:read")]
    ConfigRead,
    /// Reads and changes configuration.
    #[serde(rename = "sp:config:manage")]
    ConfigManage,
    /// Whatever the role allows.
    #[serde(rename = "sp:scopes:all")]
    All,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::ConfigRead, Self::ConfigManage, Self::All];

    /// The scope's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConfigRead => "sp:config:read",
            Self::ConfigManage => "sp:config:manage",
            Self::All => "sp:scopes:all",
        }
    }

    /// Scopes as OAuth writes them: one text, blanks between (RFC 6749 §3.3).
    pub fn join(scopes: &[Self]) -> String {
        scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ")
    }
}

impl std::str::FromStr for Scope {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == word)
            .ok_or_else(|| format!("unknown scope {word:?}; allowed: {}", Self::join(&Self::ALL).replace(' ', ", ")))
    }
}
