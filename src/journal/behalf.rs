//! What workers do, they do for whoever asked.

use aggregates::Actor;
use projections::events::{self, Filter};
use uuid::Uuid;

use super::{Context, Journal};

impl Journal {
    /// The context of what a worker does on behalf of whoever made the first event of this type on a stream: their actor and
    /// correlation, with the worker beside (design §3).
    ///
    /// # Errors
    /// The log can't be read.
    pub async fn on_behalf(&self, stream: Uuid, event_type: &str, worker: &str) -> sqlx::Result<Context> {
        let filter = Filter {
            aggregate_id: Some(stream.to_string()),
            event_type: Some(event_type.to_owned()),
            ..Filter::default()
        };
        let first = events::after(&self.pool, 0, &filter, 1).await?.events.into_iter().next();
        let (actor, correlation) = match &first {
            Some(event) => {
                let correlation = event.metadata.get("correlationId").and_then(|id| id.as_str()).unwrap_or_default();
                (events::actor(&event.metadata), correlation.to_owned())
            }
            None => (Actor::system(worker), String::new()),
        };
        Ok(Context {
            causation: first.map(|event| event.position),
            worker: Some(worker.to_owned()),
            ..Context::of(actor, correlation)
        })
    }
}
