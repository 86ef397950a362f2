//! Imports that were stopped: what they imported has the secrets that came for it, as if they had come to their own end.

use std::collections::HashMap;

use aggregates::config_job::Task;
use aggregates::config_object::stream;
use projections::config_jobs;
use uuid::Uuid;

use super::changes::changes;
use super::kept::KeptFile;
use super::{ConfigurationError, secrets};
use crate::app::SharedApp;

/// Gives what an import changed the secrets that it brought, and forgets all others. Between a slice and its secrets the worker may
/// have died, or heard of the end too late. To be called when the job has ended: no slice follows.
///
/// # Errors
/// The log or the tables can't be read.
pub(super) async fn settle(app: &SharedApp, job: Uuid) -> Result<(), ConfigurationError> {
    if secrets::brought(&app.workers, job).await?.is_empty() {
        return Ok(());
    }
    if let Some(Task::Import { file, options, .. }) = config_jobs::find(&app.workers, job).await?.map(|row| row.task.0)
    {
        let changed = changes(app, job).await?.into_iter().filter_map(|change| change.after);
        let ids: HashMap<(String, String), String> =
            changed.map(|(reference, _)| ((reference.kind, reference.name), reference.id)).collect();
        let (_, contents) = KeptFile::open(&app.workers, &file).await?;
        let selected = contents.objects.into_iter().filter(|object| options.selection.selects(object));
        let imported = selected.filter_map(|object| {
            let kind = object.object_type()?;
            // It has the name of the file, and maybe another id: that of the object that it meant.
            let id = ids.get(&(object.kind, object.name))?;
            Some((stream(kind, &object.id), stream(kind, id)))
        });
        secrets::take(&app.workers, job, &imported.collect::<Vec<_>>()).await?;
    }
    Ok(secrets::forget(&app.workers, job).await?)
}
