//! `applications`: what is governed.

mod queries;

use std::collections::BTreeMap;

use aggregates::application::{ApplicationEvent, Definition, ImportSchedule};
use aggregates::{DomainEvent, Recorded};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

pub use queries::{ApplicationRow, LastImport, find, find_all, list};

use crate::versions::json;
use crate::{Applied, Projection};

pub(crate) const PROJECTION: Projection = Projection {
    name: "applications",
    version: 1,
    aggregate_types: &[aggregates::application::TYPE],
    tables: include_str!("tables.sql"),
    apply,
};

/// What a batch does to an application.
#[derive(Default)]
struct Update<'a> {
    definition: Option<&'a Definition>,
    schedule: Option<&'a ImportSchedule>,
    archived: bool,
    at: DateTime<Utc>,
    version: i64,
}

fn apply<'a>(connection: &'a mut PgConnection, batch: &'a [Recorded]) -> Applied<'a> {
    Box::pin(async move {
        let mut created: BTreeMap<Uuid, &Recorded> = BTreeMap::new();
        let mut updates: BTreeMap<Uuid, Update> = BTreeMap::new();
        for event in batch {
            let DomainEvent::Application(application) = &event.event else {
                continue;
            };
            let update = updates.entry(event.id()).or_default();
            update.at = event.recorded_at;
            update.version = event.sequence;
            match application {
                ApplicationEvent::ApplicationCreated { definition } => {
                    created.insert(event.id(), event);
                    update.definition = Some(definition);
                }
                ApplicationEvent::ApplicationUpdated { definition } => update.definition = Some(definition),
                ApplicationEvent::ApplicationArchived {} => update.archived = true,
                ApplicationEvent::ImportScheduleSet { schedule } => update.schedule = Some(schedule),
            }
        }
        let new = created.into_iter().filter_map(|(id, event)| Some((id, event, updates.remove(&id)?))).collect();
        insert(connection, new).await?;
        write_updates(connection, updates).await
    })
}

/// Writes applications that the batch made, as they are at its end. With arrays: a command waits for this.
async fn insert(connection: &mut PgConnection, new: Vec<(Uuid, &Recorded, Update<'_>)>) -> sqlx::Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    let (mut ids, mut definitions, mut correlations) = (Vec::new(), Vec::new(), Vec::new());
    let (mut schedules, mut archived, mut versions) = (Vec::new(), Vec::new(), Vec::new());
    let (mut created_at, mut created_by, mut updated_at) = (Vec::new(), Vec::new(), Vec::new());
    for (id, event, update) in new {
        let Some(definition) = update.definition else { continue };
        ids.push(id);
        definitions.push(json(definition)?);
        correlations.push(json(&definition.correlation())?);
        schedules.push(update.schedule.map(json).transpose()?);
        archived.push(update.archived);
        versions.push(update.version);
        created_at.push(event.recorded_at);
        created_by.push(event.actor.name.as_str());
        updated_at.push(update.at);
    }
    sqlx::query(
        "INSERT INTO applications (id, name, priority, description, is_identity_source, removal_limit, is_archived, connector,
                                   correlation, import_schedule, created_at, created_by, last_updated_at, version)
         SELECT id, d ->> 'name', d ->> 'priority', d ->> 'description', (d ->> 'isIdentitySource')::boolean,
                (d ->> 'removalLimit')::int, archived, d -> 'connector', correlation, schedule, created_at, created_by,
                updated_at, version
         FROM unnest($1::uuid[], $2::jsonb[], $3::jsonb[], $4::jsonb[], $5::boolean[], $6::bigint[], $7::timestamptz[],
                     $8::text[], $9::timestamptz[])
             AS u (id, d, correlation, schedule, archived, version, created_at, created_by, updated_at)",
    )
    .bind(ids)
    .bind(definitions)
    .bind(correlations)
    .bind(schedules)
    .bind(archived)
    .bind(versions)
    .bind(created_at)
    .bind(created_by)
    .bind(updated_at)
    .execute(connection)
    .await?;
    Ok(())
}

async fn write_updates(connection: &mut PgConnection, updates: BTreeMap<Uuid, Update<'_>>) -> sqlx::Result<()> {
    if updates.is_empty() {
        return Ok(());
    }
    let mut ids = Vec::with_capacity(updates.len());
    let mut definitions = Vec::with_capacity(updates.len());
    let mut correlations = Vec::with_capacity(updates.len());
    let mut schedules = Vec::with_capacity(updates.len());
    let mut archived = Vec::with_capacity(updates.len());
    let mut times = Vec::with_capacity(updates.len());
    let mut stream_versions = Vec::with_capacity(updates.len());
    for (id, update) in updates {
        ids.push(id);
        definitions.push(update.definition.map(json).transpose()?);
        correlations.push(update.definition.map(|definition| json(&definition.correlation())).transpose()?);
        schedules.push(update.schedule.map(json).transpose()?);
        archived.push(update.archived);
        times.push(update.at);
        stream_versions.push(update.version);
    }
    sqlx::query(
        "UPDATE applications AS a SET
             name = coalesce(u.definition ->> 'name', a.name),
             priority = coalesce(u.definition ->> 'priority', a.priority),
             description = CASE WHEN u.definition IS NULL THEN a.description ELSE u.definition ->> 'description' END,
             is_identity_source = coalesce((u.definition ->> 'isIdentitySource')::boolean, a.is_identity_source),
             removal_limit = coalesce((u.definition ->> 'removalLimit')::int, a.removal_limit),
             connector = coalesce(u.definition -> 'connector', a.connector),
             correlation = coalesce(u.correlation, a.correlation),
             import_schedule = coalesce(u.schedule, a.import_schedule),
             is_archived = a.is_archived OR u.archived,
             last_updated_at = u.at,
             version = u.version
         FROM unnest($1::uuid[], $2::jsonb[], $3::jsonb[], $4::jsonb[], $5::boolean[], $6::timestamptz[], $7::bigint[])
             AS u (id, definition, correlation, schedule, archived, at, version)
         WHERE a.id = u.id",
    )
    .bind(ids)
    .bind(definitions)
    .bind(correlations)
    .bind(schedules)
    .bind(archived)
    .bind(times)
    .bind(stream_versions)
    .execute(connection)
    .await?;
    Ok(())
}
