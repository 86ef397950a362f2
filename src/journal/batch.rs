//! Deciding: pure, append by append, in order; a later one sees an earlier one's effect.

use std::collections::HashMap;
use std::sync::Arc;

use aggregates::Recorded;
use chrono::{DateTime, Duration, Utc};

use super::append::{AppendError, Appended, Expected, StreamId};
use super::context::Idempotency;
use super::leaf::Leaf;
use super::prepared::Prepared;

/// How long an `Idempotency-Key` is remembered.
const KEY_LIFETIME: Duration = Duration::hours(24);

/// Type and id of the stream that holds a claim.
pub(super) type Holder = (String, String);
/// Actor's id and key.
pub(super) type Key<'a> = (&'a str, &'a str);

/// What the database says before the batch; updated as appends win. Borrows from the batch.
pub(super) struct Facts<'a> {
    pub(super) position: i64,
    pub(super) recorded_at: DateTime<Utc>,
    pub(super) versions: HashMap<&'a StreamId, i64>,
    pub(super) claims: HashMap<String, Holder>,
    pub(super) keys: HashMap<Key<'a>, KnownKey>,
}

/// A key that was used.
pub(super) struct KnownKey {
    pub(super) request_sha256: Vec<u8>,
    pub(super) position: i64,
    pub(super) created_at: DateTime<Utc>,
}

/// What is to be written.
#[derive(Default)]
pub(super) struct Writes<'a> {
    pub(super) events: Vec<Recorded>,
    /// Beside `events`.
    pub(super) columns: Vec<Columns<'a>>,
    pub(super) claims: HashMap<&'a str, Claim<'a>>,
    pub(super) keys: Vec<NewKey<'a>>,
    pub(super) concerns_security: bool,
}

/// What became of a claim.
pub(super) struct Claim<'a> {
    /// `None` = nobody's.
    pub(super) holder: Option<&'a StreamId>,
    /// The table holds it from before the batch.
    pub(super) is_stored: bool,
}

pub(super) struct Columns<'a> {
    pub(super) payload: &'a str,
    pub(super) metadata: &'a str,
    pub(super) leaf_hash: [u8; 32],
}

pub(super) struct NewKey<'a> {
    pub(super) actor_id: &'a str,
    pub(super) request: &'a Idempotency,
    pub(super) position: i64,
}

/// What became of an append.
pub(super) type Outcome = Result<Appended, AppendError>;

impl<'a> Writes<'a> {
    /// A claim changes hands; `was_held` before this.
    fn claim(&mut self, claim: &'a str, holder: Option<&'a StreamId>, was_held: bool) {
        // Who held it before the batch's first change of it is in the table.
        self.claims.entry(claim).or_insert(Claim { holder, is_stored: was_held }).holder = holder;
    }

    /// Position and leaf hash of the last event.
    pub(super) fn last(&self) -> (i64, [u8; 32]) {
        let position = self.events.last().map_or(0, |event| event.position);
        (position, self.columns.last().map_or([0; 32], |columns| columns.leaf_hash))
    }
}

impl<'a> Facts<'a> {
    /// Decides one append. On success its events are in `writes` and the facts are as if they were stored.
    pub(super) fn decide(&mut self, append: &'a Prepared, now: DateTime<Utc>, writes: &mut Writes<'a>) -> Outcome {
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
            // What the same append gives up is free: names may pass from one stream to another.
            let is_given_up =
                |holder: &Holder| append.release.iter().any(|(given_up, by)| given_up == claim && is(holder, by));
            if let Some(holder) = self.claims.get(claim)
                && !is(holder, stream)
                && !is_given_up(holder)
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
        let Some(idempotency) = &append.idempotency else {
            return Ok(());
        };
        match self.keys.get(&(append.actor.id.as_str(), idempotency.key.as_str())) {
            Some(known) if known.created_at + KEY_LIFETIME < now => Ok(()),
            Some(known) if known.request_sha256 == idempotency.request_sha256 => {
                Err(AppendError::Replayed { position: known.position })
            }
            Some(_) => Err(AppendError::KeyReused),
            None => Ok(()),
        }
    }

    fn write(&mut self, append: &'a Prepared, now: DateTime<Utc>, writes: &mut Writes<'a>) -> Appended {
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
                writes.columns.push(Columns { leaf_hash: leaf.hash(), payload, metadata: &append.metadata });
                writes.events.push(Recorded {
                    position: self.position,
                    recorded_at: self.recorded_at,
                    aggregate_id: stream.stream.aggregate_id.clone(),
                    sequence,
                    event: Arc::clone(event),
                    actor: Arc::clone(&append.actor),
                });
            }
            self.versions.insert(&stream.stream, sequence);
        }
        for (claim, stream) in &append.release {
            if self.claims.get(claim).is_some_and(|holder| is(holder, stream)) {
                self.claims.remove(claim);
                writes.claim(claim, None, true);
            }
        }
        for (claim, stream) in &append.take {
            let holder = (stream.aggregate_type.to_owned(), stream.aggregate_id.clone());
            let before = self.claims.insert(claim.clone(), holder);
            writes.claim(claim, Some(stream), before.is_some());
        }
        if let Some(request) = &append.idempotency {
            let known =
                KnownKey { request_sha256: request.request_sha256.to_vec(), position: self.position, created_at: now };
            writes.keys.push(NewKey { actor_id: &append.actor.id, request, position: self.position });
            self.keys.insert((&append.actor.id, &request.key), known);
        }
        writes.concerns_security |= append.concerns_security;
        let took = std::time::Duration::ZERO;
        Appended { first, last: self.position, recorded_at: self.recorded_at, took, row: None }
    }
}

fn is(holder: &Holder, stream: &StreamId) -> bool {
    holder.0 == stream.aggregate_type && holder.1 == stream.aggregate_id
}
