//! What is asked of the writer and what it answers.

use std::sync::Arc;
use std::time::Duration;

use aggregates::DomainEvent;
use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;

use super::Context;

/// A stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId {
    /// Its type, snake_case.
    pub aggregate_type: &'static str,
    /// Its id.
    pub aggregate_id: String,
}

impl StreamId {
    /// The stream of an aggregate.
    pub fn of<A: cqrs_es::Aggregate>(id: &(impl ToString + ?Sized)) -> Self {
        Self { aggregate_type: A::TYPE, aggregate_id: id.to_string() }
    }
}

/// The version that a stream must have: EventStoreDB's expected revision (rulings 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Whatever it is.
    Any,
    /// It must not exist.
    New,
    /// Exactly this.
    Version(i64),
}

/// New events of one stream.
#[derive(Debug, Clone)]
pub struct StreamEvents {
    /// Which stream.
    pub stream: StreamId,
    /// Its version before.
    pub expected: Expected,
    /// In this order.
    pub events: Vec<DomainEvent>,
}

/// An append: all of it or nothing.
#[derive(Debug, Clone)]
pub struct Append {
    /// Events, stream by stream.
    pub streams: Vec<StreamEvents>,
    /// Streams that must still be at a version, though nothing is appended to them.
    pub guards: Vec<(StreamId, i64)>,
    /// Claims to take, each for a stream.
    pub take: Vec<(String, StreamId)>,
    /// Claims to give up.
    pub release: Vec<(String, StreamId)>,
    /// Who and why.
    pub context: Context,
}

impl Append {
    /// An append of one stream's events.
    pub fn one(stream: StreamId, expected: Expected, events: Vec<DomainEvent>, context: Context) -> Self {
        Self {
            streams: vec![StreamEvents { stream, expected, events }],
            guards: Vec::new(),
            take: Vec::new(),
            release: Vec::new(),
            context,
        }
    }

    /// All of this and all of another append, or nothing.
    pub fn and(mut self, other: Self) -> Self {
        self.streams.extend(other.streams);
        self.guards.extend(other.guards);
        self.take.extend(other.take);
        self.release.extend(other.release);
        self
    }

    /// Both, or the one that there is.
    pub fn both(first: Option<Self>, second: Option<Self>) -> Option<Self> {
        match (first, second) {
            (Some(first), Some(second)) => Some(first.and(second)),
            (first, second) => first.or(second),
        }
    }
}

/// The events are in the log and in every table.
#[derive(Debug, Clone)]
pub struct Appended {
    /// Position of the first event.
    pub first: i64,
    /// Position of the last event.
    pub last: i64,
    /// When the writer took it.
    pub recorded_at: DateTime<Utc>,
    /// How long the writer worked on the batch that held them.
    pub took: Duration,
    /// The row that [`Context::rereads`] names; none as well when the answer to COMMIT was lost.
    pub row: Option<Arc<PgRow>>,
}

/// Nothing of the append was written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// A stream isn't at the expected version.
    #[error("{} {} is at version {found}", stream.aggregate_type, stream.aggregate_id)]
    Conflict {
        /// Which.
        stream: StreamId,
        /// Where it is.
        found: i64,
    },
    /// A guarded stream moved on.
    #[error("{} {} moved on to version {found}", stream.aggregate_type, stream.aggregate_id)]
    Guard {
        /// Which.
        stream: StreamId,
        /// Where it is.
        found: i64,
    },
    /// Another stream holds a claim.
    #[error("{claim} is taken by {} {}", holder.0, holder.1)]
    ClaimTaken {
        /// Which.
        claim: String,
        /// By whom: type and id of the stream.
        holder: (String, String),
    },
    /// The same request was carried out before.
    #[error("the request was carried out before, at position {position}")]
    Replayed {
        /// Its last event.
        position: i64,
    },
    /// The key was used for another request.
    #[error("the Idempotency-Key was used for another request")]
    KeyReused,
    /// Try again: the queue is full, the database is away, or the fate of a commit can't be known.
    #[error("{0}")]
    Unavailable(String),
    /// The database refused what the writer had accepted: a bug.
    #[error("{0}")]
    Failed(String),
}
