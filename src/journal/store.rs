//! The second round trip of a batch: what is written; and what became of it.

use chrono::{DateTime, Utc};
use projections::Statement;
use sqlx::PgConnection;

use super::append::StreamId;
use super::batch::Writes;

/// The channel on which servers hear that tokens or settings changed.
pub(crate) const SECURITY_CHANNEL: &str = "muniment_security";

/// So many events are copied.
const MANY: usize = 64;

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

    fn bind(self, statement: &mut Statement) -> sqlx::Result<String> {
        Ok([statement.bind(self.claims)?, statement.bind(self.types)?, statement.bind(self.ids)?].join(", "))
    }
}

/// The columns of `journal.events`.
const EVENTS: &[&str] = &[
    "aggregate_type",
    "aggregate_id",
    "sequence",
    "event_type",
    "event_version",
    "payload",
    "metadata",
    "position",
    "recorded_at",
    "actor_id",
    "leaf_hash",
];

/// Copies the events of a batch that has many; gives whether it did. Those of a small one go with its statement: COPY would cost it
/// a round trip.
pub(super) async fn copy(connection: &mut PgConnection, writes: &Writes<'_>) -> sqlx::Result<bool> {
    if writes.events.len() < MANY {
        return Ok(false);
    }
    let rows = writes.events.iter().zip(&writes.columns);
    projections::copy(connection, "journal.events", EVENTS, rows, |(event, columns), row| {
        row.field(event.event.aggregate_type())?;
        row.field(event.aggregate_id.as_str())?;
        row.field(event.sequence)?;
        row.field(event.event.type_name())?;
        row.field(event.event.version())?;
        row.field(columns.payload)?;
        row.field(columns.metadata)?;
        row.field(event.position)?;
        row.field(event.recorded_at)?;
        row.field(event.actor.id.as_str())?;
        row.field(columns.leaf_hash.as_slice())
    })
    .await?;
    Ok(true)
}

/// The statement that writes claims, keys and events, unless those are copied; and what is to be selected with it: the
/// transaction's id, by which its fate can be asked for, and the notification, if there is one.
pub(super) fn write(writes: &Writes<'_>, now: DateTime<Utc>, are_copied: bool) -> sqlx::Result<(Statement, String)> {
    let mut statement = Statement::default();
    claims(&mut statement, writes)?;
    if !writes.keys.is_empty() {
        keys(&mut statement, writes, now)?;
    }
    if !are_copied {
        events(&mut statement, writes, now)?;
    }
    let mut value = "pg_current_xact_id()::text".to_owned();
    if writes.concerns_security {
        let position = statement.bind(writes.last().0.to_string())?;
        value = format!("{value} || pg_notify('{SECURITY_CHANNEL}', {position})::text");
    }
    Ok((statement, value))
}

fn events(statement: &mut Statement, writes: &Writes<'_>, now: DateTime<Utc>) -> sqlx::Result<()> {
    let (events, columns) = (&writes.events, &writes.columns);
    let values = [
        statement.bind(column(events, |event| event.event.aggregate_type()))?,
        statement.bind(column(events, |event| event.aggregate_id.as_str()))?,
        statement.bind(column(events, |event| event.sequence))?,
        statement.bind(column(events, |event| event.event.type_name()))?,
        statement.bind(column(events, |event| event.event.version()))?,
        statement.bind(column(columns, |columns| columns.payload))?,
        statement.bind(column(columns, |columns| columns.metadata))?,
        statement.bind(column(events, |event| event.position))?,
        statement.bind(column(events, |event| event.actor.id.as_str()))?,
        statement.bind(column(columns, |columns| columns.leaf_hash.as_slice()))?,
    ];
    let recorded_at = statement.bind(events.first().map_or(now, |event| event.recorded_at))?;
    statement.push(format!(
        "INSERT INTO journal.events ({}) SELECT t, i, s, n, v, p::json, m::json, o, {recorded_at}, a, h
         FROM unnest({}) AS u (t, i, s, n, v, p, m, o, a, h)",
        EVENTS.join(", "),
        values.join(", ")
    ));
    Ok(())
}

/// Claims that changed hands.
fn claims(statement: &mut Statement, writes: &Writes<'_>) -> sqlx::Result<()> {
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
    if !free.is_empty() {
        let free = statement.bind(free)?;
        statement.push(format!("DELETE FROM journal.claims WHERE claim = ANY ({free})"));
    }
    if !moved.claims.is_empty() {
        let moved = moved.bind(statement)?;
        statement.push(format!(
            "UPDATE journal.claims AS c SET aggregate_type = u.t, aggregate_id = u.i
             FROM unnest({moved}) AS u (claim, t, i) WHERE c.claim = u.claim"
        ));
    }
    if !taken.claims.is_empty() {
        let taken = taken.bind(statement)?;
        statement.push(format!(
            "INSERT INTO journal.claims (claim, aggregate_type, aggregate_id) SELECT * FROM unnest({taken})"
        ));
    }
    Ok(())
}

fn keys(statement: &mut Statement, writes: &Writes<'_>, now: DateTime<Utc>) -> sqlx::Result<()> {
    let keys = &writes.keys;
    let values = [
        statement.bind(column(keys, |key| key.actor_id))?,
        statement.bind(column(keys, |key| key.request.key.as_str()))?,
        statement.bind(column(keys, |key| key.request.request_sha256.as_slice()))?,
        statement.bind(column(keys, |key| key.position))?,
        statement.bind(column(keys, |key| key.request.location.as_str()))?,
        statement.bind(column(keys, |key| i16::try_from(key.request.status).unwrap_or(200)))?,
    ];
    let now = statement.bind(now)?;
    statement.push(format!(
        "INSERT INTO work.idempotency (actor_id, key, request_sha256, position, location, status, created_at)
         SELECT *, {now} FROM unnest({})
         ON CONFLICT (actor_id, key) DO UPDATE SET
             request_sha256 = excluded.request_sha256, position = excluded.position, location = excluded.location,
             status = excluded.status, body = NULL, created_at = excluded.created_at",
        values.join(", ")
    ));
    Ok(())
}

fn column<'a, R, C>(rows: &'a [R], of: impl Fn(&'a R) -> C) -> Vec<C> {
    rows.iter().map(of).collect()
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
