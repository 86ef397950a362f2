//! Who did it: the part of an event's metadata that names the actor.

use serde::{Deserialize, Serialize};

/// What kind of actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActorKind {
    /// An API token.
    Token,
    /// An OAuth client.
    Client,
    /// Somebody at the command line; the id is the operating system's user.
    Cli,
    /// A schedule, a timer or the server's own start.
    System,
}

impl ActorKind {
    /// The word that the log holds.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Client => "client",
            Self::Cli => "cli",
            Self::System => "system",
        }
    }

    /// The kind of a stored word; `System` for one that no version ever wrote.
    pub fn parse(word: &str) -> Self {
        match word {
            "token" => Self::Token,
            "client" => Self::Client,
            "cli" => Self::Cli,
            _ => Self::System,
        }
    }
}

/// The actor of an event, by the name it had then (rulings 1).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// Token, client, command line or system.
    #[serde(rename = "type")]
    pub kind: ActorKind,
    /// The token's id, the client's id, the user's name, or the schedule's name.
    pub id: String,
    /// The name at the time.
    pub name: String,
    /// The identity that the token stands for, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_id: Option<String>,
}

impl Actor {
    /// A system actor: the server itself, a schedule or a timer.
    pub fn system(name: &str) -> Self {
        Self { kind: ActorKind::System, id: name.to_owned(), name: name.to_owned(), identity_id: None }
    }

    /// Somebody at the command line.
    pub fn cli(user: &str) -> Self {
        Self { kind: ActorKind::Cli, id: user.to_owned(), name: user.to_owned(), identity_id: None }
    }
}
