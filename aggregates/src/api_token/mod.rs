//! API tokens (contracts §1.4; rulings 1 and 2): made, shown once, revoked. Only the secret's hash is ever an event.

mod events;
mod role;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use events::ApiTokenEvent;
pub use role::Role;

use crate::violation::{Refusal, Violation, check_text, refuse_if_any};

/// The stream type.
pub const TYPE: &str = "api_token";

/// A token's state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ApiToken {
    name: Option<String>,
    revoked: bool,
}

/// What can be asked of a token.
#[derive(Debug, Clone)]
pub enum ApiTokenCommand {
    /// Make it.
    Create {
        /// Descriptive; unique among tokens that aren't revoked; at most 256 characters.
        name: String,
        /// What it may do.
        role: Role,
        /// The identity it stands for.
        identity_id: Option<Uuid>,
        /// From then on it is refused; `None` = never.
        expires_at: Option<DateTime<Utc>>,
        /// SHA-256 of the secret, lower-case hex.
        secret_sha256: String,
        /// The time of the command: an expiry must lie after it.
        now: DateTime<Utc>,
    },
    /// End it at once.
    Revoke,
}

impl cqrs_es::Aggregate for ApiToken {
    const TYPE: &'static str = TYPE;
    type Command = ApiTokenCommand;
    type Event = ApiTokenEvent;
    type Error = Refusal;
    type Services = ();

    async fn handle(&mut self, command: ApiTokenCommand, (): &(), sink: &EventSink<Self>) -> Result<(), Refusal> {
        let event = match command {
            ApiTokenCommand::Create { name, role, identity_id, expires_at, secret_sha256, now } => {
                if self.name.is_some() {
                    return Err(Refusal::Conflict("The token exists already".to_owned()));
                }
                let mut violations = Vec::new();
                check_text(&mut violations, "name", "Name", &name, 256);
                if expires_at.is_some_and(|at| at <= now) {
                    violations.push(Violation::new("expiresAt", "The expiration must lie in the future"));
                }
                refuse_if_any(violations)?;
                ApiTokenEvent::ApiTokenCreated { name, role, identity_id, expires_at, secret_sha256 }
            }
            ApiTokenCommand::Revoke => {
                let Some(name) = &self.name else {
                    return Err(Refusal::NotFound("The token doesn't exist".to_owned()));
                };
                if self.revoked {
                    return Err(Refusal::Conflict(format!("The token {name:?} is revoked already")));
                }
                ApiTokenEvent::ApiTokenRevoked {}
            }
        };
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: ApiTokenEvent) {
        match event {
            ApiTokenEvent::ApiTokenCreated { name, .. } => self.name = Some(name),
            ApiTokenEvent::ApiTokenRevoked {} => self.revoked = true,
        }
    }
}

impl crate::Stream for ApiToken {
    fn claims(&self) -> Vec<String> {
        match &self.name {
            Some(name) if !self.revoked => vec![format!("api-token-name:{}", crate::values::folded(name))],
            _ => Vec::new(),
        }
    }
}
