//! Workers: claim an import by an event, keep its lease alive, run it, and end it.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aggregates::application::{Application, Content};
use aggregates::application_import::{ApplicationImport, ApplicationImportCommand as Command, Status};
use projections::application_imports::{ImportRow, applied, claimable, find};
use uuid::Uuid;

use super::Fault;
use super::issues::short;
use super::run::{Watch, run};
use crate::app::SharedApp;
use crate::journal::{AppendError, CommandError, Context};
use crate::work::{leases, progress};

/// The event with which an import begins.
const STAGED: &str = "ImportStaged";
/// How often workers take an import that none of them brings to an end.
const ATTEMPTS: u32 = 20;
/// How often a running import tells how far it is, renews its lease and looks whether it was cancelled.
const TICK: Duration = Duration::from_millis(300);
/// How often a worker looks for work when nobody rings.
const POLL: Duration = Duration::from_millis(500);
/// Characters of a fault that an import's log shows.
const LOG: usize = 2000;
/// Imports that one server runs side by side.
pub const SIDE_BY_SIDE: usize = 2;

/// Looks for imports and runs them, for ever; of one application, if told so.
pub async fn work(app: SharedApp, worker: String, application: Option<Uuid>) {
    let running: Arc<Mutex<HashSet<Uuid>>> = Arc::default();
    loop {
        match claimable(&app.workers).await {
            Ok(imports) => {
                let is_ours = |import: &ImportRow| application.is_none_or(|wanted| import.application_id == wanted);
                for import in imports.into_iter().filter(is_ours) {
                    consider(&app, &worker, import, &running).await;
                }
            }
            Err(error) => tracing::warn!(%error, "imports can't be looked for"),
        }
        tokio::select! {
            () = app.imports_bell.notified() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

async fn consider(app: &SharedApp, worker: &str, import: ImportRow, running: &Arc<Mutex<HashSet<Uuid>>>) {
    let id = import.id;
    if app.is_stopping.load(Ordering::Relaxed) || running.lock().unwrap_or_else(PoisonError::into_inner).contains(&id) {
        return;
    }
    // Cancelled before anybody had it: nothing to stop.
    if import.status == Status::Canceling.as_str() && import.worker.is_none() {
        let context = match app.journal.on_behalf(import.id, STAGED, worker).await {
            Ok(context) => context,
            Err(error) => return tracing::debug!(%error, import = %id, "not canceled by this worker"),
        };
        let command = Command::Cancel { log: "Canceled before it began; nothing was applied".to_owned() };
        if let Err(error) = app.journal.execute::<ApplicationImport>(id, command, None, context).await {
            tracing::debug!(%error, import = %id, "not canceled by this worker");
        }
        return;
    }
    let Ok(place) = Arc::clone(&app.import_places).try_acquire_owned() else { return };
    match leases::take(&app.workers, id, worker).await {
        Ok(true) => {}
        Ok(false) => return,
        Err(error) => return tracing::warn!(%error, import = %id, "no lease"),
    }
    running.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
    let (app, worker, running) = (Arc::clone(app), worker.to_owned(), Arc::clone(running));
    tokio::spawn(async move {
        let done = match app.journal.on_behalf(import.id, STAGED, &worker).await {
            Ok(context) => claim_and_run(&app, &import, &worker, &context).await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = done {
            tracing::warn!(%error, import = %id, "the import goes on later");
        }
        if let Err(error) = leases::release(&app.workers, id, &worker).await {
            tracing::debug!(%error, import = %id, "the lease runs out by itself");
        }
        running.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        drop(place);
        app.imports_bell.notify_one();
    });
}

async fn claim_and_run(app: &SharedApp, import: &ImportRow, worker: &str, context: &Context) -> Result<(), Fault> {
    let id = import.id;
    let application = app.journal.load::<Application>(import.application_id).await.map_err(CommandError::from)?;
    let is_identity_source =
        application.aggregate.definition.as_ref().is_some_and(|definition| definition.delivers(Content::Identities));
    let claim =
        Command::Claim { worker: worker.to_owned(), application_version: application.version, is_identity_source };
    match app.journal.execute::<ApplicationImport>(id, claim, None, context.clone()).await {
        Ok(_) => {}
        // It ended meanwhile, or another import has the application or the identities: later.
        Err(CommandError::Refused(_) | CommandError::Append(AppendError::ClaimTaken { .. })) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    let loaded = app.journal.load::<ApplicationImport>(id).await.map_err(CommandError::from)?;
    if loaded.aggregate.status == Status::Canceling {
        return cancel(app, id, context).await;
    }
    if loaded.aggregate.attempts > ATTEMPTS {
        let log = format!("Given up after {ATTEMPTS} attempts{}", after_applying(app, id).await);
        app.journal.execute::<ApplicationImport>(id, Command::Fail { log }, None, context.clone()).await?;
        return Ok(());
    }
    let watch = Arc::new(Watch::default());
    tracing::info!(import = %id, number = import.number, application = import.application_name, "import runs");
    let result = tokio::select! {
        result = run(app, id, loaded, context.clone(), Arc::clone(&watch)) => result,
        () = watching(app, id, worker, &watch) => Err(Fault::Interrupted),
    };
    // A reading thread that nobody waits for any more stops at its next look.
    watch.is_interrupted.store(true, Ordering::Relaxed);
    let written = progress::write(&app.workers, id, &watch.progress()).await;
    if let Err(error) = written {
        tracing::debug!(%error, import = %id, "progress was not written");
    }
    match result {
        Ok(()) => {
            tracing::info!(import = %id, number = import.number, "import finished");
            Ok(())
        }
        Err(Fault::Interrupted) => cancel(app, id, context).await,
        Err(Fault::Database(error)) => Err(Fault::Database(error)),
        Err(Fault::Command(CommandError::Append(AppendError::Unavailable(reason)))) => {
            Err(Fault::Command(CommandError::Append(AppendError::Unavailable(reason))))
        }
        Err(fault) => {
            // A fault may quote the file.
            let log = format!("{}{}", short(&fault.to_string(), LOG), after_applying(app, id).await);
            tracing::info!(import = %id, number = import.number, log, "import failed");
            match app.journal.execute::<ApplicationImport>(id, Command::Fail { log }, None, context.clone()).await {
                // Cancelled at the same moment: then it is Canceled.
                Err(CommandError::Refused(_)) => cancel(app, id, context).await,
                other => other.map(drop).map_err(Fault::from),
            }
        }
    }
}

/// Ends a cancelled import. One that another worker took over is left alone.
async fn cancel(app: &SharedApp, id: Uuid, context: &Context) -> Result<(), Fault> {
    let log = format!("Canceled{}", after_applying(app, id).await);
    match app.journal.execute::<ApplicationImport>(id, Command::Cancel { log }, None, context.clone()).await {
        Ok(_) | Err(CommandError::Refused(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// What an import had applied when it ended early, counted from its events.
async fn after_applying(app: &SharedApp, id: Uuid) -> String {
    let counts = applied(&app.workers, id).await.unwrap_or_default();
    if counts.is_empty() {
        return "; nothing was applied".to_owned();
    }
    let parts: Vec<String> = counts
        .iter()
        .map(|count| {
            format!("{} {} added, {} changed, {} removed", count.kind, count.added, count.changed, count.removed)
        })
        .collect();
    format!(" after applying {}", parts.join("; "))
}

/// Returns when the import is no longer this worker's to run.
async fn watching(app: &SharedApp, id: Uuid, worker: &str, watch: &Watch) {
    loop {
        tokio::time::sleep(TICK).await;
        // While the database is away nobody can say; when it is back, the journal's guard decides.
        let Ok(is_ours) = leases::take(&app.workers, id, worker).await else { continue };
        if app.is_stopping.load(Ordering::Relaxed) {
            return;
        }
        let status = find(&app.workers, id).await.ok().flatten().map(|import| import.status);
        let is_running =
            status.is_none_or(|status| status == Status::Running.as_str() || status == Status::Finished.as_str());
        if !is_ours || !is_running {
            return;
        }
        if let Err(error) = progress::write(&app.workers, id, &watch.progress()).await {
            tracing::debug!(%error, import = %id, "progress was not written");
        }
    }
}

/// A worker's name: host, process and start, so that no two are ever the same.
pub fn name(started: Uuid) -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    format!("{host}/{}/{}", std::process::id(), started.simple())
}
