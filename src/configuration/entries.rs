//! The configuration as it is: every object with its entry, applications among them.

use std::collections::HashMap;

use aggregates::application::source::{self, application_id};
use aggregates::config_object::{Document, ObjectType, Reference};
use projections::{applications, config_objects};
use sqlx::PgPool;

/// An object as a file would have it.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// `self`.
    pub(super) reference: Reference,
    /// The rest.
    pub(super) document: Document,
    /// What the stream holds and its version; `None` of an application that never came in a file.
    pub(super) kept: Option<(Document, i64)>,
}

/// All objects of one moment, in the order in which files list them: by type, name and id.
pub(super) async fn all(pool: &PgPool) -> sqlx::Result<Vec<Entry>> {
    let mut snapshot = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let objects = config_objects::all(&mut *snapshot).await?;
    let applications = applications::all(&mut *snapshot).await?;
    snapshot.commit().await?;
    let mut sources = HashMap::new();
    let mut entries = Vec::with_capacity(objects.len() + applications.len());
    for object in objects {
        if object.kind == ObjectType::Source.as_str() {
            sources.insert(application_id(&object.object_id), object);
        } else {
            let (reference, document) = (object.reference(), object.document);
            entries.push(Entry { reference, kept: Some((document.clone(), object.version)), document });
        }
    }
    for row in applications {
        let object = sources.remove(&row.id);
        let id = object.as_ref().map_or_else(|| row.id.to_string(), |object| object.object_id.clone());
        let reference = Reference { kind: ObjectType::Source.as_str().to_owned(), id, name: row.name.clone() };
        let schedule = row.import_schedule.as_ref().map(|schedule| &schedule.0);
        let kept = object.map(|object| (object.document, object.version));
        let document = source::entry(&row.definition(), schedule, kept.as_ref().map(|(document, _)| document));
        entries.push(Entry { reference, document, kept });
    }
    let key = |entry: &Entry| {
        let Reference { kind, id, name } = entry.reference.clone();
        (kind, name, id)
    };
    entries.sort_by_cached_key(key);
    Ok(entries)
}
