//! The journal as cqrs-es sees it, so that its framework and tools work on our log.

use std::collections::HashMap;

use aggregates::{Actor, ActorKind, Refusal, Stream};
use cqrs_es::persist::{PersistedEventRepository, PersistenceError};
use cqrs_es::{AggregateError, EventEnvelope, EventStore};

use super::{AppendError, Context, Journal, Loaded};

impl<A: Stream> EventStore<A> for Journal {
    type AC = Loaded<A>;

    async fn load_events(&self, aggregate_id: &str) -> Result<Vec<EventEnvelope<A>>, AggregateError<Refusal>> {
        let events = self.repository.get_events::<A>(aggregate_id).await.map_err(database)?;
        events.into_iter().map(|event| event.try_into().map_err(database)).collect()
    }

    async fn load_aggregate(&self, aggregate_id: &str) -> Result<Loaded<A>, AggregateError<Refusal>> {
        self.load(aggregate_id).await.map_err(database)
    }

    /// The metadata may name the actor (`actorType`, `actorId`, `actorName`, `correlationId`); else it is the system.
    async fn commit(
        &self,
        events: Vec<A::Event>,
        context: Loaded<A>,
        metadata: HashMap<String, String>,
    ) -> Result<Vec<EventEnvelope<A>>, AggregateError<Refusal>> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let envelopes = events
            .iter()
            .zip(context.version as usize + 1..)
            .map(|(event, sequence)| EventEnvelope {
                aggregate_id: context.id.clone(),
                sequence,
                payload: event.clone(),
                metadata: metadata.clone(),
            })
            .collect();
        let append = context.append_of(events, context_of(&metadata));
        match self.append(append).await {
            Ok(_) => Ok(envelopes),
            Err(AppendError::Conflict { .. } | AppendError::Guard { .. }) => Err(AggregateError::AggregateConflict),
            Err(error) => Err(AggregateError::UnexpectedError(error.into())),
        }
    }
}

fn database(error: PersistenceError) -> AggregateError<Refusal> {
    AggregateError::DatabaseConnectionError(error.into())
}

fn context_of(metadata: &HashMap<String, String>) -> Context {
    let text = |name: &str| metadata.get(name).cloned();
    let actor = match text("actorId") {
        Some(id) => Actor {
            kind: ActorKind::parse(&text("actorType").unwrap_or_default()),
            name: text("actorName").unwrap_or_else(|| id.clone()),
            id,
            identity_id: text("actorIdentityId"),
        },
        None => Actor::system("cqrs-es"),
    };
    Context::of(actor, text("correlationId").unwrap_or_default())
}
