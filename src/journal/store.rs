//! The writer's SQL: three round trips a batch before the projections, COMMIT after.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use sqlx::{Executor, PgConnection, Row};

use super::Waiting;
use super::append::StreamId;
use super::batch::{Facts, Key, KnownKey, Writes};

/// The channel on which servers hear that tokens or settings changed.
pub(crate) const SECURITY_CHANNEL: &str = "muniment_security";

/// Takes the append lock: from here on nobody else appends, in any process.
pub(super) async fn begin(connection: &mut PgConnection) -> sqlx::Result<()> {
    connection.execute("BEGIN; LOCK TABLE journal.append_lock IN EXCLUSIVE MODE").await?;
    Ok(())
}

/// The version of the schema and of the live projections, and the facts that the batch needs.
pub(super) async fn facts<'a>(
    connection: &mut PgConnection,
    batch: &'a [Waiting],
    now: DateTime<Utc>,
) -> sqlx::Result<((i64, String), Facts<'a>)> {
    let mut streams: BTreeSet<&StreamId> = BTreeSet::new();
    let mut claims: BTreeSet<&str> = BTreeSet::new();
    let (mut actors, mut keys) = (Vec::new(), Vec::new());
    for waiting in batch {
        let append = &waiting.prepared;
        streams.extend(append.streams.iter().map(|stream| &stream.stream));
        streams.extend(append.guards.iter().map(|(stream, _)| stream));
        claims.extend(append.take.iter().chain(&append.release).map(|(claim, _)| claim.as_str()));
        if let Some(idempotency) = &append.idempotency {
            actors.push(append.actor.id.as_str());
            keys.push(idempotency.key.as_str());
        }
    }
    let streams: Vec<&StreamId> = streams.into_iter().collect();
    let types: Vec<&str> = streams.iter().map(|stream| stream.aggregate_type).collect();
    let ids: Vec<&str> = streams.iter().map(|stream| stream.aggregate_id.as_str()).collect();
    let claims: Vec<&str> = claims.into_iter().collect();
    // A part that this batch doesn't need isn't asked for: a single command would feel it.
    let mut parts = String::from(
        "SELECT v.migration, v.projections, coalesce(e.position, 0), e.recorded_at,
             ARRAY(SELECT coalesce(
                 (SELECT max(sequence) FROM journal.events AS s WHERE s.aggregate_type = u.t AND s.aggregate_id = u.i), 0)
                 FROM unnest($1::text[], $2::text[]) AS u (t, i))",
    );
    let (mut columns, mut tables) = (String::new(), String::new());
    if !claims.is_empty() {
        columns += ", c.claims, c.types, c.ids";
        tables += " CROSS JOIN LATERAL (
             SELECT array_agg(claim) AS claims, array_agg(aggregate_type) AS types, array_agg(aggregate_id) AS ids
             FROM journal.claims WHERE claim = ANY ($3)) AS c";
    }
    if !keys.is_empty() {
        columns += ", k.actors, k.keys, k.hashes, k.positions, k.times";
        tables += " CROSS JOIN LATERAL (
             SELECT array_agg(i.actor_id) AS actors, array_agg(i.key) AS keys, array_agg(i.request_sha256) AS hashes,
                    array_agg(i.position) AS positions, array_agg(i.created_at) AS times
             FROM unnest($4::text[], $5::text[]) AS u (actor_id, key) JOIN work.idempotency AS i USING (actor_id, key)) AS k";
    }
    parts += &columns;
    parts += " FROM journal.schema_version AS v
         LEFT JOIN LATERAL (SELECT position, recorded_at FROM journal.events ORDER BY position DESC LIMIT 1) AS e ON true";
    parts += &tables;
    let (has_claims, has_keys) = (!claims.is_empty(), !keys.is_empty());
    let row =
        sqlx::query(&parts).bind(types).bind(ids).bind(claims).bind(actors).bind(keys).fetch_one(connection).await?;
    let versions: Vec<i64> = row.try_get(4)?;
    let last: Option<DateTime<Utc>> = row.try_get(3)?;
    let facts = Facts {
        position: row.try_get(2)?,
        recorded_at: last.map_or(now, |last| last.max(now)),
        versions: streams.into_iter().zip(versions).collect(),
        claims: if has_claims { claims_of(&row)? } else { HashMap::new() },
        keys: if has_keys { keys_of(&row, batch)? } else { HashMap::new() },
    };
    Ok(((row.try_get(0)?, row.try_get(1)?), facts))
}

