//! Imports: a file's objects are planned as a whole and imported slice by slice, so that one that can't be costs no other.

use std::collections::{HashMap, HashSet};

use aggregates::config_job::directory::Directory;
use aggregates::config_job::incoming::{Link, links};
use aggregates::config_job::plan::{FAILED, Message, Plan};
use aggregates::config_job::resolve::people;
use aggregates::config_job::{Artifact, ConfigJob, ConfigJobCommand, ImportOptions, Selection, Status, Task};
use aggregates::config_object::{Document, ObjectType, Reference};
use aggregates::ids;
use projections::{config_jobs, identities};
use uuid::Uuid;

use super::changes::changes;
use super::entries::Snapshot;
use super::executable::{There, needs_others, tell as tell_whether_followed};
use super::export::keep_snapshot;
use super::kept::KeptFile;
use super::results::Told;
use super::slice::InHand;
use super::start::expiry;
use super::{ConfigurationError, file, secrets};
use crate::app::SharedApp;
use crate::imports::Fault;
use crate::journal::{Append, AppendError, CommandError, Context, Loaded, StreamId};

/// Objects of one append, and about how many bytes.
const SLICE: usize = 200;
const SLICE_BYTES: usize = 1 << 20;
/// Said of a job that didn't import everything (contracts §2.2).
const HALTED: &str = "Import halted because of errors. Download results for error details.";

/// An import at work.
pub(super) struct Import<'i> {
    pub(super) app: &'i SharedApp,
    pub(super) job: Uuid,
    pub(super) file: &'i Artifact,
    pub(super) options: &'i ImportOptions,
    pub(super) preview: bool,
    /// Of the job's stream since this worker took it up.
    pub(super) version: i64,
    pub(super) context: &'i Context,
}

/// Carries an import out, or says what it would do.
///
/// # Errors
/// What the journal, the tables or the disk said; then another attempt goes on where this one stopped.
pub(super) async fn import(import: Import<'_>) -> Result<(), ConfigurationError> {
    let Import { app, .. } = import;
    let mut found = Snapshot::take(&app.workers).await?;
    let mut backup = None;
    if !import.preview && !import.options.exclude_backup {
        backup = import.backup(&mut found).await?;
        if backup.is_none() {
            let reason = "The backup could not be made: nothing was imported".to_owned();
            return import.end(ConfigJobCommand::Fail { reason, result: None, objects: 0 }).await;
        }
    }
    let mut told = Told::new(file::spool(app).map_err(Fault::from)?);
    let (mut file, contents) = KeptFile::open(&app.workers, import.file).await?;
    for text in contents.broken {
        told.object("UNKNOWN", &[], &[], &[Message { key: FAILED, text }], None).map_err(Fault::from)?;
    }
    // What an attempt before this one renamed is meant by its old name, too.
    let before = changes(app, import.job).await?.into_iter().filter_map(|change| Some(change.before?.0));
    let known: Directory = before.chain(std::mem::take(&mut found.references)).collect();
    drop(found);
    let mut plan = Plan::new(contents.objects, import.options, &known);
    let places: Vec<usize> = plan.places().collect();
    for slice in slices(&plan, &file, &places) {
        for (at, document) in documents(&plan, &mut file, slice).await? {
            plan.refer(at, links(&document));
        }
    }
    drop(places);
    import.apply(&mut plan, &mut file, &mut told).await?;
    let (objects, is_whole) = (told.imported, told.is_whole);
    let mut spool = file::spool(app).map_err(Fault::from)?;
    told.finish(backup, &mut spool).map_err(Fault::from)?;
    let result = file::keep(app, spool).await?;
    let command = if is_whole {
        ConfigJobCommand::Complete { result, objects }
    } else {
        ConfigJobCommand::Fail { reason: HALTED.to_owned(), result: Some(result), objects }
    };
    import.end(command).await
}

/// Places in the plan, so many together as are held at once. A SOURCE is alone: it is an application as well.
fn slices<'s>(plan: &Plan<'_>, file: &KeptFile, mut places: &'s [usize]) -> Vec<&'s [usize]> {
    let mut slices = Vec::new();
    while !places.is_empty() {
        let mut bytes = 0;
        let fits = |at: &&usize| {
            bytes += file.size(plan.place_in_file(**at));
            bytes <= SLICE_BYTES && plan.called(**at).object_type() != Some(ObjectType::Source)
        };
        let (slice, rest) = places.split_at(places.iter().take(SLICE).take_while(fits).count().max(1));
        slices.push(slice);
        places = rest;
    }
    slices
}

/// Documents of objects of the plan, in the same order.
async fn documents(plan: &Plan<'_>, file: &mut KeptFile, slice: &[usize]) -> Result<Vec<(usize, Document)>, Fault> {
    let in_file: Vec<usize> = slice.iter().map(|at| plan.place_in_file(*at)).collect();
    let mut documents = file.documents(&in_file).await?;
    let documents = slice.iter().zip(in_file).filter_map(|(at, place)| Some((*at, documents.remove(&place)?)));
    Ok(documents.collect())
}

