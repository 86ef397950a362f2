//! Temporal tables: each row is a version, valid from a position until (excluding) another; `valid_to IS NULL` = current.

use std::collections::{HashMap, HashSet};

use aggregates::Recorded;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::copied::{self, Fields};

/// A row of a temporal table, keyed by `id`.
pub(crate) trait Version: Clone + Send + Unpin + for<'r> sqlx::FromRow<'r, PgRow> {
    /// The table's name.
    const TABLE: &'static str;
    /// Its columns, in the order in which `write` gives them.
    const COLUMNS: &'static [&'static str];
    /// Writes its fields.
    fn write(&self, row: &mut Fields) -> sqlx::Result<()>;
    /// Whose version it is.
    fn id(&self) -> Uuid;
    /// The interval.
    fn validity(&mut self) -> &mut Validity;
}

/// From which event until which a version holds.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
#[expect(clippy::struct_field_names, reason = "named like the columns")]
pub struct Validity {
    /// Position of the event that made it.
    pub valid_from: i64,
    /// Position of the event that ended it.
    pub valid_to: Option<i64>,
    /// Time of `valid_from`.
    pub valid_from_at: DateTime<Utc>,
    /// Time of `valid_to`.
    pub valid_to_at: Option<DateTime<Utc>>,
}

impl Validity {
    /// Holds from this event on.
    pub(crate) fn from(event: &Recorded) -> Self {
        Self { valid_from: event.position, valid_to: None, valid_from_at: event.recorded_at, valid_to_at: None }
    }
}

/// The versions that a batch touches: the latest stored one of each id, and the new ones.
pub(crate) struct Versions<R> {
    stored: HashMap<Uuid, R>,
    closed: Vec<(Uuid, i64, DateTime<Utc>)>,
    new: Vec<R>,
    /// The last of each id in `new`.
    last: HashMap<Uuid, usize>,
}

impl<R: Version> Versions<R> {
    /// Loads the latest version of each id, current or not; each id once.
    pub(crate) async fn load(connection: &mut PgConnection, ids: &[Uuid]) -> sqlx::Result<Self> {
        let mut versions = Self { stored: HashMap::new(), closed: Vec::new(), new: Vec::new(), last: HashMap::new() };
        if ids.is_empty() {
            return Ok(versions);
        }
        let rows: Vec<R> = sqlx::query_as(&format!(
            "SELECT latest.* FROM unnest($1::uuid[]) AS wanted (id) CROSS JOIN LATERAL ({}) AS latest",
            latest(R::TABLE, "wanted.id")
        ))
        .bind(ids)
        .fetch_all(connection)
        .await?;
        versions.stored = rows.into_iter().map(|row| (row.id(), row)).collect();
        Ok(versions)
    }

    /// The latest version, current or not.
    pub(crate) fn latest(&mut self, id: Uuid) -> Option<&mut R> {
        match self.last.get(&id) {
            Some(index) => self.new.get_mut(*index),
            None => self.stored.get_mut(&id),
        }
    }

    /// Is there a current version?
    pub(crate) fn is_current(&mut self, id: Uuid) -> bool {
        self.latest(id).is_some_and(|row| row.validity().valid_to.is_none())
    }

    /// Ends the current version, if there is one.
    pub(crate) fn close(&mut self, id: Uuid, event: &Recorded) {
        let is_stored = !self.last.contains_key(&id);
        let Some(validity) = self.latest(id).map(Version::validity) else {
            return;
        };
        if validity.valid_to.is_none() {
            validity.valid_to = Some(event.position);
            validity.valid_to_at = Some(event.recorded_at);
            if is_stored {
                self.closed.push((id, event.position, event.recorded_at));
            }
        }
    }

    /// Ends the current version, if there is one, and begins another.
    pub(crate) fn open(&mut self, mut row: R, event: &Recorded) {
        self.close(row.id(), event);
        *row.validity() = Validity::from(event);
        self.last.insert(row.id(), self.new.len());
        self.new.push(row);
    }

    /// Writes what changed.
    pub(crate) async fn store(self, connection: &mut PgConnection) -> sqlx::Result<()> {
        if !self.closed.is_empty() {
            let mut ids = Vec::with_capacity(self.closed.len());
            let mut positions = Vec::with_capacity(self.closed.len());
            let mut times = Vec::with_capacity(self.closed.len());
            for (id, position, at) in self.closed {
                ids.push(id);
                positions.push(position);
                times.push(at);
            }
            sqlx::query(&format!(
                "UPDATE {} AS t SET valid_to = c.position, valid_to_at = c.at
                 FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[]) AS c (id, position, at)
                 WHERE t.id = c.id AND t.valid_to IS NULL",
                R::TABLE
            ))
            .bind(ids)
            .bind(positions)
            .bind(times)
            .execute(&mut *connection)
            .await?;
        }
        copied::copy(connection, R::TABLE, R::COLUMNS, &self.new, R::write).await
    }
}

/// What these events are about and may have versions: of a stream that begins in the batch nothing is stored.
pub(crate) fn known<'e>(events: impl Iterator<Item = &'e Recorded>) -> Vec<Uuid> {
    let (mut begun, mut ids) = (HashSet::new(), HashSet::new());
    for event in events {
        let id = event.id();
        if event.sequence == 1 {
            begun.insert(id);
        } else if !begun.contains(&id) {
            ids.insert(id);
        }
    }
    ids.into_iter().collect()
}

/// Selects the latest version of an id, current or not: each half of the versions has its own index.
pub(crate) fn latest(table: &str, id: &str) -> String {
    format!(
        "(SELECT * FROM {table} AS t WHERE t.id = {id} AND t.valid_to IS NULL)
         UNION ALL
         (SELECT * FROM {table} AS t WHERE t.id = {id} AND t.valid_to IS NOT NULL ORDER BY t.valid_from DESC LIMIT 1)
         LIMIT 1"
    )
}

/// Selects the versions that held at a position and of which something else holds, to be joined laterally: current ones and earlier
/// ones, which have each their index. From outside the condition wouldn't reach the indexes.
pub(crate) fn at(table: &str, position: &str, condition: &str) -> String {
    format!(
        "(SELECT * FROM {table} WHERE valid_to IS NULL AND valid_from <= {position} AND {condition}
          UNION ALL
          SELECT * FROM {table}
          WHERE valid_to IS NOT NULL AND valid_to > {position} AND valid_from <= {position} AND {condition})"
    )
}

/// A value for a `jsonb` column.
pub(crate) fn json(value: &impl Serialize) -> sqlx::Result<serde_json::Value> {
    serde_json::to_value(value).map_err(|error| sqlx::Error::Encode(error.into()))
}

/// An array of ids as PostgreSQL writes it, for arrays of such arrays, which may be of different lengths.
pub(crate) fn array(ids: &[Uuid]) -> String {
    format!("{{{}}}", ids.iter().map(Uuid::to_string).collect::<Vec<_>>().join(","))
}

/// Inserts rows by the names of their columns.
pub(crate) async fn insert<R: Serialize>(connection: &mut PgConnection, table: &str, rows: &[R]) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let json = serde_json::to_string(rows).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query(&format!("INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, $1::json)"))
        .bind(json)
        .execute(connection)
        .await?;
    Ok(())
}
