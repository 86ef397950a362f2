//! The log itself, read: the audit trail (rulings 8) and the source of every rebuild.

use std::sync::Arc;

use aggregates::event::DecodeError;
use aggregates::{Actor, ActorKind, DomainEvent, Recorded};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{PgExecutor, PgPool, Postgres, QueryBuilder};

/// An event as the log holds it.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "named like the log's columns")]
pub struct EventRow {
    pub position: i64,
    pub recorded_at: DateTime<Utc>,
    pub aggregate_type: String,
    pub aggregate_id: String,
    pub sequence: i64,
    pub event_type: String,
    pub event_version: String,
    /// The very bytes.
    pub payload: String,
    pub metadata: Value,
}

const SELECT: &str = "SELECT position, recorded_at, aggregate_type, aggregate_id, sequence, event_type, event_version,
    payload::text AS payload, metadata FROM journal.events";

/// What an auditor asks for. All conditions must hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Stream type.
    pub aggregate_type: Option<String>,
    /// Stream id.
    pub aggregate_id: Option<String>,
    /// Event type.
    pub event_type: Option<String>,
    /// The actor's id.
    pub actor: Option<String>,
    /// Recorded at or after.
    pub since: Option<DateTime<Utc>>,
    /// Recorded before.
    pub until: Option<DateTime<Utc>>,
}

/// A stretch of the log.
#[derive(Debug, Clone)]
pub struct Stretch {
    /// What matched, ascending.
    pub events: Vec<EventRow>,
    /// The last position examined: what the next request passes as `afterPosition`.
    pub next_position: i64,
    /// Nothing after `next_position` exists yet.
    pub at_head: bool,
}

/// Positions that one request examines when no index leads to the next match.
const EXAMINED: i64 = 20_000;

/// The next events after a position that match, at most `limit`.
///
/// `actor` and `aggregate_id` follow an index; other filters look at [`EXAMINED`] positions at a time, so a page may be
/// short and still not be the last.
pub async fn after(pool: &PgPool, after: i64, filter: &Filter, limit: i64) -> sqlx::Result<Stretch> {
    let head = head(pool).await?;
    // Times are ascending in positions, so a time is a position.
    let after = match filter.since {
        Some(since) => after.max(position_before(pool, since).await?),
        None => after,
    };
    let head_asked = match filter.until {
        Some(until) => head.min(position_before(pool, until).await?),
        None => head,
    };
    let indexed = filter.actor.is_some() || filter.aggregate_id.is_some();
    let last = if indexed { head_asked } else { head_asked.min(after.saturating_add(EXAMINED.max(limit))) };
    let mut query = QueryBuilder::<Postgres>::new(SELECT);
    query.push(" WHERE position > ").push_bind(after).push(" AND position <= ").push_bind(last);
    match (&filter.aggregate_type, &filter.aggregate_id) {
        (Some(aggregate_type), _) => query.push(" AND aggregate_type = ").push_bind(aggregate_type),
        // The index on streams begins with their type.
        (None, Some(_)) => query.push(" AND aggregate_type = ANY (").push_bind(aggregate_types()).push(")"),
        (None, None) => &mut query,
    };
    if let Some(aggregate_id) = &filter.aggregate_id {
        query.push(" AND aggregate_id = ").push_bind(aggregate_id);
    }
    if let Some(event_type) = &filter.event_type {
        query.push(" AND event_type = ").push_bind(event_type);
    }
    if let Some(actor) = &filter.actor {
        query.push(" AND actor_id = ").push_bind(actor);
    }
    // A stream is found by its own index and sorted: the sum keeps PostgreSQL from walking the whole log in order instead.
    query.push(if filter.aggregate_id.is_some() { " ORDER BY position + 0" } else { " ORDER BY position" });
    query.push(" LIMIT ").push_bind(limit);
    let events: Vec<EventRow> = query.build_query_as().fetch_all(pool).await?;
    let examined = match events.last() {
        Some(event) if events.len() as i64 == limit => event.position,
        _ => last.max(after),
    };
    // With `until` nothing after it will ever match, so the reader may stop there.
    Ok(Stretch { events, next_position: examined, at_head: examined >= head_asked })
}

/// Every type of stream there is.
fn aggregate_types() -> Vec<&'static str> {
    let mut types: Vec<&str> = DomainEvent::types().into_iter().map(|(aggregate_type, ..)| aggregate_type).collect();
    types.dedup();
    types
}

