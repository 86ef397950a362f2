//! OAuth clients (contracts §2.4; rulings 1, 2 and 40): made, shown once, revoked. Only the secret's hash is ever an event.

mod events;
mod scope;
#[cfg(test)]
mod tests;

use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use events::ApiClientEvent;
pub use scope::Scope;

use crate::api_token::Role;
use crate::violation::{Refusal, Violation, check_text, refuse_if_any};

/// The stream type.
pub const TYPE: &str = "api_client";

/// A client's state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ApiClient {
    name: Option<String>,
    revoked: bool,
}

/// What can be asked of a client.
#[derive(Debug, Clone)]
pub enum ApiClientCommand {
    /// Make it.
    Create {
        /// Descriptive; unique among clients that aren't revoked; at most 256 characters.
        name: String,
        /// What it may do.
        role: Role,
        /// What its access tokens may be used for; at least one.
        scopes: Vec<Scope>,
        /// The identity it stands for.
        identity_id: Option<Uuid>,
        /// SHA-256 of the secret, lower-case hex.
        secret_sha256: String,
    },
    /// End it at once.
    Revoke,
}

impl cqrs_es::Aggregate for ApiClient {
    const TYPE: &'static str = TYPE;
    type Command = ApiClientCommand;
    type Event = ApiClientEvent;
    type Error = Refusal;
    type Services = ();

    async fn handle(&mut self, command: ApiClientCommand, (): &(), sink: &EventSink<Self>) -> Result<(), Refusal> {
        let event = match command {
            ApiClientCommand::Create { name, role, mut scopes, identity_id, secret_sha256 } => {
                if self.name.is_some() {
                    return Err(Refusal::Conflict("The client exists already".to_owned()));
                }
                let mut violations = Vec::new();
                check_text(&mut violations, "name", "Name", &name, 256);
                if scopes.is_empty() {
                    violations.push(Violation::new("scopes", "At least one scope is required"));
                }
                refuse_if_any(violations)?;
                scopes.sort_unstable();
                scopes.dedup();
                ApiClientEvent::ApiClientCreated { name, role, scopes, identity_id, secret_sha256 }
            }
            ApiClientCommand::Revoke => {
                let Some(name) = &self.name else {
                    return Err(Refusal::NotFound("The client doesn't exist".to_owned()));
                };
                if self.revoked {
                    return Err(Refusal::Conflict(format!("The client {name:?} is revoked already")));
                }
                ApiClientEvent::ApiClientRevoked {}
            }
        };
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: ApiClientEvent) {
        match event {
            ApiClientEvent::ApiClientCreated { name, .. } => self.name = Some(name),
            ApiClientEvent::ApiClientRevoked {} => self.revoked = true,
        }
    }
}

impl crate::Stream for ApiClient {
    fn claims(&self) -> Vec<String> {
        match &self.name {
            Some(name) if !self.revoked => vec![format!("api-client-name:{}", crate::values::folded(name))],
            _ => Vec::new(),
        }
    }
}