fn claims_of(row: &sqlx::postgres::PgRow) -> sqlx::Result<HashMap<String, (String, String)>> {
    let claims: Option<Vec<String>> = row.try_get("claims")?;
    let types: Option<Vec<String>> = row.try_get("types")?;
    let ids: Option<Vec<String>> = row.try_get("ids")?;
    let holders = types.unwrap_or_default().into_iter().zip(ids.unwrap_or_default());
    Ok(claims.unwrap_or_default().into_iter().zip(holders).collect())
}

fn keys_of<'a>(row: &sqlx::postgres::PgRow, batch: &'a [Waiting]) -> sqlx::Result<HashMap<Key<'a>, KnownKey>> {
    let actors: Option<Vec<String>> = row.try_get("actors")?;
    let Some(actors) = actors else {
        return Ok(HashMap::new());
    };
    let keys: Vec<String> = row.try_get("keys")?;
    let hashes: Vec<Vec<u8>> = row.try_get("hashes")?;
    let positions: Vec<i64> = row.try_get("positions")?;
    let times: Vec<DateTime<Utc>> = row.try_get("times")?;
    let known = hashes.into_iter().zip(positions).zip(times);
    let mut found: HashMap<(&str, &str), KnownKey> = actors
        .iter()
        .zip(&keys)
        .map(|(actor, key)| (actor.as_str(), key.as_str()))
        .zip(known.map(|((request_sha256, position), created_at)| KnownKey { request_sha256, position, created_at }))
        .collect();
    let asked = batch.iter().filter_map(|waiting| {
        let key = &waiting.prepared.idempotency.as_ref()?.key;
        Some((waiting.prepared.actor.id.as_str(), key.as_str()))
    });
    Ok(asked.filter_map(|key| Some((key, found.remove(&key)?))).collect())
}

/// Claims and who holds them, column by column.
#[derive(Default)]
struct Holders<'a> {
    claims: Vec<&'a str>,
    types: Vec<&'a str>,
    ids: Vec<&'a str>,
}

impl<'a> Holders<'a> {
    fn push(&mut self, claim: &'a str, holder: &'a StreamId) {
        self.claims.push(claim);
        self.types.push(holder.aggregate_type);
        self.ids.push(&holder.aggregate_id);
    }
}

