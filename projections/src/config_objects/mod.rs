//! `config_objects`: configuration objects as they are now.

use std::collections::BTreeMap;

use aggregates::config_object::{ConfigObjectEvent as Event, Document, Reference};
use aggregates::{DomainEvent, Recorded};
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::{Applied, Apply, Projection};

pub(crate) const PROJECTION: Projection = Projection {
    name: "config_objects",
    version: 1,
    aggregate_types: &[aggregates::config_object::TYPE],
    tables: include_str!("tables.sql"),
    apply: Apply::Alone(apply),
};

/// An object.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns' comments say it")]
pub struct ConfigObjectRow {
    pub id: Uuid,
    #[sqlx(rename = "type")]
    pub kind: String,
    pub object_id: String,
    pub name: String,
    #[sqlx(try_from = "String")]
    pub document: Document,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
    pub updated_at: DateTime<Utc>,
    pub updated_by: String,
    pub job_id: Uuid,
    pub version: i64,
}

impl ConfigObjectRow {
    /// What files call it.
    pub fn reference(&self) -> Reference {
        Reference { kind: self.kind.clone(), id: self.object_id.clone(), name: self.name.clone() }
    }
}

/// What a batch makes of an object.
struct Patch<'b> {
    /// The event that made it, if that is in the batch.
    created: Option<&'b Recorded>,
    /// What was there before the batch is gone.
    is_replaced: bool,
    /// What it is then; `None` = gone.
    kept: Option<Kept<'b>>,
}

struct Kept<'b> {
    last: &'b Recorded,
    reference: &'b Reference,
    document: &'b Document,
    job_id: Uuid,
}

fn apply<'a>(connection: &'a mut PgConnection, batch: &'a [Recorded]) -> Applied<'a> {
    Box::pin(async move {
        let mut patches: BTreeMap<Uuid, Patch<'_>> = BTreeMap::new();
        for event in batch {
            let DomainEvent::ConfigObject(said) = &*event.event else { continue };
            let patch = patches.entry(event.id()).or_insert(Patch { created: None, is_replaced: false, kept: None });
            let kept = |reference, document, job_id: &Uuid| Kept { last: event, reference, document, job_id: *job_id };
            patch.kept = match said {
                Event::ConfigObjectCreated { reference, document, job_id } => {
                    (patch.created, patch.is_replaced) = (Some(event), true);
                    Some(kept(reference, document, job_id))
                }
                Event::ConfigObjectUpdated { reference, new, job_id, .. } => Some(kept(reference, new, job_id)),
                Event::ConfigObjectDeleted { .. } => {
                    (patch.created, patch.is_replaced) = (None, true);
                    None
                }
            };
        }
        store(connection, patches).await
    })
}

