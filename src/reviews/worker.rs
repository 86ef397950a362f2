//! What happens to reviews by itself: rows are recorded, runs go on, due dates come. Any number of servers may do it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aggregates::certification::{Certification, CertificationCommand};
use aggregates::{Actor, automation_run};
use projections::{automation_runs, certifications};
use uuid::Uuid;

use super::ReviewError;
use super::run::{find_run, run};
use super::search::search;
use super::undo::undo;
use crate::app::SharedApp;
use crate::journal::{AppendError, CommandError, Context};
use crate::work::leases;

/// How often a worker looks when nobody rings.
const POLL: Duration = Duration::from_millis(500);
/// Certifications and runs on which one server works at once.
pub const SIDE_BY_SIDE: usize = 2;

/// What is to be done.
#[derive(Clone)]
enum Work {
    Search(Box<certifications::CertificationRow>),
    Run(Uuid),
}

/// Looks for work and does it, for ever.
pub async fn work(app: SharedApp, worker: String) {
    loop {
        if let Err(error) = look(&app, &worker).await {
            tracing::warn!(%error, "reviews wait");
        }
        tokio::select! {
            () = app.reviews_bell.notified() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

async fn look(app: &SharedApp, worker: &str) -> Result<(), ReviewError> {
    let now = app.clock.now();
    for id in certifications::all_due(&app.workers, now).await? {
        let context = Context::of(Actor::system("due dates"), app.clock.id().simple().to_string());
        let command = CertificationCommand::Expire { at: now };
        match app.journal.execute::<Certification>(id, command, None, context).await {
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, certification = %id, "it expires later"),
        }
    }
    for row in certifications::all_searching(&app.workers).await? {
        consider(app, worker, row.id, Work::Search(Box::new(row))).await?;
    }
    for id in automation_runs::unfinished(&app.workers).await? {
        consider(app, worker, id, Work::Run(id)).await?;
    }
    Ok(())
}

async fn consider(app: &SharedApp, worker: &str, id: Uuid, work: Work) -> Result<(), ReviewError> {
    if app.is_stopping.load(Ordering::Relaxed) {
        return Ok(());
    }
    let Ok(place) = Arc::clone(&app.review_places).try_acquire_owned() else { return Ok(()) };
    // Each piece of work has a name of its own, so that this worker doesn't take twice what it is at.
    let name = format!("{worker}/{}", app.clock.id().simple());
    if !leases::take(&app.workers, id, &name).await? {
        return Ok(());
    }
    let app = Arc::clone(app);
    tokio::spawn(async move {
        let done = tokio::select! {
            done = carry_on(&app, &name, id, work) => done,
            () = leases::keep(&app.workers, id, &name, &app.is_stopping) => Err(ReviewError::Interrupted),
        };
        drop(place);
        match done {
            Ok(()) => {}
            Err(ReviewError::Interrupted) => tracing::debug!(%id, "somebody else goes on"),
            // Until the lease runs out nobody tries again.
            Err(error) => return tracing::warn!(%error, %id, "the review goes on later"),
        }
        if let Err(error) = leases::release(&app.workers, id, &name).await {
            tracing::debug!(%error, %id, "the lease runs out by itself");
        }
        app.reviews_bell.notify_one();
    });
    Ok(())
}

async fn carry_on(app: &SharedApp, worker: &str, id: Uuid, work: Work) -> Result<(), ReviewError> {
    let on_behalf = |event_type: &'static str| app.journal.on_behalf(id, event_type, worker);
    let done = match work {
        Work::Search(row) => {
            let context = on_behalf("CertificationCreated").await?;
            search(app, &row, worker, &context).await
        }
        Work::Run(id) => {
            // As it is now that it is ours.
            let row = find_run(app, id).await?;
            if row.status == automation_run::Status::Undoing.as_str() {
                let context = on_behalf("AutomationRunUndoStarted").await?;
                undo(app, &row, worker, &context).await
            } else {
                let context = on_behalf("AutomationRunStarted").await?;
                run(app, &row, worker, &context).await
            }
        }
    };
    match done {
        // It ended, or another worker has it.
        Err(ReviewError::Command(CommandError::Refused(_) | CommandError::Append(AppendError::Guard { .. }))) => {
            Err(ReviewError::Interrupted)
        }
        other => other,
    }
}
