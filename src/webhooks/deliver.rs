//! One subscription: its events, one after the other, until one isn't taken or there is nothing left.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aggregates::DomainEvent;
use aggregates::config_object::{ConfigObjectEvent, TYPE};
use aggregates::webhook::{Asked, Subscription};
use chrono::TimeDelta;
use projections::events::{EventRow, ReadError, head, of_streams, of_types};
use projections::{config_jobs, config_objects};
use sqlx::PgPool;
use tokio::time::Instant;
use uuid::Uuid;

use super::attempt::{Attempt, Outcome};
use super::backoff;
use super::credentials::Credentials;
use super::message::Message;
use super::receiver::Receiver;
use super::store::{self, Cursor, Made, Record};
use super::{STRETCH, WebhookError};
use crate::app::SharedApp;
use crate::configuration::secrets_of;

/// After so long a subscription makes room for others.
const TURN: Duration = Duration::from_secs(20);
/// Events that are read at once.
const PAGE: i64 = 50;

/// What a subscription asks for, from its whole history; the inner error is why that can't be read.
pub(super) async fn asked(pool: &PgPool, subscription: Uuid) -> sqlx::Result<Result<Asked, ReadError>> {
    let history = match of_streams(pool, TYPE, &[subscription.to_string()]).await {
        Ok(history) => history,
        Err(ReadError::Database(error)) => return Err(error),
        Err(unreadable) => return Ok(Err(unreadable)),
    };
    Ok(Ok(Asked::of(history.iter().filter_map(|event| match &*event.event {
        DomainEvent::ConfigObject(said) => Some((event.position, said as &ConfigObjectEvent)),
        _ => None,
    }))))
}

/// The next events that are asked for, and how far was looked.
pub(super) async fn next(
    pool: &PgPool,
    asked: &Asked,
    after: i64,
    head: i64,
) -> sqlx::Result<(VecDeque<EventRow>, i64)> {
    let until = head.min(after + STRETCH);
    let found = of_types(pool, after, until, &asked.types(), PAGE).await?;
    let looked = match found.last() {
        Some(last) if found.len() as i64 == PAGE => last.position,
        _ => until.max(after),
    };
    Ok((found.into_iter().filter(|event| asked.means(&event.event_type, event.position)).collect(), looked))
}

/// Must it wait, having failed? Not if it, or a secret of it, was changed since.
pub(super) fn waits(app: &SharedApp, cursor: &Cursor, made: Made) -> bool {
    cursor.next_attempt_at.is_some_and(|next| next > app.clock.now()) && made == cursor.made()
}

/// Delivers what a subscription asks for. Whoever calls has the lease.
pub(super) async fn deliver(app: &SharedApp, id: Uuid) -> Result<(), WebhookError> {
    let made = store::made(&app.workers, id).await?;
    let Some(row) = config_objects::find(&app.workers, id).await?.filter(|row| row.version == made.version) else {
        return Ok(());
    };
    // An import takes an object's secrets after it imported the object: until it ends, those that are known may be for another URL.
    if config_jobs::find(&app.workers, row.job_id).await?.is_some_and(|job| !job.is_final()) {
        return Ok(());
    }
    let (Ok(subscription), asked) = (Subscription::read(&row.document.value()), asked(&app.workers, id).await??) else {
        return Ok(());
    };
    let cursor = store::cursor(&app.workers, id).await?;
    if asked.is_empty() || waits(app, &cursor, made) {
        return Ok(());
    }
    let credentials = Credentials::read(&subscription, &secrets_of(&app.workers, id).await?);
    // Nor may they be of an import that began meanwhile.
    if store::made(&app.workers, id).await? != made {
        return Ok(());
    }
    // What is another now gets another chance.
    let is_same = made == cursor.made();
    let mut sender = Sender {
        app,
        id,
        name: row.name,
        made,
        receiver: Receiver::new(&app.outgoing, subscription.url),
        credentials,
        failures: if is_same { cursor.failures } else { 0 },
    };
    let mut position = cursor.position.max(asked.begins_after());
    let began = Instant::now();
    while began.elapsed() < TURN {
        let (events, looked) = next(&app.workers, &asked, position, head(&app.workers).await?).await?;
        if looked == position {
            break;
        }
        for event in events {
            // A page of slow answers would be many turns.
            let is_over = app.is_stopping.load(Ordering::Relaxed) || began.elapsed() >= TURN;
            if is_over || !sender.send(event).await? {
                return Ok(());
            }
        }
        position = looked;
    }
    Ok(())
}

struct Sender<'a> {
    app: &'a SharedApp,
    id: Uuid,
    name: String,
    made: Made,
    receiver: Receiver<'a>,
    credentials: Result<Credentials, String>,
    failures: i32,
}

impl Sender<'_> {
    /// Sends an event once and keeps what came of it. Is there to be another?
    async fn send(&mut self, event: EventRow) -> Result<bool, WebhookError> {
        let (clock, about) = (&self.app.clock, event.clone());
        let message = Message::of(self.id, event)?;
        let attempted_at = clock.now();
        let attempt = match &self.credentials {
            Ok(credentials) => {
                let headers = message.headers(credentials, attempted_at);
                self.receiver.post(headers, message.body, attempted_at).await
            }
            Err(reason) => self.receiver.refused(reason).await,
        };
        let is_delivered = attempt.outcome == Outcome::Delivered;
        self.failures = if is_delivered { 0 } else { self.failures.saturating_add(1) };
        let next_attempt_at = (!is_delivered).then(|| {
            let wait = backoff::wait(self.failures.unsigned_abs(), attempt.retry_after, clock.id());
            clock.now() + TimeDelta::from_std(wait).unwrap_or_default()
        });
        self.tell(&about, &attempt);
        let record = Record {
            subscription: self.id,
            made: self.made,
            event: &about,
            message: message.id,
            attempt: &attempt,
            failures: self.failures,
            attempted_at,
            next_attempt_at,
        };
        let made = store::record(&self.app.workers, &record).await?;
        Ok(is_delivered && made == self.made)
    }

    fn tell(&self, event: &EventRow, attempt: &Attempt) {
        metrics::counter!("muniment_webhook_attempts_total", "outcome" => attempt.outcome.as_str()).increment(1);
        let (webhook, position, reason) = (&self.name, event.position, attempt.reason.as_deref().unwrap_or_default());
        match attempt.outcome {
            Outcome::Delivered => tracing::debug!(webhook, position, "event delivered"),
            Outcome::Failed => tracing::warn!(webhook, position, reason, "event not delivered, tried again later"),
            Outcome::Refused => tracing::warn!(webhook, position, reason, "delivery refused"),
        }
    }
}
