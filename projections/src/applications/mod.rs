//! `applications`: what is governed.

mod queries;

use std::collections::BTreeMap;

use aggregates::application::{ApplicationEvent, Definition, ImportSchedule};
use aggregates::{DomainEvent, Recorded};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

pub use queries::{ApplicationRow, LastImport, Scheduled, find, find_all, find_named, list, scheduled};

use crate::{Applied, Projection};

pub(crate) const PROJECTION: Projection = Projection {
    name: "applications",
    version: 3,
    aggregate_types: &[aggregates::application::TYPE],
    tables: include_str!("tables.sql"),
    apply,
};

/// What a batch does to an application that was there before.
#[derive(Default)]
struct Update<'a> {
    definition: Option<&'a Definition>,
    schedule: Option<&'a ImportSchedule>,
    schedule_at: Option<DateTime<Utc>>,
    archived: bool,
    at: DateTime<Utc>,
    version: i64,
}

fn apply<'a>(connection: &'a mut PgConnection, batch: &'a [Recorded]) -> Applied<'a> {
    Box::pin(async move {
        let mut new: BTreeMap<Uuid, ApplicationRow> = BTreeMap::new();
        let mut updates: BTreeMap<Uuid, Update> = BTreeMap::new();
        for event in batch {
            let DomainEvent::Application(application) = &*event.event else {
                continue;
            };
            let id = event.id();
            if let ApplicationEvent::ApplicationCreated { definition } = application {
                new.insert(id, ApplicationRow::new(id, definition, &event.actor.name, event.recorded_at));
            } else if let Some(row) = new.get_mut(&id) {
                change(row, event, application);
            } else {
                collect(updates.entry(id).or_default(), event, application);
            }
        }
        insert(connection, new.into_values().collect()).await?;
        write_updates(connection, updates).await
    })
}

fn change(row: &mut ApplicationRow, event: &Recorded, application: &ApplicationEvent) {
    row.last_updated_at = event.recorded_at;
    row.version = event.sequence;
    match application {
        ApplicationEvent::ApplicationCreated { definition } | ApplicationEvent::ApplicationUpdated { definition } => {
            row.define(definition);
        }
        ApplicationEvent::ApplicationArchived {} => row.is_archived = true,
        ApplicationEvent::ImportScheduleSet { schedule } => {
            row.import_schedule = Some(Json(schedule.clone()));
            row.import_schedule_set_at = Some(event.recorded_at);
        }
    }
}

fn collect<'a>(update: &mut Update<'a>, event: &Recorded, application: &'a ApplicationEvent) {
    update.at = event.recorded_at;
    update.version = event.sequence;
    match application {
        ApplicationEvent::ApplicationCreated { definition } | ApplicationEvent::ApplicationUpdated { definition } => {
            update.definition = Some(definition);
        }
        ApplicationEvent::ApplicationArchived {} => update.archived = true,
        ApplicationEvent::ImportScheduleSet { schedule } => {
            update.schedule = Some(schedule);
            update.schedule_at = Some(event.recorded_at);
        }
    }
}

/// Inserts with arrays, a column each: a command waits for this.
async fn insert(connection: &mut PgConnection, rows: Vec<ApplicationRow>) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO applications (id, name, priority, description, is_identity_source, removal_limit, is_archived, connector,
                                   correlation, responders, import_schedule, import_schedule_set_at, created_at, created_by,
                                   last_updated_at, version)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::int[], $7::boolean[],
                              $8::jsonb[], $9::jsonb[], $10::jsonb[], $11::jsonb[], $12::timestamptz[], $13::timestamptz[],
                              $14::text[], $15::timestamptz[], $16::bigint[])",
    )
    .bind(column(&rows, |row| row.id))
    .bind(column(&rows, |row| row.name.as_str()))
    .bind(column(&rows, |row| row.priority.as_str()))
    .bind(column(&rows, |row| row.description.as_deref()))
    .bind(column(&rows, |row| row.is_identity_source))
    .bind(column(&rows, |row| row.removal_limit))
    .bind(column(&rows, |row| row.is_archived))
    .bind(column(&rows, |row| Json(&row.connector.0)))
    .bind(column(&rows, |row| Json(&row.correlation.0)))
    .bind(column(&rows, |row| Json(&row.responders.0)))
    .bind(column(&rows, |row| row.import_schedule.as_ref().map(|schedule| Json(&schedule.0))))
    .bind(column(&rows, |row| row.import_schedule_set_at))
    .bind(column(&rows, |row| row.created_at))
    .bind(column(&rows, |row| row.created_by.as_str()))
    .bind(column(&rows, |row| row.last_updated_at))
    .bind(column(&rows, |row| row.version))
    .execute(connection)
    .await?;
    Ok(())
}

fn column<'a, R, C>(rows: &'a [R], of: impl Fn(&'a R) -> C) -> Vec<C> {
    rows.iter().map(of).collect()
}

async fn write_updates(connection: &mut PgConnection, updates: BTreeMap<Uuid, Update<'_>>) -> sqlx::Result<()> {
    if updates.is_empty() {
        return Ok(());
    }
    let updates: Vec<(Uuid, Update)> = updates.into_iter().collect();
    sqlx::query(
        "UPDATE applications AS a SET
             name = coalesce(u.name, a.name),
             priority = coalesce(u.priority, a.priority),
             description = CASE WHEN u.name IS NULL THEN a.description ELSE u.description END,
             is_identity_source = coalesce(u.is_identity_source, a.is_identity_source),
             removal_limit = coalesce(u.removal_limit, a.removal_limit),
             connector = coalesce(u.connector, a.connector),
             correlation = coalesce(u.correlation, a.correlation),
             responders = coalesce(u.responders, a.responders),
             import_schedule = coalesce(u.schedule, a.import_schedule),
             import_schedule_set_at = coalesce(u.schedule_at, a.import_schedule_set_at),
             is_archived = a.is_archived OR u.archived,
             last_updated_at = u.at,
             version = u.version
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::int[], $7::jsonb[], $8::jsonb[],
                     $9::jsonb[], $10::jsonb[], $11::timestamptz[], $12::boolean[], $13::timestamptz[], $14::bigint[])
             AS u (id, name, priority, description, is_identity_source, removal_limit, connector, correlation, responders, schedule,
                   schedule_at, archived, at, version)
         WHERE a.id = u.id",
    )
    .bind(column(&updates, |(id, _)| *id))
    .bind(defined(&updates, |definition| definition.name.as_str()))
    .bind(defined(&updates, |definition| definition.priority.as_str()))
    .bind(column(&updates, |(_, update)| update.definition.and_then(|definition| definition.description.as_deref())))
    .bind(defined(&updates, |definition| definition.is_identity_source))
    .bind(defined(&updates, |definition| i32::from(definition.removal_limit)))
    .bind(defined(&updates, |definition| Json(&definition.connector)))
    .bind(defined(&updates, |definition| Json(definition.correlation())))
    .bind(defined(&updates, |definition| Json(&definition.responders)))
    .bind(column(&updates, |(_, update)| update.schedule.map(Json)))
    .bind(column(&updates, |(_, update)| update.schedule_at))
    .bind(column(&updates, |(_, update)| update.archived))
    .bind(column(&updates, |(_, update)| update.at))
    .bind(column(&updates, |(_, update)| update.version))
    .execute(connection)
    .await?;
    Ok(())
}

fn defined<'a, C>(updates: &[(Uuid, Update<'a>)], of: impl Fn(&'a Definition) -> C) -> Vec<Option<C>> {
    updates.iter().map(|(_, update)| update.definition.map(&of)).collect()
}
