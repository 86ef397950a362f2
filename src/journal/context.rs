//! Why and for whom an append happens: the metadata of its events, and what its caller needs for an answer.

use aggregates::Actor;
use serde::Serialize;
use uuid::Uuid;

/// What an append says about itself. Every event of the append carries it.
#[derive(Debug, Clone)]
pub struct Context {
    /// Who.
    pub actor: Actor,
    /// Ties together all that follows from one request: 32 hex digits.
    pub correlation_id: String,
    /// Position of the event that this follows from.
    pub causation: Option<i64>,
    /// Where the request came from.
    pub source_address: Option<String>,
    /// The worker that does it on the actor's behalf.
    pub worker: Option<String>,
    /// The request's `Idempotency-Key`, stored with the append.
    pub idempotency: Option<Idempotency>,
    /// An application whose row the caller wants to see as it is then: read with the COMMIT, it costs no round trip.
    pub rereads: Option<Uuid>,
}

/// A request that may be sent again.
#[derive(Debug, Clone)]
pub struct Idempotency {
    /// As the client sent it.
    pub key: String,
    /// SHA-256 of method, path and canonical body.
    pub request_sha256: [u8; 32],
    /// Path of what the request makes or changes.
    pub location: String,
    /// Status that will be answered.
    pub status: u16,
}

impl Context {
    /// A context that says only who.
    pub fn of(actor: Actor, correlation_id: String) -> Self {
        let (causation, source_address, worker) = (None, None, None);
        Self { actor, correlation_id, causation, source_address, worker, idempotency: None, rereads: None }
    }

    /// The metadata: a flat object of strings, because that is what cqrs-es reads; its names in order.
    pub fn metadata(&self) -> impl Serialize {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Metadata<'a> {
            actor_id: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            actor_identity_id: Option<&'a str>,
            actor_name: &'a str,
            actor_type: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            causation_id: Option<String>,
            correlation_id: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            source_address: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            worker: Option<&'a str>,
        }
        Metadata {
            actor_id: &self.actor.id,
            actor_identity_id: self.actor.identity_id.as_deref(),
            actor_name: &self.actor.name,
            actor_type: self.actor.kind.as_str(),
            causation_id: self.causation.map(|position| position.to_string()),
            correlation_id: &self.correlation_id,
            source_address: self.source_address.as_deref(),
            worker: self.worker.as_deref(),
        }
    }
}
