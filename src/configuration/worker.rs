//! Jobs are done, one after the other on each server; any number of servers may do them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aggregates::config_job::{ConfigJob, ConfigJobCommand, Task};
use projections::config_jobs;
use uuid::Uuid;

use super::export::export;
use super::import::{Import, import};
use super::settle::settle;
use super::{ConfigurationError, secrets};
use crate::app::SharedApp;
use crate::journal::{AppendError, CommandError};
use crate::work::leases;

/// How often a worker looks when nobody rings.
const POLL: Duration = Duration::from_millis(500);
/// How often workers take a job up that none of them brings to an end.
const ATTEMPTED: u32 = 20;

/// Looks for jobs and does them, for ever.
pub async fn work(app: SharedApp, worker: String) {
    loop {
        if let Err(error) = look(&app, &worker).await {
            tracing::warn!(%error, "configuration jobs wait");
        }
        tokio::select! {
            () = app.configuration_bell.notified() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

async fn look(app: &SharedApp, worker: &str) -> Result<(), ConfigurationError> {
    for id in config_jobs::unfinished(&app.workers).await? {
        // Each attempt has a name of its own: one that failed is repeated when its lease has run out.
        let worker = &format!("{worker}/{}", app.clock.id().simple());
        if app.is_stopping.load(Ordering::Relaxed) || !leases::take(&app.workers, id, worker).await? {
            continue;
        }
        // Whoever stops the server waits for this place.
        let _place = app.configuration_place.acquire().await;
        // A task of its own: what it does must not hang on what this one borrows.
        let (spawned, name) = (Arc::clone(app), worker.to_owned());
        let mut task = tokio::spawn(async move { carry_on(&spawned, &name, id).await });
        let done = tokio::select! {
            done = &mut task => done.unwrap_or_else(|error| Err(AppendError::Unavailable(error.to_string()).into())),
            () = leases::keep(&app.workers, id, worker, &app.is_stopping) => {
                task.abort();
                Err(ConfigurationError::Interrupted)
            }
        };
        match done {
            Ok(()) => secrets::forget(&app.workers, id).await?,
            Err(ConfigurationError::Interrupted) => tracing::debug!(%id, "somebody else goes on"),
            // Until the lease runs out nobody tries again.
            Err(error) => {
                tracing::warn!(%error, %id, "the configuration job goes on later");
                continue;
            }
        }
        leases::release(&app.workers, id, worker).await?;
    }
    Ok(())
}

async fn carry_on(app: &SharedApp, worker: &str, id: Uuid) -> Result<(), ConfigurationError> {
    let Some(row) = config_jobs::find(&app.workers, id).await?.filter(|row| !row.is_final()) else { return Ok(()) };
    let context = app.journal.on_behalf(id, "ConfigJobStarted", worker).await?;
    let claim = ConfigJobCommand::Claim { worker: worker.to_owned() };
    let claimed = app.journal.execute::<ConfigJob>(id, claim, None, context.clone()).await.map_err(ended)?;
    if claimed.aggregate.attempts > ATTEMPTED {
        let reason = format!("Given up after {ATTEMPTED} attempts");
        let command = ConfigJobCommand::Fail { reason, result: None, objects: 0 };
        app.journal.execute::<ConfigJob>(id, command, None, context).await.map_err(ended)?;
        return settle(app, id).await;
    }
    let done = match &row.task.0 {
        Task::Export { selection, .. } => export(app, &row, selection, claimed.version, &context).await,
        Task::Import { file, options, preview } => {
            let of =
                Import { app, job: id, file, options, preview: *preview, version: claimed.version, context: &context };
            import(of).await
        }
    };
    match done {
        Err(ConfigurationError::Command(error)) => Err(ended(error)),
        other => other,
    }
}

/// It ended, or another worker has it.
fn ended(error: CommandError) -> ConfigurationError {
    match error {
        CommandError::Refused(_) | CommandError::Append(AppendError::Guard { .. } | AppendError::Conflict { .. }) => {
            ConfigurationError::Interrupted
        }
        other => other.into(),
    }
}