/// The last position recorded before a time; 0 when there is none.
///
/// Positions are dense and times ascend with them, so halving finds it by the positions' index alone: an index on times
/// would cost every append.
async fn position_before(pool: &PgPool, time: DateTime<Utc>) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "WITH RECURSIVE halving (low, high) AS (
             SELECT 0::bigint, (SELECT coalesce(max(position), 0) FROM journal.events)
             UNION ALL
             SELECT CASE WHEN e.recorded_at < $1 THEN e.position ELSE h.low END,
                    CASE WHEN e.recorded_at < $1 THEN h.high ELSE e.position - 1 END
             FROM halving AS h JOIN journal.events AS e ON e.position = (h.low + h.high + 1) / 2
             WHERE h.low < h.high
         ) SELECT low FROM halving WHERE low = high",
    )
    .bind(time)
    .fetch_one(pool)
    .await
}

/// Events in position order, for a rebuild: after one position, up to and including another, at most `limit`.
pub(crate) async fn recorded(
    executor: impl PgExecutor<'_>,
    after: i64,
    until: i64,
    limit: i64,
) -> Result<Vec<Recorded>, ReadError> {
    let rows: Vec<EventRow> =
        sqlx::query_as(&format!("{SELECT} WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3"))
            .bind(after)
            .bind(until)
            .bind(limit)
            .fetch_all(executor)
            .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Events of these types in position order: after one position, up to and including another, at most `limit`.
pub async fn of_types(
    executor: impl PgExecutor<'_>,
    after: i64,
    until: i64,
    event_types: &[&str],
    limit: i64,
) -> sqlx::Result<Vec<EventRow>> {
    sqlx::query_as(&format!(
        "{SELECT} WHERE position > $1 AND position <= $2 AND event_type = ANY ($3) ORDER BY position LIMIT $4"
    ))
    .bind(after)
    .bind(until)
    .bind(event_types)
    .bind(limit)
    .fetch_all(executor)
    .await
}

/// The position of the last event; 0 = there is none.
pub async fn head(executor: impl PgExecutor<'_>) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT coalesce(max(position), 0) FROM journal.events").fetch_one(executor).await
}

/// What happened to streams of one type, the oldest first.
pub async fn of_streams(
    executor: impl PgExecutor<'_>,
    aggregate_type: &str,
    ids: &[String],
) -> Result<Vec<Recorded>, ReadError> {
    let rows: Vec<EventRow> = sqlx::query_as(&format!(
        "{SELECT} WHERE aggregate_type = $1 AND aggregate_id = ANY ($2) ORDER BY position + 0"
    ))
    .bind(aggregate_type)
    .bind(ids)
    .fetch_all(executor)
    .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// The log couldn't be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The database said no.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// An event that this version of the program can't read.
    #[error("event {position}: {error}")]
    Event {
        /// Where.
        position: i64,
        /// Why.
        error: DecodeError,
    },
}

impl TryFrom<EventRow> for Recorded {
    type Error = ReadError;

    fn try_from(row: EventRow) -> Result<Self, ReadError> {
        let event = DomainEvent::decode(&row.aggregate_type, &row.payload)
            .map_err(|error| ReadError::Event { position: row.position, error })?;
        Ok(Self {
            position: row.position,
            recorded_at: row.recorded_at,
            aggregate_id: row.aggregate_id,
            sequence: row.sequence,
            event: Arc::new(event),
            actor: Arc::new(actor(&row.metadata)),
        })
    }
}

/// The actor that an event's metadata names.
pub fn actor(metadata: &Value) -> Actor {
    let text = |name: &str| metadata.get(name).and_then(Value::as_str).map(str::to_owned);
    Actor {
        kind: ActorKind::parse(&text("actorType").unwrap_or_default()),
        id: text("actorId").unwrap_or_default(),
        name: text("actorName").unwrap_or_default(),
        identity_id: text("actorIdentityId"),
    }
}

/// What the event at a position led to, up to another position: those that name it as their cause, of these types of streams.
pub async fn caused_by(
    executor: impl PgExecutor<'_>,
    position: i64,
    until: i64,
    aggregate_types: &[&str],
) -> Result<Vec<Recorded>, ReadError> {
    let rows: Vec<EventRow> = sqlx::query_as(&format!(
        "{SELECT} WHERE position > $1 AND position <= $2 AND aggregate_type = ANY ($3)
         AND metadata ->> 'causationId' = $1::text ORDER BY position"
    ))
    .bind(position)
    .bind(until)
    .bind(aggregate_types)
    .fetch_all(executor)
    .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// The versions of streams; those that don't exist are left out.
pub async fn versions(
    executor: impl PgExecutor<'_>,
    aggregate_type: &str,
    ids: &[String],
) -> sqlx::Result<Vec<(String, i64)>> {
    sqlx::query_as(
        "SELECT aggregate_id, max(sequence) FROM journal.events
         WHERE aggregate_type = $1 AND aggregate_id = ANY ($2) GROUP BY aggregate_id",
    )
    .bind(aggregate_type)
    .bind(ids)
    .fetch_all(executor)
    .await
}
