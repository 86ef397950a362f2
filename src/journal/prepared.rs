//! An append made ready by its caller, so that the writer, of which there is one, does as little as possible.

use std::sync::Arc;

use aggregates::{Actor, DomainEvent};
use uuid::Uuid;

use super::append::{Append, AppendError, Expected, StreamId};
use super::context::{Context, Idempotency};

pub(super) struct Prepared {
    pub(super) streams: Vec<PreparedStream>,
    pub(super) guards: Vec<(StreamId, i64)>,
    pub(super) take: Vec<(String, StreamId)>,
    pub(super) release: Vec<(String, StreamId)>,
    pub(super) actor: Arc<Actor>,
    pub(super) idempotency: Option<Idempotency>,
    pub(super) metadata: String,
    pub(super) rereads: Option<Uuid>,
    /// Holds events of clients, tokens or settings, which every server caches.
    pub(super) concerns_security: bool,
}

pub(super) struct PreparedStream {
    pub(super) stream: StreamId,
    pub(super) expected: Expected,
    pub(super) events: Vec<(Arc<DomainEvent>, String)>,
}

impl Prepared {
    pub(super) fn new(append: Append) -> Result<Self, AppendError> {
        let unserialisable = |error: serde_json::Error| AppendError::Failed(error.to_string());
        let metadata = serde_json::to_string(&append.context.metadata()).map_err(unserialisable)?;
        let mut streams = Vec::with_capacity(append.streams.len());
        for stream in append.streams {
            let mut events = Vec::with_capacity(stream.events.len());
            for event in stream.events {
                let payload = event.payload().map_err(unserialisable)?;
                events.push((Arc::new(event), payload));
            }
            streams.push(PreparedStream { stream: stream.stream, expected: stream.expected, events });
        }
        let concerns_security = streams.iter().any(|stream| {
            matches!(
                stream.stream.aggregate_type,
                aggregates::api_client::TYPE | aggregates::api_token::TYPE | aggregates::settings::TYPE
            )
        });
        let Append { guards, take, release, context, .. } = append;
        let Context { actor, idempotency, rereads, .. } = context;
        let actor = Arc::new(actor);
        Ok(Self { streams, guards, take, release, actor, idempotency, metadata, rereads, concerns_security })
    }

    /// Bytes of all payloads.
    pub(super) fn size(&self) -> usize {
        self.streams.iter().flat_map(|stream| &stream.events).map(|(_, payload)| payload.len()).sum()
    }
}
