//! An import is put back: every object as it was before, by events, in one append.

use std::collections::HashMap;

use aggregates::application::{Application, ApplicationCommand, ImportSchedule};
use aggregates::config_job::{ConfigJob, ConfigJobCommand};
use aggregates::config_object::{ConfigObject, ConfigObjectCommand, Reference};
use aggregates::{Refusal, Violation};
use projections::events::versions;
use uuid::Uuid;

use super::ConfigurationError;
use super::changes::{Change, Changed, changes};
use crate::app::SharedApp;
use crate::journal::{Append, AppendError, CommandError, Context, Loaded};

/// Why an import wasn't put back.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// These objects were changed after the import: the reasons, object by object.
    #[error("{} objects were changed after the import", .0.len())]
    Collisions(Vec<Violation>),
    /// Anything else.
    #[error(transparent)]
    Other(#[from] ConfigurationError),
}

/// Puts back what an import changed; gives how many objects.
///
/// # Errors
/// There is none, it goes on, it is put back already, or later changes collide; then nothing is put back.
pub async fn restore(app: &SharedApp, job: Uuid, context: &Context) -> Result<u64, RestoreError> {
    let failed = |error: CommandError| RestoreError::Other(error.into());
    let refused = |refusal: Refusal| failed(refusal.into());
    // The job first: when it has ended nothing is added to what it changed.
    let loaded = app.journal.load::<ConfigJob>(job).await.map_err(|error| failed(error.into()))?;
    let found = changes(app, job).await?;
    let objects = found.len() as u64;
    let (_, restored) = loaded.decide(ConfigJobCommand::Restore { objects }, context.clone()).await.map_err(refused)?;
    let collisions = collisions(app, &found).await?;
    if !collisions.is_empty() {
        return Err(RestoreError::Collisions(collisions));
    }
    let mut append = restored;
    for change in found {
        if let Some(object) = change.object {
            append = Append::both(append, object_back(job, object, context).await.map_err(refused)?);
        }
        if let Some(application) = change.application {
            append = Append::both(append, application_back(application, context).await.map_err(refused)?);
        }
    }
    if let Some(append) = append {
        match app.journal.append(append).await {
            Ok(_) => {}
            Err(AppendError::Conflict { stream, found }) => {
                let reason = format!("It was changed meanwhile; its version is {found}");
                let field = format!("{} {}", stream.aggregate_type, stream.aggregate_id);
                return Err(RestoreError::Collisions(vec![Violation::new(field, reason)]));
            }
            Err(AppendError::ClaimTaken { claim, holder }) => {
                let reason = format!("The name it had before is now that of {} {}", holder.0, holder.1);
                return Err(RestoreError::Collisions(vec![Violation::new(claim, reason)]));
            }
            Err(error) => return Err(failed(error.into())),
        }
    }
    Ok(objects)
}

/// Objects that somebody changed after the import.
async fn collisions(app: &SharedApp, found: &[Change]) -> Result<Vec<Violation>, ConfigurationError> {
    let objects: Vec<String> = found.iter().filter_map(|change| Some(change.object.as_ref()?.id.to_string())).collect();
    let applications: Vec<String> =
        found.iter().filter_map(|change| Some(change.application.as_ref()?.id.to_string())).collect();
    let mut now: HashMap<String, i64> = HashMap::new();
    now.extend(versions(&app.pool, aggregates::config_object::TYPE, &objects).await?);
    now.extend(versions(&app.pool, aggregates::application::TYPE, &applications).await?);
    let later = |id: Uuid, version: i64| now.get(&id.to_string()).is_some_and(|found| *found != version);
    let is_later = |change: &&Change| {
        change.object.as_ref().is_some_and(|object| later(object.id, object.version))
            || change.application.as_ref().is_some_and(|application| later(application.id, application.version))
    };
    let violation = |change: &Change| {
        let Reference { kind, id, name } = change.reference()?;
        Some(Violation::new(format!("{kind} {id}"), format!("{name:?} was changed after the import")))
    };
    Ok(found.iter().filter(is_later).filter_map(violation).collect())
}

async fn object_back(
    job_id: Uuid,
    object: Changed<ConfigObject>,
    context: &Context,
) -> Result<Option<Append>, Refusal> {
    let command = match object.before.kept {
        Some((reference, document)) => ConfigObjectCommand::Put { reference, document, job_id },
        None if object.after.kept.is_none() => return Ok(None),
        None => ConfigObjectCommand::Delete { job_id },
    };
    let loaded = Loaded::at(&object.id, object.after, object.version);
    Ok(loaded.decide(command, context.clone()).await?.1)
}

/// An application that the import made is archived. A schedule that it brought is switched off: none can be taken away.
async fn application_back(application: Changed<Application>, context: &Context) -> Result<Option<Append>, Refusal> {
    let Changed { id, before, after, version } = application;
    let schedule = match (&before.schedule, &after.schedule) {
        (before, after) if before == after => None,
        (Some(before), _) => Some(before.clone()),
        (None, after) => after.clone().map(|schedule| ImportSchedule { is_enabled: false, ..schedule }),
    };
    let commands = match before.definition {
        None => vec![ApplicationCommand::Archive],
        Some(definition) => {
            let define = ApplicationCommand::Update(definition);
            [Some(define), schedule.map(ApplicationCommand::SetImportSchedule)].into_iter().flatten().collect()
        }
    };
    Ok(Loaded::at(&id, after, version).decide_all(commands, context.clone()).await?.1)
}