/// Writes events, claims, keys and the notification in one statement; gives the transaction's id, by which its fate can be
/// asked for.
pub(super) async fn write(
    connection: &mut PgConnection,
    writes: &Writes<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<String> {
    let size = writes.events.len();
    let mut types = Vec::with_capacity(size);
    let mut ids = Vec::with_capacity(size);
    let mut sequences = Vec::with_capacity(size);
    let mut names = Vec::with_capacity(size);
    let mut versions = Vec::with_capacity(size);
    let mut positions = Vec::with_capacity(size);
    let mut actors = Vec::with_capacity(size);
    for event in &writes.events {
        types.push(event.event.aggregate_type());
        ids.push(event.aggregate_id.as_str());
        sequences.push(event.sequence);
        names.push(event.event.type_name());
        versions.push(event.event.version());
        positions.push(event.position);
        actors.push(event.actor.id.as_str());
    }
    let recorded_at = writes.events.first().map_or(now, |event| event.recorded_at);
    let mut free = Vec::new();
    let (mut moved, mut taken) = (Holders::default(), Holders::default());
    for (claim, change) in &writes.claims {
        match change.holder {
            Some(holder) if change.is_stored => moved.push(claim, holder),
            Some(holder) => taken.push(claim, holder),
            None if change.is_stored => free.push(*claim),
            None => {}
        }
    }
    // As in `facts`: only what this batch needs.
    let mut parts = Vec::with_capacity(4);
    if !free.is_empty() {
        parts.push("freed AS (DELETE FROM journal.claims WHERE claim = ANY ($12))");
    }
    if !moved.claims.is_empty() {
        parts.push(
            "moved AS (
                 UPDATE journal.claims AS c SET aggregate_type = u.t, aggregate_id = u.i
                 FROM unnest($25::text[], $26::text[], $27::text[]) AS u (claim, t, i) WHERE c.claim = u.claim)",
        );
    }
    if !taken.claims.is_empty() {
        parts.push(
            "taken AS (
                 INSERT INTO journal.claims (claim, aggregate_type, aggregate_id)
                 SELECT * FROM unnest($13::text[], $14::text[], $15::text[]))",
        );
    }
    if !writes.keys.is_empty() {
        parts.push(
            "keys AS (
                 INSERT INTO work.idempotency (actor_id, key, request_sha256, position, location, status, created_at)
                 SELECT *, $22 FROM unnest($16::text[], $17::text[], $18::bytea[], $19::bigint[], $20::text[], $21::smallint[])
                 ON CONFLICT (actor_id, key) DO UPDATE SET
                     request_sha256 = excluded.request_sha256, position = excluded.position, location = excluded.location,
                     status = excluded.status, body = NULL, created_at = excluded.created_at)",
        );
    }
    parts.push(
        "events AS (
             INSERT INTO journal.events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload,
                                         metadata, position, recorded_at, actor_id, leaf_hash)
             SELECT t, i, s, n, v, p::json, m::json, o, $9, a, h
             FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
                         $8::bigint[], $10::text[], $11::bytea[]) AS u (t, i, s, n, v, p, m, o, a, h))",
    );
    let notify = if writes.concerns_security { "|| pg_notify($23, $24)::text" } else { "" };
    let statement = format!("WITH {} SELECT pg_current_xact_id()::text {notify}", parts.join(", "));
    sqlx::query_scalar(&statement)
        .bind(types)
        .bind(ids)
        .bind(sequences)
        .bind(names)
        .bind(versions)
        .bind(writes.columns.iter().map(|columns| columns.payload).collect::<Vec<_>>())
        .bind(writes.columns.iter().map(|columns| columns.metadata).collect::<Vec<_>>())
        .bind(positions)
        .bind(recorded_at)
        .bind(actors)
        .bind(writes.columns.iter().map(|columns| columns.leaf_hash.as_slice()).collect::<Vec<_>>())
        .bind(free)
        .bind(taken.claims)
        .bind(taken.types)
        .bind(taken.ids)
        .bind(writes.keys.iter().map(|key| key.actor_id).collect::<Vec<_>>())
        .bind(writes.keys.iter().map(|key| key.request.key.as_str()).collect::<Vec<_>>())
        .bind(writes.keys.iter().map(|key| key.request.request_sha256.as_slice()).collect::<Vec<_>>())
        .bind(writes.keys.iter().map(|key| key.position).collect::<Vec<_>>())
        .bind(writes.keys.iter().map(|key| key.request.location.as_str()).collect::<Vec<_>>())
        .bind(writes.keys.iter().map(|key| i16::try_from(key.request.status).unwrap_or(200)).collect::<Vec<_>>())
        .bind(now)
        .bind(SECURITY_CHANNEL)
        .bind(writes.last().0.to_string())
        .bind(moved.claims)
        .bind(moved.types)
        .bind(moved.ids)
        .fetch_one(connection)
        .await
}

/// What became of a transaction whose COMMIT got no answer.
pub(super) enum Fate {
    Committed,
    Aborted,
    /// It may still commit.
    Open,
}

/// Asks for the fate of a transaction; `last` is the position and the leaf hash of its last event.
///
/// A crash of PostgreSQL may lose a transaction's id with the transaction, and give it out again: so an id of the future
/// never committed, and one that committed must have left its event.
pub(super) async fn fate(connection: &mut PgConnection, xid: &str, last: &(i64, [u8; 32])) -> sqlx::Result<Fate> {
    let status: sqlx::Result<Option<String>> =
        sqlx::query_scalar("SELECT pg_xact_status($1::text::xid8)").bind(xid).fetch_one(&mut *connection).await;
    match status {
        Ok(Some(status)) if status == "committed" => {}
        Ok(Some(status)) if status == "aborted" => return Ok(Fate::Aborted),
        Ok(_) => return Ok(Fate::Open),
        Err(error) if error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("22023")) => {
            return Ok(Fate::Aborted);
        }
        Err(error) => return Err(error),
    }
    // A statement of its own: its snapshot must be later than the status.
    let is_there: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM journal.events WHERE position = $1 AND leaf_hash = $2)")
            .bind(last.0)
            .bind(last.1.as_slice())
            .fetch_one(connection)
            .await?;
    Ok(if is_there { Fate::Committed } else { Fate::Aborted })
}
