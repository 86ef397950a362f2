//! Deciding: pure, append by append, in order; a later one sees an earlier one's effect.

use std::collections::HashMap;

use aggregates::Recorded;
use chrono::{DateTime, Duration, Utc};

use super::append::{AppendError, Expected, StreamId};
use super::leaf::Leaf;
use super::prepared::Prepared;

/// How long an `Idempotency-Key` is remembered.
const KEY_LIFETIME: Duration = Duration::hours(24);

/// Type and id of the stream that holds a claim.
pub(super) type Holder = (String, String);
/// Actor's id and key.
pub(super) type Key = (String, String);

/// What the database says before the batch; updated as appends win.
pub(super) struct Facts {
    pub(super) position: i64,
    pub(super) recorded_at: DateTime<Utc>,
    pub(super) versions: HashMap<StreamId, i64>,
    pub(super) claims: HashMap<String, Holder>,
    pub(super) keys: HashMap<Key, KnownKey>,
}

/// A key that was used.
pub(super) struct KnownKey {
    pub(super) request_sha256: Vec<u8>,
    pub(super) position: i64,
    pub(super) created_at: DateTime<Utc>,
}

/// What is to be written.
#[derive(Default)]
pub(super) struct Writes {
    pub(super) events: Vec<Recorded>,
    /// Beside `events`.
    pub(super) columns: Vec<Columns>,
    /// Claims that changed hands; `None` = nobody's.
    pub(super) claims: HashMap<String, Option<Holder>>,
    pub(super) keys: Vec<NewKey>,
    pub(super) concerns_security: bool,
}

pub(super) struct Columns {
    pub(super) payload: String,
    pub(super) metadata: String,
    pub(super) leaf_hash: [u8; 32],
}

pub(super) struct NewKey {
    pub(super) actor_id: String,
    pub(super) key: String,
    pub(super) request_sha256: [u8; 32],
    pub(super) position: i64,
    pub(super) location: String,
    pub(super) status: u16,
}

/// Positions given to an append.
pub(super) type Outcome = Result<(i64, i64), AppendError>;

impl Writes {
    /// Position and leaf hash of the last event.
    pub(super) fn last(&self) -> (i64, [u8; 32]) {
        let position = self.events.last().map_or(0, |event| event.position);
        (position, self.columns.last().map_or([0; 32], |columns| columns.leaf_hash))
    }
}

impl Facts {
    /// Decides one append. On success its events are in `writes` and the facts are as if they were stored.
    pub(super) fn decide(&mut self, append: &Prepared, now: DateTime<Utc>, writes: &mut Writes) -> Outcome {
        self.check_key(append, now)?;
        for (stream, version) in &append.guards {
            let found = self.version(stream);
            if found != *version {
                return Err(AppendError::Guard { stream: stream.clone(), found });
            }
        }
        for stream in &append.streams {
            let found = self.version(&stream.stream);
            let fits = match stream.expected {
                Expected::Any => true,
                Expected::New => found == 0,
                Expected::Version(version) => found == version,
            };
            if !fits {
                return Err(AppendError::Conflict { stream: stream.stream.clone(), found });
            }
        }
        for (claim, stream) in &append.take {
            if let Some(holder) = self.claims.get(claim)
                && !is(holder, stream)
            {
                return Err(AppendError::ClaimTaken { claim: claim.clone(), holder: holder.clone() });
            }
        }
        Ok(self.write(append, now, writes))
    }

    fn version(&self, stream: &StreamId) -> i64 {
        self.versions.get(stream).copied().unwrap_or(0)
    }

    fn check_key(&self, append: &Prepared, now: DateTime<Utc>) -> Result<(), AppendError> {
        let Some(idempotency) = &append.context.idempotency else {
            return Ok(());
        };
        let key = (append.context.actor.id.clone(), idempotency.key.clone());
        match self.keys.get(&key) {
            Some(known) if known.created_at + KEY_LIFETIME < now => Ok(()),
            Some(known) if known.request_sha256 == idempotency.request_sha256 => {
                Err(AppendError::Replayed { position: known.position })
            }
            Some(_) => Err(AppendError::KeyReused),
            None => Ok(()),
        }
    }

    fn write(&mut self, append: &Prepared, now: DateTime<Utc>, writes: &mut Writes) -> (i64, i64) {
        let first = self.position + 1;
        for stream in &append.streams {
            let mut sequence = self.version(&stream.stream);
            for (event, payload) in &stream.events {
                self.position += 1;
                sequence += 1;
                let leaf = Leaf {
                    position: self.position,
                    recorded_at: self.recorded_at,
                    aggregate_type: stream.stream.aggregate_type,
                    aggregate_id: &stream.stream.aggregate_id,
                    sequence,
                    event_type: event.type_name(),
                    event_version: event.version(),
                    payload,
                    metadata: &append.metadata,
                };
                writes.columns.push(Columns {
                    leaf_hash: leaf.hash(),
                    payload: payload.clone(),
                    metadata: append.metadata.clone(),
                });
                writes.events.push(Recorded {
                    position: self.position,
                    recorded_at: self.recorded_at,
                    aggregate_id: stream.stream.aggregate_id.clone(),
                    sequence,
                    event: event.clone(),
                    actor: append.context.actor.clone(),
                });
            }
            self.versions.insert(stream.stream.clone(), sequence);
        }
        for (claim, stream) in &append.release {
            if self.claims.get(claim).is_some_and(|holder| is(holder, stream)) {
                self.claims.remove(claim);
                writes.claims.insert(claim.clone(), None);
            }
        }
        for (claim, stream) in &append.take {
            let holder = (stream.aggregate_type.to_owned(), stream.aggregate_id.clone());
            self.claims.insert(claim.clone(), holder.clone());
            writes.claims.insert(claim.clone(), Some(holder));
        }
        if let Some(idempotency) = &append.context.idempotency {
            let key = (append.context.actor.id.clone(), idempotency.key.clone());
            let known = KnownKey {
                request_sha256: idempotency.request_sha256.to_vec(),
                position: self.position,
                created_at: now,
            };
            writes.keys.push(NewKey {
                actor_id: key.0.clone(),
                key: key.1.clone(),
                request_sha256: idempotency.request_sha256,
                position: self.position,
                location: idempotency.location.clone(),
                status: idempotency.status,
            });
            self.keys.insert(key, known);
        }
        writes.concerns_security |= append.concerns_security;
        (first, self.position)
    }
}

fn is(holder: &Holder, stream: &StreamId) -> bool {
    holder.0 == stream.aggregate_type && holder.1 == stream.aggregate_id
}
