//! The first round trip of a batch: the append lock and, under it, all that the batch must know.
//!
//! The questions are prepared once a connection, so that they can be asked together with the lock: the protocol takes several
//! statements at once only as text.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use sqlx::{Executor, PgConnection, Row};

use super::Waiting;
use super::append::StreamId;
use super::batch::{Facts, Key, KnownKey};
use crate::clock::SharedClock;

/// Prepares the questions of a connection. A part that a batch doesn't need isn't asked for: a single command would feel it.
pub(super) async fn prepare(connection: &mut PgConnection) -> sqlx::Result<()> {
    let mut statements = Vec::with_capacity(4);
    for (has_claims, has_keys) in [(false, false), (false, true), (true, false), (true, true)] {
        let name = name(has_claims, has_keys);
        let (mut columns, mut tables) = (String::new(), String::new());
        if has_claims {
            columns += ", c.claims, c.types, c.ids";
            tables += " CROSS JOIN LATERAL (
                 SELECT array_agg(claim) AS claims, array_agg(aggregate_type) AS types, array_agg(aggregate_id) AS ids
                 FROM journal.claims WHERE claim = ANY ($3)) AS c";
        }
        if has_keys {
            columns += ", k.actors, k.keys, k.hashes, k.positions, k.times";
            tables += " CROSS JOIN LATERAL (
                 SELECT array_agg(i.actor_id) AS actors, array_agg(i.key) AS keys, array_agg(i.request_sha256) AS hashes,
                        array_agg(i.position) AS positions, array_agg(i.created_at) AS times
                 FROM unnest($4, $5) AS u (actor_id, key) JOIN work.idempotency AS i USING (actor_id, key)) AS k";
        }
        statements.push(format!(
            "PREPARE {name} (text[], text[], text[], text[], text[]) AS
             SELECT v.migration, v.projections, coalesce(e.position, 0), e.recorded_at,
                 ARRAY(SELECT coalesce((SELECT sequence FROM journal.events AS s
                                        WHERE s.aggregate_type = u.t AND s.aggregate_id = u.i
                                        ORDER BY sequence DESC LIMIT 1), 0)
                     FROM unnest($1, $2) AS u (t, i)) {columns}
             FROM journal.schema_version AS v
             LEFT JOIN LATERAL (SELECT position, recorded_at FROM journal.events ORDER BY position DESC LIMIT 1) AS e ON true
             {tables}"
        ));
    }
    connection.execute(statements.join(";").as_str()).await?;
    Ok(())
}

fn name(has_claims: bool, has_keys: bool) -> &'static str {
    match (has_claims, has_keys) {
        (false, false) => "facts",
        (false, true) => "facts_with_keys",
        (true, false) => "facts_with_claims",
        (true, true) => "facts_with_claims_and_keys",
    }
}

/// What holds under the lock.
pub(super) struct Begun<'a> {
    /// The schema's migration and the live projections.
    pub(super) version: (i64, String),
    /// When the lock was held.
    pub(super) now: DateTime<Utc>,
    /// What the batch must know.
    pub(super) facts: Facts<'a>,
}

/// Begins a transaction and takes the append lock: from here on nobody else appends, in any process.
pub(super) async fn begin<'a>(
    connection: &mut PgConnection,
    batch: &'a [Waiting],
    clock: &SharedClock,
) -> sqlx::Result<Begun<'a>> {
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
    let (has_claims, has_keys) = (!claims.is_empty(), !keys.is_empty());
    let lists = [
        list(streams.iter().map(|stream| stream.aggregate_type)),
        list(streams.iter().map(|stream| stream.aggregate_id.as_str())),
        list(claims),
        list(actors),
        list(keys),
    ];
    let statement = format!(
        "BEGIN; LOCK TABLE journal.append_lock IN EXCLUSIVE MODE; EXECUTE {} ({})",
        name(has_claims, has_keys),
        lists.join(", ")
    );
    let row = connection.fetch_one(statement.as_str()).await?;
    let now = clock.now();
    let versions: Vec<i64> = row.try_get(4)?;
    let last: Option<DateTime<Utc>> = row.try_get(3)?;
    let facts = Facts {
        position: row.try_get(2)?,
        recorded_at: last.map_or(now, |last| last.max(now)),
        versions: streams.into_iter().zip(versions).collect(),
        claims: if has_claims { claims_of(&row)? } else { HashMap::new() },
        keys: if has_keys { keys_of(&row, batch)? } else { HashMap::new() },
    };
    Ok(Begun { version: (row.try_get(0)?, row.try_get(1)?), now, facts })
}

/// Texts as a literal of type `text[]`: each is quoted for the array, and the array for the statement. (The connection has
/// `standard_conforming_strings`, so that within quotes only a quote means anything.)
fn list<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut list = String::from("'{");
    for (number, text) in texts.into_iter().enumerate() {
        list += if number == 0 { "\"" } else { ",\"" };
        for character in text.chars() {
            match character {
                '"' | '\\' => list.extend(['\\', character]),
                '\'' => list += "''",
                other => list.push(other),
            }
        }
        list.push('"');
    }
    list += "}'";
    list
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_quoted_stays_within_its_quotes() {
        assert_eq!(list([]), "'{}'");
        assert_eq!(list(["a", "", "b c"]), r#"'{"a","","b c"}'"#);
        assert_eq!(list([r#"'"\,{}"#, "'); DROP"]), r#"'{"''\"\\,{}","''); DROP"}'"#);
    }
}
