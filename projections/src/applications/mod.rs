//! `applications`: what is governed.

mod queries;

use std::collections::BTreeMap;

use aggregates::application::{ApplicationEvent, Definition, ImportSchedule};
use aggregates::{DomainEvent, Recorded};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

pub use queries::{ApplicationRow, LastImport, find, find_all, list};

use crate::{Applied, Projection, versions};

pub(crate) const PROJECTION: Projection = Projection {
    name: "applications",
    version: 1,
    aggregate_types: &[aggregates::application::TYPE],
    tables: include_str!("tables.sql"),
    apply,
};

#[derive(Serialize)]
struct NewRow {
    id: Uuid,
    name: String,
    priority: Value,
    description: Option<String>,
    is_identity_source: bool,
    removal_limit: u8,
    is_archived: bool,
    connector: Value,
    correlation: Value,
    import_schedule: Option<Value>,
    created_at: DateTime<Utc>,
    created_by: String,
    last_updated_at: DateTime<Utc>,
    version: i64,
}

/// What a batch does to an application that was there before.
#[derive(Default)]
struct Update<'a> {
    definition: Option<&'a Definition>,
    schedule: Option<&'a ImportSchedule>,
    archived: bool,
    at: DateTime<Utc>,
    version: i64,
}

fn json(value: &impl Serialize) -> sqlx::Result<Value> {
    serde_json::to_value(value).map_err(|error| sqlx::Error::Encode(error.into()))
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
        let mut rows = Vec::with_capacity(created.len());
        for (id, event) in created {
            let Some(update) = updates.remove(&id) else { continue };
            let Some(definition) = update.definition else { continue };
            rows.push(NewRow {
                id,
                name: definition.name.clone(),
                priority: json(&definition.priority)?,
                description: definition.description.clone(),
                is_identity_source: definition.is_identity_source,
                removal_limit: definition.removal_limit,
                is_archived: update.archived,
                connector: json(&definition.connector)?,
                correlation: json(&definition.correlation())?,
                import_schedule: update.schedule.map(json).transpose()?,
                created_at: event.recorded_at,
                created_by: event.actor.name.clone(),
                last_updated_at: update.at,
                version: update.version,
            });
        }
        versions::insert(connection, "applications", &rows).await?;
        write_updates(connection, updates).await
    })
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
