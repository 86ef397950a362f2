//! Imports: a file's objects are planned as a whole and imported slice by slice, so that one that can't be costs no other.

use std::collections::{HashMap, HashSet};

use aggregates::application::source::{self, application_id};
use aggregates::application::{Application, ApplicationCommand};
use aggregates::config_job::plan::{Directory, FAILED, Planned, failed, not_imported, people, plan};
use aggregates::config_job::{Artifact, ConfigJob, ConfigJobCommand, ImportOptions, Selection, Status, Task};
use aggregates::config_object::{ConfigObject, ConfigObjectCommand, Document, ObjectType, Reference, stream};
use aggregates::ids;
use projections::{config_jobs, identities};
use uuid::Uuid;

use super::changes::changes;
use super::entries::{Entry, Snapshot, entries};
use super::executable::{There, needs_others, tell as tell_whether_followed};
use super::export::keep_snapshot;
use super::kept::KeptFile;
use super::results::ResultMessage;
use super::start::expiry;
use super::{ConfigurationError, JobResults, file, secrets, streams};
use crate::app::SharedApp;
use crate::imports::{Fault, schedule};
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

/// Objects of an append: their places in the plan, and what they will say.
type Slice = Vec<(usize, Document)>;

/// Carries an import out, or says what it would do.
///
/// # Errors
/// What the journal, the tables or the disk said; then another attempt goes on where this one stopped.
pub(super) async fn import(import: Import<'_>) -> Result<(), ConfigurationError> {
    let Import { app, .. } = import;
    let mut results = JobResults::default();
    let mut found = Snapshot::take(&app.pool).await?;
    if !import.preview && !import.options.exclude_backup {
        let Some(backup) = import.backup(&mut found).await? else {
            let reason = "The backup could not be made: nothing was imported".to_owned();
            return import.end(ConfigJobCommand::Fail { reason, result: None, objects: 0 }).await;
        };
        results.export_job_id = Some(backup);
    }
    let (mut file, objects, broken) = KeptFile::open(&app.pool, import.file).await?;
    for reason in broken {
        results.of("UNKNOWN").errors.push(ResultMessage::new(FAILED, reason));
    }
    let mut directory = Directory::default();
    // What an attempt before this one renamed is meant by its old name, too.
    for (before, _) in changes(app, import.job).await?.into_iter().filter_map(|change| change.before) {
        directory.add(&before);
    }
    found.references.iter().for_each(|reference| directory.add(reference));
    drop(found);
    for person in known_people(app, &people(&objects, import.options)).await? {
        directory.add(&person);
    }
    let mut planned = plan(objects, import.options, &directory);
    drop(directory);
    let done = import.apply(&mut planned, &mut file).await?;
    let objects = done.len() as u64;
    tell(&mut results, planned, &done, import.preview);
    let is_whole = results.results.values().all(|of_type| of_type.errors.is_empty());
    let mut spool = file::spool(app).map_err(Fault::from)?;
    serde_json::to_writer(&mut spool, &results).map_err(std::io::Error::from).map_err(Fault::from)?;
    let result = file::keep(app, spool).await?;
    let command = if is_whole {
        ConfigJobCommand::Complete { result, objects }
    } else {
        ConfigJobCommand::Fail { reason: HALTED.to_owned(), result: Some(result), objects }
    };
    import.end(command).await
}

/// Puts what became of each object into the results.
fn tell(results: &mut JobResults, planned: Vec<Planned>, done: &HashSet<usize>, preview: bool) {
    for (place, object) in planned.into_iter().enumerate() {
        let of_type = results.of(&object.reference.kind);
        of_type.infos.extend(object.infos.into_iter().map(Into::into));
        of_type.warnings.extend(object.warnings.into_iter().map(Into::into));
        if preview && object.errors.is_empty() {
            let text = format!("Object to be imported: [{}, {}]", object.target.id, object.target.name);
            of_type.infos.push(ResultMessage::new("IMPORT_PREVIEW", text));
        }
        of_type.errors.extend(object.errors.into_iter().map(Into::into));
        if done.contains(&place) {
            of_type.imported_objects.push(object.target);
        }
    }
}

