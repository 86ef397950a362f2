//! Is the log what its writer wrote? Positions 1, 2, 3, ...; each stream's sequence 1, 2, 3, ...; every leaf hash right;
//! times never going back.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::leaf::Leaf;

/// What a check found.
#[derive(Debug, Clone, Default)]
pub struct Check {
    /// Events looked at.
    pub events: i64,
    /// Empty = all is well.
    pub faults: Vec<String>,
}

#[derive(sqlx::FromRow)]
struct Row {
    position: i64,
    recorded_at: DateTime<Utc>,
    aggregate_type: String,
    aggregate_id: String,
    sequence: i64,
    event_type: String,
    event_version: String,
    payload: String,
    metadata: String,
    leaf_hash: Vec<u8>,
}

const BATCH: i64 = 5000;
/// More faults than anybody reads.
const FAULTS: usize = 100;

/// Checks the whole log. `progress(position, head)` is told how far it is.
pub async fn check(pool: &PgPool, mut progress: impl FnMut(i64, i64)) -> sqlx::Result<Check> {
    let head: i64 = sqlx::query_scalar("SELECT coalesce(max(position), 0) FROM journal.events").fetch_one(pool).await?;
    let mut found = Check::default();
    let mut sequences: HashMap<(String, String), i64> = HashMap::new();
    let (mut position, mut time) = (0, DateTime::<Utc>::MIN_UTC);
    loop {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT position, recorded_at, aggregate_type, aggregate_id, sequence, event_type, event_version,
                    payload::text AS payload, metadata::text AS metadata, leaf_hash
             FROM journal.events WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3",
        )
        .bind(position)
        .bind(head)
        .bind(BATCH)
        .fetch_all(pool)
        .await?;
        if rows.is_empty() {
            return Ok(found);
        }
        for row in rows {
            found.events += 1;
            let mut fault = |text: String| {
                if found.faults.len() < FAULTS {
                    found.faults.push(format!("position {}: {text}", row.position));
                }
            };
            if row.position != position + 1 {
                fault(format!("follows position {position}"));
            }
            if row.recorded_at < time {
                fault(format!("recorded at {}, before its predecessor", row.recorded_at));
            }
            let leaf = Leaf {
                position: row.position,
                recorded_at: row.recorded_at,
                aggregate_type: &row.aggregate_type,
                aggregate_id: &row.aggregate_id,
                sequence: row.sequence,
                event_type: &row.event_type,
                event_version: &row.event_version,
                payload: &row.payload,
                metadata: &row.metadata,
            };
            if leaf.hash() != row.leaf_hash[..] {
                fault("the leaf hash is wrong".to_owned());
            }
            (position, time) = (row.position, row.recorded_at);
            let last = sequences.entry((row.aggregate_type, row.aggregate_id)).or_default();
            if row.sequence != *last + 1 {
                fault(format!("sequence {} follows {last}", row.sequence));
            }
            *last = row.sequence;
        }
        progress(position, head);
    }
}
