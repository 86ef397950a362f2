//! What there is: the objects of the tables, and applications as SOURCEs beside what is kept of them.

use std::collections::HashMap;

use aggregates::application::source::{self, application_id};
use aggregates::config_object::{Document, ObjectType, Reference, stream};
use projections::{applications, config_objects};
use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use uuid::Uuid;

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

/// Everything that there is at one moment.
pub(super) struct Snapshot {
    transaction: Transaction<'static, Postgres>,
    /// In the order in which files list objects: by type, name and id.
    pub(super) references: Vec<Reference>,
}

impl Snapshot {
    /// What there is now.
    pub(super) async fn take(pool: &PgPool) -> sqlx::Result<Self> {
        let mut transaction = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let mut references = config_objects::references(&mut *transaction).await?;
        let of_source = |reference: &mut Reference| reference.kind == ObjectType::Source.as_str();
        let kept: HashMap<Uuid, String> = references
            .extract_if(.., of_source)
            .map(|reference| (application_id(&reference.id), reference.id))
            .collect();
        for (id, name) in applications::names(&mut *transaction).await? {
            let id = kept.get(&id).cloned().unwrap_or_else(|| id.to_string());
            references.push(Reference { kind: ObjectType::Source.as_str().to_owned(), id, name });
        }
        references.sort_by(|a, b| (&a.kind, &a.name, &a.id).cmp(&(&b.kind, &b.name, &b.id)));
        Ok(Self { transaction, references })
    }

    /// Those of these objects that there are, as of that moment.
    pub(super) async fn entries(&mut self, wanted: &[Reference]) -> sqlx::Result<Vec<Entry>> {
        entries(&mut self.transaction, wanted).await
    }
}

/// Those of these objects that there are, in the same order. They are found by type and id.
pub(super) async fn entries(connection: &mut PgConnection, wanted: &[Reference]) -> sqlx::Result<Vec<Entry>> {
    let id_of = |reference: &Reference| reference.object_type().map(|kind| stream(kind, &reference.id));
    let ids: Vec<Uuid> = wanted.iter().filter_map(id_of).collect();
    let rows = config_objects::find_all(&mut *connection, &ids).await?;
    let mut objects: HashMap<Uuid, _> = rows.into_iter().map(|row| (row.id, row)).collect();
    let is_source = |reference: &&Reference| reference.object_type() == Some(ObjectType::Source);
    let sources: Vec<Uuid> = wanted.iter().filter(is_source).map(|source| application_id(&source.id)).collect();
    let applications =
        if sources.is_empty() { HashMap::new() } else { applications::find_all(&mut *connection, &sources).await? };
    let entry = |reference: &Reference| {
        let object = objects.remove(&id_of(reference)?);
        if !is_source(&reference) {
            let object = object?;
            let kept = Some((object.document.clone(), object.version));
            return Some(Entry { reference: object.reference(), document: object.document, kept });
        }
        let row = applications.get(&application_id(&reference.id)).filter(|row| !row.is_archived)?;
        let schedule = row.import_schedule.as_ref().map(|schedule| &schedule.0);
        let kept = object.map(|object| (object.document, object.version));
        let document = source::entry(&row.definition(), schedule, kept.as_ref().map(|(document, _)| document));
        Some(Entry { reference: Reference { name: row.name.clone(), ..reference.clone() }, document, kept })
    };
    Ok(wanted.iter().filter_map(entry).collect())
}
