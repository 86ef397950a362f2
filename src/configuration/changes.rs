//! What an import changed, told by its events, object by object.

use std::collections::BTreeMap;

use aggregates::application::{Application, Definition, source};
use aggregates::config_object::{ConfigObject, ConfigObjectEvent, Document, ObjectType, Reference, stream};
use aggregates::{DomainEvent, Recorded};
use projections::events::{ReadError, caused_by, of_streams};
use uuid::Uuid;

use super::ConfigurationError;
use super::entries::application_id;
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
    /// Of one that is gone, as it was.
    pub reference: Reference,
    /// Its entry; `None` = it wasn't there.
    pub before: Option<Document>,
    /// Its entry; `None` = it isn't there.
    pub after: Option<Document>,
    pub(super) object: Option<Changed<ConfigObject>>,
    pub(super) application: Option<Changed<Application>>,
}

/// What an import changed, in the order in which it did.
///
/// # Errors
/// The log can't be read.
pub async fn changes(app: &SharedApp, job: Uuid) -> Result<Vec<Change>, ConfigurationError> {
    let unreadable = |error: ReadError| match error {
        ReadError::Database(error) => ConfigurationError::Database(error),
        other @ ReadError::Event { .. } => ConfigurationError::Database(sqlx::Error::Decode(other.into())),
    };
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
    for ((kind, id), (place, first, last)) in &touched {
        if *kind != aggregates::config_object::TYPE {
            continue;
        }
        let changed = Changed {
            id: *id,
            before: at::<ConfigObject>(app, *id, first.sequence - 1).await?,
            after: at(app, *id, last.sequence).await?,
            version: last.sequence,
        };
        let Some(reference) = named(&changed, first) else { continue };
        if reference.object_type() == Some(ObjectType::Source) {
            sources.insert(application_id(&reference.id), changed);
            continue;
        }
        let document = |object: &ConfigObject| object.kept.as_ref().map(|(_, document)| document.clone());
        let (before, after) = (document(&changed.before), document(&changed.after));
        found.push((*place, Change { reference, before, after, object: Some(changed), application: None }));
    }
    for ((kind, id), (place, first, last)) in &touched {
        if *kind != aggregates::application::TYPE {
            continue;
        }
        let changed = Changed {
            id: *id,
            before: at::<Application>(app, *id, first.sequence - 1).await?,
            after: at(app, *id, last.sequence).await?,
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

async fn at<A: aggregates::Stream>(app: &SharedApp, id: Uuid, version: i64) -> Result<A, ConfigurationError> {
    Ok(app.journal.load_until::<A>(id, version).await.map_err(CommandError::from)?.aggregate)
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
    object: Option<Changed<ConfigObject>>,
    application: Option<Changed<Application>>,
    id: Uuid,
) -> Result<Change, ConfigurationError> {
    let untouched: Application = match &application {
        Some(_) => Application::default(),
        None => at(app, id, i64::MAX).await?,
    };
    let kept_untouched = match &object {
        Some(_) => ConfigObject::default(),
        None => at(app, stream(ObjectType::Source, &id.to_string()), i64::MAX).await?,
    };
    let (was, is) = application.as_ref().map_or((&untouched, &untouched), |changed| (&changed.before, &changed.after));
    let (kept_was, kept_is) =
        object.as_ref().map_or((&kept_untouched, &kept_untouched), |changed| (&changed.before, &changed.after));
    let entry = |application: &Application, object: &ConfigObject| {
        let definition = application.definition.as_ref()?;
        let definition = Definition { correlation: Some(definition.correlation()), ..definition.clone() };
        let kept = object.kept.as_ref().map(|(_, document)| document);
        Some(source::entry(&definition, application.schedule.as_ref(), kept))
    };
    let name = is.definition.as_ref().or(was.definition.as_ref()).map(|definition| definition.name.clone());
    let kept = kept_is.kept.as_ref().or(kept_was.kept.as_ref());
    let reference = Reference {
        kind: ObjectType::Source.as_str().to_owned(),
        id: kept.map_or_else(|| id.to_string(), |(reference, _)| reference.id.clone()),
        name: name.unwrap_or_default(),
    };
    let (before, after) = (entry(was, kept_was), entry(is, kept_is));
    Ok(Change { reference, before, after, object, application })
}
