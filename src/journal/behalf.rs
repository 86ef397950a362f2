//! What workers do, they do for whoever asked.

use projections::events::{self, Filter};
use uuid::Uuid;

use super::{Context, Journal};
use aggregates::Actor;

impl Journal {
    /// The context of what a worker does on behalf of whoever began a stream: their actor and correlation, with the worker beside
    /// (design §3).
    pub async fn on_behalf(&self, stream: Uuid, worker: &str) -> Context {
        let filter = Filter { aggregate_id: Some(stream.to_string()), ..Filter::default() };
        let first =
            events::after(&self.pool, 0, &filter, 1).await.ok().and_then(|found| found.events.into_iter().next());
        let (actor, correlation) = match &first {
            Some(event) => {
                let correlation = event.metadata.get("correlationId").and_then(|id| id.as_str()).unwrap_or_default();
                (events::actor(&event.metadata), correlation.to_owned())
            }
            None => (Actor::system(worker), String::new()),
        };
        Context {
            causation: first.map(|event| event.position),
            worker: Some(worker.to_owned()),
            ..Context::of(actor, correlation)
        }
    }
}
