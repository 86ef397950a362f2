//! What an import changed, told by its events, object by object.

use std::collections::BTreeMap;

use aggregates::application::source::{self, application_id};
use aggregates::application::{Application, Definition};
use aggregates::config_object::{ConfigObject, ConfigObjectEvent, Document, ObjectType, Reference};
use aggregates::{DomainEvent, Recorded};
use projections::config_objects;
use projections::events::{caused_by, of_streams};
use uuid::Uuid;

use super::ConfigurationError;
use super::streams::{folded, histories, unreadable};
use crate::app::SharedApp;
use crate::journal::CommandError;

/// A stream that an import appended to: how it was before and after.
#[derive(Debug, Clone)]
pub(super) struct Changed<A> {
    pub(super) id: Uuid,
    pub(super) before: A,
    pub(super) after: A,
    /// Its version after.
    pub(super) version: i64,
}

/// An object that an import changed.
#[derive(Debug, Clone)]
pub struct Change {
    /// What it was called, and its entry; `None` = it wasn't there.
    pub before: Option<(Reference, Document)>,
    /// What it is called, and its entry; `None` = it isn't there.
    pub after: Option<(Reference, Document)>,
    pub(super) object: Option<Changed<ConfigObject>>,
    pub(super) application: Option<Changed<Application>>,
}

impl Change {
    /// What it is called; of one that is gone, what it was.
    pub fn reference(&self) -> Option<&Reference> {
        self.after.as_ref().or(self.before.as_ref()).map(|(reference, _)| reference)
    }
}

/// What an import changed, in the order in which it did.
///
/// # Errors
/// The log can't be read.
pub async fn changes(app: &SharedApp, job: Uuid) -> Result<Vec<Change>, ConfigurationError> {
    let of_job = of_streams(&app.pool, aggregates::config_job::TYPE, &[job.to_string()]).await.map_err(unreadable)?;
    let Some((first, last)) = of_job.first().zip(of_job.last()) else { return Ok(Vec::new()) };
    let types = [aggregates::config_object::TYPE, aggregates::application::TYPE];
    let events = caused_by(&app.pool, first.position, last.position, &types).await.map_err(unreadable)?;
    let mut touched: BTreeMap<(&str, Uuid), (usize, &Recorded, &Recorded)> = BTreeMap::new();
    for (place, event) in events.iter().enumerate() {
        let key = (event.event.aggregate_type(), event.id());
        touched.entry(key).or_insert((place, event, event)).2 = event;
    }
    let mut found: Vec<(usize, Change)> = Vec::new();
    let mut sources: BTreeMap<Uuid, Changed<ConfigObject>> = BTreeMap::new();
    let objects = touched.keys().filter(|(kind, _)| *kind == aggregates::config_object::TYPE).map(|(_, id)| *id);
    let histories = histories(app, &objects.collect::<Vec<_>>()).await?;
    for ((kind, id), (place, first, last)) in &touched {
        if *kind != aggregates::config_object::TYPE {
            continue;
        }
        let history = histories.get(id).map(Vec::as_slice).unwrap_or_default();
        let changed = Changed {
            id: *id,
            before: folded(history, first.sequence - 1),
            after: folded(history, last.sequence),
            version: last.sequence,
        };
        let Some(reference) = named(&changed, first) else { continue };
        if reference.object_type() == Some(ObjectType::Source) {
            sources.insert(application_id(&reference.id), changed);
            continue;
        }
        let (before, after) = (changed.before.kept.clone(), changed.after.kept.clone());
        found.push((*place, Change { before, after, object: Some(changed), application: None }));
    }
    for ((kind, id), (place, first, last)) in &touched {
        if *kind != aggregates::application::TYPE {
            continue;
        }
        let changed = Changed {
            id: *id,
            before: application(app, *id, first.sequence - 1).await?,
            after: application(app, *id, last.sequence).await?,
            version: last.sequence,
        };
        found.push((*place, of_source(app, sources.remove(id), Some(changed), *id).await?));
    }
    for (id, changed) in sources {
        let place = touched.get(&(aggregates::config_object::TYPE, changed.id)).map_or(0, |(place, ..)| *place);
        found.push((place, of_source(app, Some(changed), None, id).await?));
    }
    found.sort_by_key(|(place, _)| *place);
    Ok(found.into_iter().map(|(_, change)| change).collect())
}

async fn application(app: &SharedApp, id: Uuid, version: i64) -> Result<Application, ConfigurationError> {
    Ok(app.journal.load_until::<Application>(id, version).await.map_err(CommandError::from)?.aggregate)
}

fn named(changed: &Changed<ConfigObject>, first: &Recorded) -> Option<Reference> {
    let kept = changed.after.kept.as_ref().or(changed.before.kept.as_ref()).map(|(reference, _)| reference.clone());
    kept.or_else(|| match &*first.event {
        DomainEvent::ConfigObject(ConfigObjectEvent::ConfigObjectCreated { reference, .. }) => Some(reference.clone()),
        _ => None,
    })
}

/// A SOURCE's change is its application's and that of what is kept beside it; what it didn't touch is as it is.
async fn of_source(
    app: &SharedApp,
    changed: Option<Changed<ConfigObject>>,
    changed_application: Option<Changed<Application>>,
    id: Uuid,
) -> Result<Change, ConfigurationError> {
    let untouched = match &changed_application {
        Some(_) => Application::default(),
        None => application(app, id, i64::MAX).await?,
    };
    let kept_untouched = match &changed {
        Some(_) => ConfigObject::default(),
        None => kept_beside(app, id).await?,
    };
    let (was, is) =
        changed_application.as_ref().map_or((&untouched, &untouched), |changed| (&changed.before, &changed.after));
    let (kept_was, kept_is) =
        changed.as_ref().map_or((&kept_untouched, &kept_untouched), |changed| (&changed.before, &changed.after));
    let entry = |application: &Application, object: &ConfigObject| {
        let definition = application.definition.as_ref()?;
        let id = object.kept.as_ref().map_or_else(|| id.to_string(), |(reference, _)| reference.id.clone());
        let reference = Reference { kind: ObjectType::Source.as_str().to_owned(), id, name: definition.name.clone() };
        let definition = Definition { correlation: Some(definition.correlation()), ..definition.clone() };
        let kept = object.kept.as_ref().map(|(_, document)| document);
        Some((reference, source::entry(&definition, application.schedule.as_ref(), kept)))
    };
    let (before, after) = (entry(was, kept_was), entry(is, kept_is));
    Ok(Change { before, after, object: changed, application: changed_application })
}

/// What is kept beside an application, whatever files call it.
async fn kept_beside(app: &SharedApp, application: Uuid) -> Result<ConfigObject, ConfigurationError> {
    let rows = config_objects::of_type(&app.pool, ObjectType::Source.as_str()).await?;
    let found = rows.into_iter().find(|row| application_id(&row.object_id) == application);
    Ok(ConfigObject { kept: found.map(|row| (row.reference(), row.document)) })
}