async fn store(connection: &mut PgConnection, patches: BTreeMap<Uuid, Patch<'_>>) -> sqlx::Result<()> {
    let replaced: Vec<Uuid> = patches.iter().filter(|(_, patch)| patch.is_replaced).map(|(id, _)| *id).collect();
    if !replaced.is_empty() {
        sqlx::query("DELETE FROM config_objects WHERE id = ANY ($1)").bind(replaced).execute(&mut *connection).await?;
    }
    let kept: Vec<(Uuid, Option<&Recorded>, Kept<'_>)> =
        patches.into_iter().filter_map(|(id, patch)| Some((id, patch.created, patch.kept?))).collect();
    let (created, updated): (Vec<_>, Vec<_>) = kept.into_iter().partition(|(_, created, _)| created.is_some());
    for (sql, rows) in [(UPDATE, updated), (INSERT, created)] {
        if rows.is_empty() {
            continue;
        }
        let all = || rows.iter();
        let made = || all().map(|(_, created, kept)| created.unwrap_or(kept.last));
        sqlx::query(sql)
            .bind(all().map(|(id, ..)| *id).collect::<Vec<_>>())
            .bind(all().map(|(.., kept)| kept.reference.kind.as_str()).collect::<Vec<_>>())
            .bind(all().map(|(.., kept)| kept.reference.id.as_str()).collect::<Vec<_>>())
            .bind(all().map(|(.., kept)| kept.reference.name.as_str()).collect::<Vec<_>>())
            .bind(all().map(|(.., kept)| kept.document.as_str()).collect::<Vec<_>>())
            .bind(made().map(|event| event.recorded_at).collect::<Vec<_>>())
            .bind(made().map(|event| event.actor.name.as_str()).collect::<Vec<_>>())
            .bind(all().map(|(.., kept)| kept.last.recorded_at).collect::<Vec<_>>())
            .bind(all().map(|(.., kept)| kept.last.actor.name.as_str()).collect::<Vec<_>>())
            .bind(all().map(|(.., kept)| kept.job_id).collect::<Vec<_>>())
            .bind(all().map(|(.., kept)| kept.last.sequence).collect::<Vec<_>>())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

const INSERT: &str = "INSERT INTO config_objects (id, type, object_id, name, document, created_at, created_by, updated_at,
                                                 updated_by, job_id, version)
    SELECT id, type, object_id, name, document, created_at, created_by, updated_at, updated_by, job_id, version
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::timestamptz[],
                $9::text[], $10::uuid[], $11::bigint[])
        AS u (id, type, object_id, name, document, created_at, created_by, updated_at, updated_by, job_id, version)";

const UPDATE: &str = "UPDATE config_objects AS o SET
        object_id = u.object_id, name = u.name, document = u.document, updated_at = u.updated_at,
        updated_by = u.updated_by, job_id = u.job_id, version = u.version
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::timestamptz[],
                $9::text[], $10::uuid[], $11::bigint[])
        AS u (id, type, object_id, name, document, created_at, created_by, updated_at, updated_by, job_id, version)
    WHERE o.id = u.id";

/// What all objects are called.
pub async fn references(executor: impl PgExecutor<'_>) -> sqlx::Result<Vec<Reference>> {
    let rows: Vec<(String, String, String)> =
        sqlx::query_as("SELECT type, object_id, name FROM config_objects").fetch_all(executor).await?;
    Ok(rows.into_iter().map(|(kind, id, name)| Reference { kind, id, name }).collect())
}

/// The objects with these ids.
pub async fn find_all(executor: impl PgExecutor<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<ConfigObjectRow>> {
    sqlx::query_as("SELECT * FROM config_objects WHERE id = ANY ($1)").bind(ids).fetch_all(executor).await
}

/// The objects of a type that have these names.
pub async fn named(executor: impl PgExecutor<'_>, kind: &str, names: &[&str]) -> sqlx::Result<Vec<ConfigObjectRow>> {
    sqlx::query_as("SELECT * FROM config_objects WHERE type = $1 AND name = ANY ($2) ORDER BY name COLLATE \"C\"")
        .bind(kind)
        .bind(names)
        .fetch_all(executor)
        .await
}

/// All objects of a type.
pub async fn of_type(executor: impl PgExecutor<'_>, kind: &str) -> sqlx::Result<Vec<ConfigObjectRow>> {
    sqlx::query_as("SELECT * FROM config_objects WHERE type = $1 ORDER BY name COLLATE \"C\"")
        .bind(kind)
        .fetch_all(executor)
        .await
}

/// The object of this stream, if it is there.
pub async fn find(executor: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<Option<ConfigObjectRow>> {
    sqlx::query_as("SELECT * FROM config_objects WHERE id = $1").bind(id).fetch_optional(executor).await
}

/// The streams of all objects of a type, with their versions.
pub async fn versions(executor: impl PgExecutor<'_>, kind: &str) -> sqlx::Result<Vec<(Uuid, i64)>> {
    sqlx::query_as("SELECT id, version FROM config_objects WHERE type = $1").bind(kind).fetch_all(executor).await
}
