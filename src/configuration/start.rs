//! Jobs that are asked for.

use aggregates::config_job::{ConfigJob, ConfigJobCommand, ImportOptions, Selection, Task};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{ConfigurationError, Upload, file, secrets};
use crate::app::SharedApp;
use crate::journal::Context;

/// Begins an export; gives its id.
///
/// # Errors
/// The selection names what isn't there, or the journal said no.
pub async fn start_export(
    app: &SharedApp,
    id: Uuid,
    selection: Selection,
    description: Option<String>,
    context: Context,
) -> Result<(), ConfigurationError> {
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
    upload: &Upload,
    options: ImportOptions,
    preview: bool,
    context: Context,
) -> Result<(), ConfigurationError> {
    let file = file::keep_upload(app, upload).await?;
    if !preview {
        secrets::bring(&app.pool, id, &upload.secrets).await?;
    }
    start(app, id, Task::Import { file, options, preview }, None, context).await
}

async fn start(
    app: &SharedApp,
    id: Uuid,
    task: Task,
    description: Option<String>,
    context: Context,
) -> Result<(), ConfigurationError> {
    let command = ConfigJobCommand::Start { task, description, expires_at: expiry(app) };
    app.journal.create::<ConfigJob>(id, command, context).await?;
    app.configuration_bell.notify_one();
    Ok(())
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
    secrets::forget(&app.pool, id).await?;
    Ok(())
}
