//! Objects of an import that are imported in one append: those that can't be cost the others nothing.

use std::collections::{HashMap, HashSet};

use aggregates::application::source::{self, application_id};
use aggregates::application::{Application, ApplicationCommand};
use aggregates::config_job::plan::{Message, Plan};
use aggregates::config_object::{ConfigObject, ConfigObjectCommand, Document, ObjectType, Reference, stream};
use uuid::Uuid;

use super::entries::{Entry, entries};
use super::import::Import;
use super::results::Told;
use super::{ConfigurationError, secrets, streams};
use crate::imports::{Fault, schedule};
use crate::journal::{Append, AppendError, CommandError, Loaded};

/// An object in hand.
pub(super) struct InHand {
    /// Its place in the plan.
    pub(super) at: usize,
    /// What it will be called.
    pub(super) target: Reference,
    /// What it will say.
    pub(super) document: Document,
    /// How its references were resolved, and what of it has no effect.
    pub(super) infos: Vec<Message>,
    /// What couldn't be resolved and may stay so.
    pub(super) warnings: Vec<Message>,
}

impl InHand {
    /// Notes in the plan if it can't be imported: something that it needs can't be, or it is no application.
    pub(super) fn check(&self, plan: &mut Plan<'_>) {
        plan.refuse_if_needed_is(self.at);
        if !plan.is_refused(self.at)
            && let Err(reason) = storable(&self.target, &self.document)
        {
            plan.refuse(self.at, &reason);
        }
    }

    /// Tells what became of it.
    pub(super) fn tell(&mut self, told: &mut Told, plan: &Plan<'_>, preview: bool) -> Result<(), Fault> {
        let is_refused = plan.is_refused(self.at);
        if preview && !is_refused {
            let text = format!("Object to be imported: [{}, {}]", self.target.id, self.target.name);
            self.infos.push(Message { key: "IMPORT_PREVIEW", text });
        }
        let imported = Some(&self.target).filter(|_| !is_refused && !preview);
        told.object(&self.target.kind, &self.infos, &self.warnings, plan.errors(self.at), imported)?;
        Ok(())
    }
}

impl Import<'_> {
    /// Imports those that can be, in their order. Notes in the plan which can't.
    pub(super) async fn import_slice(
        &self,
        plan: &mut Plan<'_>,
        slice: &[InHand],
        brought: &HashSet<Uuid>,
    ) -> Result<(), ConfigurationError> {
        let slice: Vec<&InHand> = slice.iter().filter(|object| !plan.is_refused(object.at)).collect();
        let targets: Vec<Reference> = slice.iter().map(|object| object.target.clone()).collect();
        let known = entries(&mut *self.app.workers.acquire().await?, &targets).await?;
        let known: HashMap<(&str, &str), &Entry> =
            known.iter().map(|entry| ((&*entry.reference.kind, &*entry.reference.id), entry)).collect();
        let mut together: Option<Append> = None;
        let mut alone: &[&InHand] = &[];
        for InHand { target, document, .. } in &slice {
            let entry = known.get(&(&*target.kind, &*target.id));
            if entry.is_some_and(|entry| entry.reference == *target && entry.document == *document) {
                continue;
            }
            let Some(kind) = target.object_type().filter(|kind| *kind != ObjectType::Source) else {
                alone = &slice;
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
                Err(_) => alone = &slice,
            }
        }
        if alone.is_empty() {
            match self.guarded(together).await {
                Ok(()) => {}
                // Somebody changed one of them meanwhile, or a name is another's: each alone, so that the others are imported.
                Err(AppendError::Conflict { .. } | AppendError::ClaimTaken { .. }) => alone = &slice,
                Err(error) => return Err(error.into()),
            }
        }
        for object in alone {
            // One before it in this slice may have been refused.
            object.check(plan);
            if !plan.is_refused(object.at)
                && let Err(reason) = self.import_alone(&object.target, &object.document).await?
            {
                plan.refuse(object.at, &reason);
            }
        }
        self.take_secrets(plan, &slice, brought).await
    }

    /// The secrets that came for objects of a slice are theirs now.
    async fn take_secrets(
        &self,
        plan: &Plan<'_>,
        slice: &[&InHand],
        brought: &HashSet<Uuid>,
    ) -> Result<(), ConfigurationError> {
        let imported = slice.iter().filter_map(|InHand { at, target, .. }| {
            let kind = target.object_type().filter(|_| !plan.is_refused(*at))?;
            Some((stream(kind, &plan.called(*at).id), stream(kind, &target.id)))
        });
        let imported: Vec<_> = imported.filter(|(from, _)| brought.contains(from)).collect();
        Ok(secrets::take(&self.app.workers, self.job, &imported).await?)
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
