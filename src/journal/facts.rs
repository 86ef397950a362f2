//! The first round trip of a batch: the append lock and, under it, all that the batch must know. And the last one: COMMIT and,
//! before it, what callers want to see of what they changed.
//!
//! The questions are prepared once a connection, so that they can be asked together with the lock and with COMMIT: the protocol
//! takes several statements at once only as text.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{Executor, PgConnection, Row};
use uuid::Uuid;

use super::Waiting;
use super::append::StreamId;
use super::batch::{Facts, Holder, Key, KnownKey};
use crate::clock::SharedClock;

/// Prepares the questions of a connection. A part that a batch doesn't need isn't asked for: a single command would feel it.
pub(super) async fn prepare(connection: &mut PgConnection) -> sqlx::Result<()> {
    let mut statements = vec![format!("PREPARE reread (uuid[]) AS {}", projections::applications::find_all_sql())];
    for (has_claims, has_keys) in [(false, false), (false, true), (true, false), (true, true)] {
        let name = name(has_claims, has_keys);
        let (mut columns, mut tables) = (String::new(), String::new());
        if has_claims {
            columns += ", c.numbers AS claims, c.types, c.ids";
            tables += " CROSS JOIN LATERAL (
                 SELECT array_agg(u.n) AS numbers, array_agg(h.aggregate_type) AS types, array_agg(h.aggregate_id) AS ids
                 FROM unnest($3) WITH ORDINALITY AS u (claim, n) JOIN journal.claims AS h USING (claim)) AS c";
        }
        if has_keys {
            columns += ", k.numbers AS keys, k.hashes, k.positions, k.times";
            tables += " CROSS JOIN LATERAL (
                 SELECT array_agg(u.n) AS numbers, array_agg(i.request_sha256) AS hashes,
                        array_agg(i.position) AS positions, array_agg(i.created_at) AS times
                 FROM unnest($4, $5) WITH ORDINALITY AS u (actor_id, key, n)
                 JOIN work.idempotency AS i USING (actor_id, key)) AS k";
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
    let mut claims: Vec<&str> = Vec::new();
    let mut keys: Vec<Key> = Vec::new();
    for waiting in batch {
        let append = &waiting.prepared;
        streams.extend(append.streams.iter().map(|stream| &stream.stream));
        streams.extend(append.guards.iter().map(|(stream, _)| stream));
        claims.extend(append.take.iter().chain(&append.release).map(|(claim, _)| claim.as_str()));
        if let Some(idempotency) = &append.idempotency {
            keys.push((&append.actor.id, &idempotency.key));
        }
    }
    claims.sort_unstable();
    claims.dedup();
    let (has_claims, has_keys) = (!claims.is_empty(), !keys.is_empty());
    let lists = [
        list(streams.iter().map(|stream| stream.aggregate_type)),
        list(streams.iter().map(|stream| stream.aggregate_id.as_str())),
        list(claims.iter().copied()),
        list(keys.iter().map(|(actor, _)| *actor)),
        list(keys.iter().map(|(_, key)| *key)),
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
        claims: if has_claims { claims_of(&row, &claims)? } else { HashMap::new() },
        keys: if has_keys { keys_of(&row, &keys)? } else { HashMap::new() },
    };
    Ok(Begun { version: (row.try_get(0)?, row.try_get(1)?), now, facts })
}

/// Commits, and reads rows of applications as they are then. Whoever gets an answer knows that it is committed.
pub(super) async fn commit(connection: &mut PgConnection, rereads: &[Uuid]) -> sqlx::Result<HashMap<Uuid, Arc<PgRow>>> {
    if rereads.is_empty() {
        connection.execute("COMMIT").await?;
        return Ok(HashMap::new());
    }
    let ids = rereads.iter().map(Uuid::to_string).collect::<Vec<_>>().join(",");
    let rows = connection.fetch_all(format!("EXECUTE reread ('{{{ids}}}'); COMMIT").as_str()).await?;
    rows.into_iter().map(|row| Ok((row.try_get("id")?, Arc::new(row)))).collect()
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

// Texts of clients come back as their numbers, from 1: they can't be misread then.

fn claims_of(row: &PgRow, asked: &[&str]) -> sqlx::Result<HashMap<String, Holder>> {
    let numbers: Option<Vec<i64>> = row.try_get("claims")?;
    let types: Option<Vec<String>> = row.try_get("types")?;
    let ids: Option<Vec<String>> = row.try_get("ids")?;
    let holders = types.unwrap_or_default().into_iter().zip(ids.unwrap_or_default());
    let held = numbers.unwrap_or_default().into_iter().zip(holders);
    Ok(held.filter_map(|(number, holder)| Some(((*nth(asked, number)?).to_owned(), holder))).collect())
}

fn keys_of<'a>(row: &PgRow, asked: &[Key<'a>]) -> sqlx::Result<HashMap<Key<'a>, KnownKey>> {
    let numbers: Option<Vec<i64>> = row.try_get("keys")?;
    let Some(numbers) = numbers else {
        return Ok(HashMap::new());
    };
    let hashes: Vec<Vec<u8>> = row.try_get("hashes")?;
    let positions: Vec<i64> = row.try_get("positions")?;
    let times: Vec<DateTime<Utc>> = row.try_get("times")?;
    let known = hashes.into_iter().zip(positions).zip(times);
    let known = known.map(|((request_sha256, position), created_at)| KnownKey { request_sha256, position, created_at });
    Ok(numbers.into_iter().zip(known).filter_map(|(number, known)| Some((*nth(asked, number)?, known))).collect())
}

fn nth<T>(asked: &[T], number: i64) -> Option<&T> {
    asked.get(usize::try_from(number).ok()?.checked_sub(1)?)
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