/// People that a file means, as it means them: by their ids, else by their names, if only one has it.
async fn known_people(app: &SharedApp, meant: &[Reference]) -> sqlx::Result<Directory> {
    if meant.is_empty() {
        return Ok(Directory::default());
    }
    let ids: Vec<Uuid> = meant.iter().filter_map(|person| Uuid::try_parse(&person.id).ok()).collect();
    // PostgreSQL can't be asked for a NUL.
    let names: Vec<String> =
        meant.iter().map(|person| person.name.clone()).filter(|name| !name.contains('\0')).collect();
    let by_id = identities::find_all(&app.workers, &ids).await?;
    let by_name: HashMap<String, Uuid> = identities::named(&app.workers, &names).await?.into_iter().collect();
    let known = |person: &Reference| {
        if Uuid::try_parse(&person.id).is_ok_and(|id| by_id.contains_key(&id)) {
            return Some(person.clone());
        }
        let id = by_name.get(&person.name)?;
        Some(Reference { id: id.to_string(), ..person.clone() })
    };
    Ok(meant.iter().filter_map(known).collect())
}

impl Import<'_> {
    /// Exports everything as the import found it; gives the job, unless that failed.
    async fn backup(&self, found: &mut Snapshot) -> Result<Option<Uuid>, ConfigurationError> {
        let id = ids::native(self.job, "backup", "");
        let selection = Selection::default();
        if config_jobs::find(&self.app.workers, id).await?.is_none() {
            let task = Task::Export { selection: selection.clone(), backup_of: Some(self.job) };
            let description = Some(format!("Backup before import {}", self.job));
            let command = ConfigJobCommand::Start { task, description, expires_at: expiry(self.app) };
            let (_, started) = Loaded::<ConfigJob>::new(&id)
                .decide(command, self.context.clone())
                .await
                .map_err(CommandError::from)?;
            match self.guarded(started).await {
                Ok(()) | Err(AppendError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        loop {
            let Some(row) = config_jobs::find(&self.app.workers, id).await? else {
                return Err(ConfigurationError::Interrupted);
            };
            if row.is_final() {
                return Ok((row.status == Status::Complete.as_str()).then_some(id));
            }
            let complete = keep_snapshot(self.app, &row, &selection, found).await?;
            let loaded = self.app.journal.load::<ConfigJob>(id).await.map_err(CommandError::from)?;
            // Another worker was faster: it is there as well.
            let Ok((_, append)) = loaded.decide(complete, self.context.clone()).await else { continue };
            match self.guarded(append).await {
                Ok(()) | Err(AppendError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Ends the job, if it is this worker's still.
    async fn end(&self, command: ConfigJobCommand) -> Result<(), ConfigurationError> {
        let (context, version) = (self.context.clone(), Some(self.version));
        self.app.journal.execute::<ConfigJob>(self.job, command, version, context).await?;
        Ok(())
    }

    /// Appends while the job is this worker's.
    pub(super) async fn guarded(&self, append: Option<Append>) -> Result<(), AppendError> {
        let Some(mut append) = append else { return Ok(()) };
        append.guards.push((StreamId::of::<ConfigJob>(&self.job), self.version));
        self.app.journal.append_bulk(append).await.map(drop)
    }

    /// Imports what can be, in order, and tells what became of each.
    async fn apply(&self, plan: &mut Plan<'_>, file: &mut KeptFile, told: &mut Told) -> Result<(), ConfigurationError> {
        let brought: HashSet<Uuid> = secrets::brought(&self.app.workers, self.job).await?.into_iter().collect();
        // Read when the first object needs it: most files have none.
        let (nothing, mut there) = (There::default(), None);
        let order = plan.in_order();
        for places in slices(plan, file, &order) {
            let mut slice = Vec::with_capacity(places.len());
            let documents = documents(plan, file, places).await?;
            let links: Vec<Vec<Link>> = documents.iter().map(|(_, document)| links(document)).collect();
            let people = known_people(self.app, &people(links.iter().flatten(), self.options)).await?;
            for ((at, document), links) in documents.into_iter().zip(links) {
                let resolved = plan.resolve(links, &people);
                let document = resolved.written(document);
                let target = plan.target(at);
                if there.is_none() && needs_others(target.object_type(), &document) {
                    there = Some(There::after(&self.app.workers, plan, file).await?);
                }
                let mut object = InHand { at, target, document, infos: resolved.infos, warnings: resolved.warnings };
                object.check(plan);
                if !plan.is_refused(at) {
                    let there = there.as_ref().unwrap_or(&nothing);
                    object.infos.extend(tell_whether_followed(&object.target, &object.document, there));
                }
                slice.push(object);
            }
            if !self.preview {
                self.import_slice(plan, &slice, &brought).await?;
            }
            for object in &mut slice {
                object.tell(told, plan, self.preview)?;
            }
        }
        Ok(())
    }
}