/// People that a file means, as it means them: by their ids, else by their names, if only one has it.
async fn known_people(app: &SharedApp, meant: &[Reference]) -> sqlx::Result<Vec<Reference>> {
    let ids: Vec<Uuid> = meant.iter().filter_map(|person| Uuid::try_parse(&person.id).ok()).collect();
    // PostgreSQL can't be asked for a NUL.
    let names: Vec<String> =
        meant.iter().map(|person| person.name.clone()).filter(|name| !name.contains('\0')).collect();
    let by_id = identities::find_all(&app.pool, &ids).await?;
    let by_name: HashMap<String, Uuid> = identities::named(&app.pool, &names).await?.into_iter().collect();
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
        if config_jobs::find(&self.app.pool, id).await?.is_none() {
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
            let Some(row) = config_jobs::find(&self.app.pool, id).await? else {
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
    async fn guarded(&self, append: Option<Append>) -> Result<(), AppendError> {
        let Some(mut append) = append else { return Ok(()) };
        append.guards.push((StreamId::of::<ConfigJob>(&self.job), self.version));
        self.app.journal.append_bulk(append).await.map(drop)
    }

    /// Imports what can be, in order; gives the places in the plan of what is so now. Notes errors in the plan.
    async fn apply(&self, planned: &mut [Planned], file: &mut KeptFile) -> Result<HashSet<usize>, ConfigurationError> {
        let brought: HashSet<Uuid> = secrets::brought(&self.app.pool, self.job).await?.into_iter().collect();
        let mut done = HashSet::new();
        // Read when the first object needs it: most files have none.
        let (nothing, mut there) = (There::default(), None);
        let mut next = 0;
        while next < planned.len() {
            let places = next..end_of_slice(planned, file, next);
            next = places.end;
            let in_file: Vec<usize> = planned[places.clone()].iter().map(|object| object.place).collect();
            let mut documents = file.documents(&in_file).await?;
            let mut slice: Slice = Vec::with_capacity(in_file.len());
            for place in places {
                let Some(document) = documents.remove(&planned[place].place) else { continue };
                let document = planned[place].written(document);
                if there.is_none() && needs_others(planned[place].target.object_type(), &document) {
                    there = Some(There::after(&self.app.pool, planned, file).await?);
                }
                check(planned, place, &document);
                if planned[place].errors.is_empty() {
                    tell_whether_followed(&mut planned[place], &document, there.as_ref().unwrap_or(&nothing));
                }
                if planned[place].errors.is_empty() && !self.preview {
                    slice.push((place, document));
                }
            }
            self.import_slice(planned, &slice, &mut done).await?;
            self.take_secrets(planned, &slice, &brought).await?;
        }
        Ok(done)
    }

    async fn import_slice(
        &self,
        planned: &mut [Planned],
        slice: &Slice,
        done: &mut HashSet<usize>,
    ) -> Result<(), ConfigurationError> {
        let targets: Vec<Reference> = slice.iter().map(|(place, _)| planned[*place].target.clone()).collect();
        let known = entries(&mut *self.app.pool.acquire().await?, &targets).await?;
        let known: HashMap<(&str, &str), &Entry> =
            known.iter().map(|entry| ((&*entry.reference.kind, &*entry.reference.id), entry)).collect();
        let mut together: Option<Append> = None;
        let mut alone: &[(usize, Document)] = &[];
        for (place, document) in slice {
            let target = &planned[*place].target;
            let entry = known.get(&(&*target.kind, &*target.id));
            if entry.is_some_and(|entry| entry.reference == *target && entry.document == *document) {
                continue;
            }
            let Some(kind) = target.object_type().filter(|kind| *kind != ObjectType::Source) else {
                alone = slice;
                continue;
            };
            let id = stream(kind, &target.id);
            let loaded = match entry.and_then(|entry| Some((entry, entry.kept.clone()?))) {
                Some((entry, (document, version))) => {
                    Loaded::at(&id, ConfigObject { kept: Some((entry.reference.clone(), document)) }, version)
                }
                None => Loaded::new(&id),
            };
            match loaded.decide(self.put(target, document), self.context.clone()).await {
                Ok((_, append)) => together = Append::both(together, append),
                Err(_) => alone = slice,
            }
        }
        if alone.is_empty() {
            match self.guarded(together).await {
                Ok(()) => {}
                // Somebody changed one of them meanwhile, or a name is another's: each alone, so that the others are imported.
                Err(AppendError::Conflict { .. } | AppendError::ClaimTaken { .. }) => alone = slice,
                Err(error) => return Err(error.into()),
            }
        }
        for (place, document) in alone {
            check(planned, *place, document);
            if !planned[*place].errors.is_empty() {
                continue;
            }
            if let Err(reason) = self.import_alone(&planned[*place].target, document).await? {
                let message = failed(&planned[*place].reference, &reason);
                planned[*place].errors.push(message);
            }
        }
        let places = slice.iter().map(|(place, _)| *place);
        done.extend(places.filter(|place| planned[*place].errors.is_empty()));
        Ok(())
    }

    /// The secrets that came for objects of a slice are theirs now.
    async fn take_secrets(
        &self,
        planned: &[Planned],
        slice: &Slice,
        brought: &HashSet<Uuid>,
    ) -> Result<(), ConfigurationError> {
        for (place, _) in slice {
            let Planned { reference, target, errors, .. } = &planned[*place];
            let Some(kind) = target.object_type().filter(|_| errors.is_empty()) else { continue };
            let (from, to) = (stream(kind, &reference.id), stream(kind, &target.id));
            if brought.contains(&from) {
                secrets::take(&self.app.pool, self.job, from, to).await?;
            }
        }
        Ok(())
    }

    fn put(&self, target: &Reference, document: &Document) -> ConfigObjectCommand {
        ConfigObjectCommand::Put { reference: target.clone(), document: document.clone(), job_id: self.job }
    }

    /// Imports one object; the inner error is why it can't be, in words.
    async fn import_alone(
        &self,
        target: &Reference,
        document: &Document,
    ) -> Result<Result<(), String>, ConfigurationError> {
        let journal = &self.app.journal;
        let Some(kind) = target.object_type() else { return Ok(Err(ObjectType::unknown(&target.kind))) };
        loop {
            let kept = streams::object(self.app, stream(kind, &target.id), i64::MAX).await?;
            let kept = kept.decide(self.put(target, document), self.context.clone()).await;
            let mut append = match kept {
                Ok((_, append)) => append,
                Err(refusal) => return Ok(Err(words(&refusal))),
            };
            if kind == ObjectType::Source {
                let (definition, schedule) = match source::read(target, document) {
                    Ok(read) => read,
                    Err(reason) => return Ok(Err(reason)),
                };
                let id = application_id(&target.id);
                let application = journal.load::<Application>(id).await.map_err(CommandError::from)?;
                let exists = application.aggregate.definition.is_some();
                let define = if exists {
                    ApplicationCommand::Update(definition)
                } else {
                    ApplicationCommand::Create(definition)
                };
                let commands = [Some(define), schedule.map(ApplicationCommand::SetImportSchedule)];
                match application.decide_all(commands.into_iter().flatten().collect(), self.context.clone()).await {
                    Ok((_, more)) => append = Append::both(append, more),
                    Err(refusal) => return Ok(Err(words(&refusal))),
                }
            }
            match self.guarded(append).await {
                Ok(()) => return Ok(Ok(())),
                Err(AppendError::Conflict { .. }) => {}
                Err(AppendError::ClaimTaken { .. }) => {
                    return Ok(Err("another object has its name, or is the only one that there can be".to_owned()));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Where the slice that begins here ends. A SOURCE is imported alone: it is an application as well.
fn end_of_slice(planned: &[Planned], file: &KeptFile, begin: usize) -> usize {
    let is_source = |object: &Planned| object.target.object_type() == Some(ObjectType::Source);
    let mut bytes = 0;
    let fits = |object: &&Planned| {
        bytes += file.size(object.place);
        bytes <= SLICE_BYTES && !is_source(object)
    };
    begin + planned[begin..].iter().take(SLICE).take_while(fits).count().max(1)
}

/// Notes why an object can't be imported: something that it needs can't be, or it is no application.
fn check(planned: &mut [Planned], place: usize, document: &Document) {
    let object = &planned[place];
    if !object.errors.is_empty() {
        return;
    }
    let missing = object.needs.iter().find(|need| !planned[**need].errors.is_empty());
    let reason = match missing {
        Some(need) => Some(not_imported(&planned[*need].reference)),
        None => storable(&object.target, document).err(),
    };
    if let Some(reason) = reason {
        let message = failed(&planned[place].reference, &reason);
        planned[place].errors.push(message);
    }
}

/// Would the object's rules take it, and can a SOURCE be an application?
fn storable(target: &Reference, document: &Document) -> Result<(), String> {
    let put = ConfigObjectCommand::Put { reference: target.clone(), document: document.clone(), job_id: Uuid::nil() };
    ConfigObject::default().decide(put).map_err(|refusal| words(&refusal))?;
    if target.object_type() != Some(ObjectType::Source) {
        return Ok(());
    }
    let (definition, schedule) = source::read(target, document)?;
    let mut violations = definition.violations();
    if let Some(schedule) = &schedule {
        violations.extend(schedule.violations(&definition));
        violations.extend(schedule::violations(schedule));
    }
    if violations.is_empty() { Ok(()) } else { Err(words(&aggregates::Refusal::Invalid(violations))) }
}

fn words(refusal: &aggregates::Refusal) -> String {
    match refusal {
        aggregates::Refusal::Invalid(violations) => {
            let all: Vec<String> =
                violations.iter().map(|found| format!("{}: {}", found.field, found.message)).collect();
            all.join("; ")
        }
        other => other.to_string(),
    }
}
