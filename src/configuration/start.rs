//! Jobs that are asked for.

use aggregates::config_job::{ConfigJob, ConfigJobCommand, ImportOptions, Selection, Task};
use aggregates::violation::refuse_if_any;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::settle::settle;
use super::{ConfigurationError, Upload, file, secrets};
use crate::app::SharedApp;
use crate::journal::{AppendError, CommandError, Context};

/// A job that was begun: as nobody has taken it up yet.
#[derive(Debug, Clone, Copy)]
pub struct Started {
    /// The job.
    pub id: Uuid,
    /// When.
    pub started_at: DateTime<Utc>,
    /// When its files expire.
    pub expires_at: DateTime<Utc>,
}

/// Begins an export.
///
/// # Errors
/// The selection names what isn't there, or the journal said no.
pub async fn start_export(
    app: &SharedApp,
    id: Uuid,
    selection: Selection,
    description: Option<String>,
    context: Context,
) -> Result<Started, ConfigurationError> {
    let task = Task::Export { selection, backup_of: None };
    start(app, id, task, description, context).await
}

/// Begins an import of a file; with `preview` nothing will be imported.
///
/// # Errors
/// The options name what isn't there, the file can't be kept, or the journal said no.
pub async fn start_import(
    app: &SharedApp,
    id: Uuid,
    upload: Upload,
    options: ImportOptions,
    preview: bool,
    context: Context,
) -> Result<Started, ConfigurationError> {
    refuse_if_any(options.violations()).map_err(CommandError::from)?;
    let file = file::keep(app, upload.lines).await?;
    if !preview {
        secrets::bring(&app.pool, id, &upload.secrets).await?;
    }
    let started = start(app, id, Task::Import { file, options, preview }, None, context).await;
    match &started {
        // It may have begun nevertheless: if not, what came for it is tidied up later.
        Ok(_) | Err(ConfigurationError::Command(CommandError::Append(AppendError::Unavailable(_)))) => {}
        Err(_) => secrets::forget(&app.pool, id).await?,
    }
    started
}

async fn start(
    app: &SharedApp,
    id: Uuid,
    task: Task,
    description: Option<String>,
    context: Context,
) -> Result<Started, ConfigurationError> {
    let expires_at = expiry(app);
    let command = ConfigJobCommand::Start { task, description, expires_at };
    let created = app.journal.create::<ConfigJob>(id, command, context).await?;
    app.configuration_bell.notify_one();
    let started_at = created.appended.map_or_else(|| app.clock.now(), |appended| appended.recorded_at);
    Ok(Started { id, started_at, expires_at })
}

/// When files of a job that begins now can't be downloaded any more.
pub(super) fn expiry(app: &SharedApp) -> DateTime<Utc> {
    app.clock.now() + app.config.artifact_lifetime
}

/// Stops a job.
///
/// # Errors
/// There is none, it has ended, or the journal said no.
pub async fn cancel(app: &SharedApp, id: Uuid, context: Context) -> Result<(), ConfigurationError> {
    app.journal.execute::<ConfigJob>(id, ConfigJobCommand::Cancel, None, context).await?;
    settle(app, id).await
}
