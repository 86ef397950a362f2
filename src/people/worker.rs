//! What happens by itself: dates come, imports prove, stages follow.

use std::time::Duration;

use aggregates::access_request::{AccessRequest, AccessRequestCommand};
use aggregates::personnel_event::{PersonnelEvent, PersonnelEventCommand};
use uuid::Uuid;

use super::{by_itself, evidence, settle, start};
use crate::app::SharedApp;
use crate::journal::CommandError;

/// How often a server looks when nobody rings.
const POLL: Duration = Duration::from_millis(500);

/// Looks for what has come due, for ever. Any number of servers may do it.
pub async fn work(app: SharedApp) {
    loop {
        if let Err(error) = look(&app).await {
            tracing::warn!(%error, "people's events wait");
        }
        tokio::select! {
            () = app.people_bell.notified() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

async fn look(app: &SharedApp) -> Result<(), CommandError> {
    let now = app.clock.now();
    for id in projections::personnel_events::waking(&app.workers, now).await? {
        let (context, _) = by_itself(app, None);
        let command = PersonnelEventCommand::Wake { at: now };
        passed(id, app.journal.execute::<PersonnelEvent>(id, command, None, context.clone()).await.map(drop));
        passed(id, start::start(app, id, &context).await);
    }
    for id in projections::access_requests::waking(&app.workers, now).await? {
        let (context, _) = by_itself(app, None);
        let command = AccessRequestCommand::Wake { at: now };
        passed(id, app.journal.execute::<AccessRequest>(id, command, None, context.clone()).await.map(drop));
    }
    evidence::take_all(app).await?;
    for id in projections::personnel_events::settleable(&app.workers).await? {
        let (context, _) = by_itself(app, None);
        passed(id, settle::settle(app, id, &context).await);
    }
    Ok(())
}

/// What a rule refuses somebody else has done meanwhile; what fails is looked at again. The others must not wait for it.
fn passed(id: Uuid, outcome: Result<(), CommandError>) {
    match outcome {
        Ok(()) => {}
        Err(CommandError::Refused(refusal)) => tracing::debug!(%refusal, %id, "nothing to do"),
        Err(error) => tracing::warn!(%error, %id, "it waits"),
    }
}
