//! Why and for whom an append happens: the metadata of its events.

use std::collections::BTreeMap;

use aggregates::Actor;

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
        Self { actor, correlation_id, causation: None, source_address: None, worker: None, idempotency: None }
    }

    /// The metadata: a flat object of strings, because that is what cqrs-es reads.
    pub fn metadata(&self) -> BTreeMap<&'static str, String> {
        let mut metadata = BTreeMap::from([
            ("actorType", self.actor.kind.as_str().to_owned()),
            ("actorId", self.actor.id.clone()),
            ("actorName", self.actor.name.clone()),
            ("correlationId", self.correlation_id.clone()),
        ]);
        let optional = [
            ("actorIdentityId", self.actor.identity_id.clone()),
            ("causationId", self.causation.map(|position| position.to_string())),
            ("sourceAddress", self.source_address.clone()),
            ("worker", self.worker.clone()),
        ];
        metadata.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value?))));
        metadata
    }
}
