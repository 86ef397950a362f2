//! Looks for subscriptions with something to deliver; any number of servers may.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aggregates::config_object::ObjectType;
use aggregates::webhook::Asked;
use projections::{config_objects, events};
use uuid::Uuid;

use super::WebhookError;
use super::deliver::{asked, deliver, next, waits};
use super::store::{self, Cursor};
use crate::app::SharedApp;
use crate::work::leases;

/// How often a worker looks.
const POLL: Duration = Duration::from_millis(500);
/// Subscriptions that one server delivers to at once.
pub const SIDE_BY_SIDE: usize = 8;
/// Positions without anything that is asked for after which a cursor is moved in the database.
const UNWRITTEN: i64 = 10_000;
/// How long a request on its way is waited for when the server stops.
const LAST_REQUEST: Duration = Duration::from_secs(2);

/// What a worker remembers of a subscription, of this version.
struct Known {
    version: i64,
    asked: Asked,
    /// Up to here nothing is asked for that isn't delivered.
    looked: i64,
}

#[derive(Default)]
struct Worker {
    known: HashMap<Uuid, Known>,
    /// The end of the log when subscriptions were last read: their changes are events.
    head: i64,
    running: Arc<Mutex<HashSet<Uuid>>>,
}

/// Looks for events to deliver, for ever.
pub async fn work(app: SharedApp, worker: String) {
    let mut state = Worker::default();
    loop {
        if let Err(error) = state.look(&app, &worker).await {
            tracing::warn!(%error, "webhooks wait");
        }
        tokio::time::sleep(POLL).await;
    }
}

impl Worker {
    async fn look(&mut self, app: &SharedApp, worker: &str) -> Result<(), WebhookError> {
        let head = events::head(&app.workers).await?;
        if head != self.head {
            self.refresh(app).await?;
            self.head = head;
        }
        let active: Vec<Uuid> =
            self.known.iter().filter(|(_, known)| !known.asked.is_empty()).map(|(id, _)| *id).collect();
        if active.is_empty() {
            return Ok(());
        }
        let cursors = store::cursors(&app.workers, &active).await?;
        let mut cursors: HashMap<Uuid, Cursor> =
            cursors.into_iter().map(|cursor| (cursor.subscription_id, cursor)).collect();
        // Whoever waits longest comes first, so that none is kept out by those who always have something.
        let mut active: Vec<(Uuid, Cursor)> =
            active.into_iter().map(|id| (id, cursors.remove(&id).unwrap_or_default())).collect();
        active.sort_by_key(|(id, cursor)| (cursor.attempted_at, *id));
        for (id, cursor) in active {
            self.consider(app, worker, id, &cursor, head).await?;
        }
        Ok(())
    }

    /// Reads the subscriptions that are new or changed.
    async fn refresh(&mut self, app: &SharedApp) -> Result<(), WebhookError> {
        let versions = config_objects::versions(&app.workers, ObjectType::TriggerSubscription.as_str()).await?;
        let versions: HashMap<Uuid, i64> = versions.into_iter().collect();
        self.known.retain(|id, known| versions.get(id) == Some(&known.version));
        for (id, version) in versions {
            if let Entry::Vacant(unknown) = self.known.entry(id) {
                // One that can't be read mustn't stop the others; it asks for nothing until it changes.
                let asked = asked(&app.workers, id).await?.unwrap_or_else(|error| {
                    tracing::warn!(%error, webhook = %id, "the webhook's history can't be read");
                    Asked::default()
                });
                unknown.insert(Known { version, asked, looked: 0 });
            }
        }
        Ok(())
    }

    async fn consider(
        &mut self,
        app: &SharedApp,
        worker: &str,
        id: Uuid,
        cursor: &Cursor,
        head: i64,
    ) -> Result<(), WebhookError> {
        let Some(known) = self.known.get_mut(&id) else { return Ok(()) };
        let is_running = self.running.lock().unwrap_or_else(PoisonError::into_inner).contains(&id);
        known.looked = known.looked.max(cursor.position).max(known.asked.begins_after());
        if is_running || known.looked >= head || app.is_stopping.load(Ordering::Relaxed) {
            return Ok(());
        }
        if cursor.next_attempt_at.is_some() && waits(app, cursor, store::made(&app.workers, id).await?) {
            return Ok(());
        }
        let (found, looked) = next(&app.workers, &known.asked, known.looked, head).await?;
        let Some(first) = found.front() else {
            known.looked = looked;
            if looked - cursor.position >= UNWRITTEN {
                store::pass(&app.workers, id, store::made(&app.workers, id).await?, looked).await?;
            }
            return Ok(());
        };
        known.looked = first.position - 1;
        let Ok(place) = Arc::clone(&app.webhook_places).try_acquire_owned() else { return Ok(()) };
        // Each turn has a name of its own: one that died here isn't taken for alive.
        let name = format!("{worker}/{}", app.clock.id().simple());
        if !leases::take(&app.workers, id, &name).await? {
            return Ok(());
        }
        self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        let (app, running) = (Arc::clone(app), Arc::clone(&self.running));
        tokio::spawn(async move {
            if let Err(error) = under_lease(&app, &name, id).await {
                tracing::warn!(%error, webhook = %id, "the webhook goes on later");
            }
            if let Err(error) = leases::release(&app.workers, id, &name).await {
                tracing::debug!(%error, webhook = %id, "the lease runs out by itself");
            }
            running.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            drop(place);
        });
        Ok(())
    }
}

/// Delivers until the lease is another's. When the server stops, the request on its way still ends.
async fn under_lease(app: &SharedApp, name: &str, id: Uuid) -> Result<(), WebhookError> {
    let mut delivered = std::pin::pin!(deliver(app, id));
    tokio::select! {
        done = &mut delivered => done,
        () = leases::keep(&app.workers, id, name, &app.is_stopping) => {
            if app.is_stopping.load(Ordering::Relaxed) {
                // Else it is sent again, with the same webhook-id.
                return tokio::time::timeout(LAST_REQUEST, delivered).await.unwrap_or(Ok(()));
            }
            Ok(())
        }
    }
}
