//! `applications`: what is governed.

mod queries;

use std::collections::BTreeMap;

use aggregates::application::{ApplicationEvent, Definition, ImportSchedule};
use aggregates::{DomainEvent, Recorded};
use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

pub use queries::{
    ApplicationRow, LastImport, Scheduled, find, find_all, find_all_sql, find_named, ids, in_use, list, names,
    scheduled,
};

use crate::{Apply, Projection, Statement};

pub(crate) const PROJECTION: Projection = Projection {
    name: "applications",
    version: 4,
    aggregate_types: &[aggregates::application::TYPE],
    tables: include_str!("tables.sql"),
    apply: Apply::Beside(apply),
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

fn apply(statement: &mut Statement, batch: &[Recorded]) -> sqlx::Result<()> {
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
    if !new.is_empty() {
        insert(statement, &new.into_values().collect::<Vec<_>>())?;
    }
    if !updates.is_empty() {
        update(statement, &updates.into_iter().collect::<Vec<_>>())?;
    }
    Ok(())
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
fn insert(statement: &mut Statement, rows: &[ApplicationRow]) -> sqlx::Result<()> {
    let columns = [
        statement.bind(column(rows, |row| row.id))?,
        statement.bind(column(rows, |row| row.name.as_str()))?,
        statement.bind(column(rows, |row| row.priority.as_str()))?,
        statement.bind(column(rows, |row| row.description.as_deref()))?,
        statement.bind(column(rows, |row| row.is_identity_source))?,
        statement.bind(column(rows, |row| row.removal_limit))?,
        statement.bind(column(rows, |row| row.is_archived))?,
        statement.bind(column(rows, |row| Json(&row.connector.0)))?,
        statement.bind(column(rows, |row| Json(&row.correlation.0)))?,
        statement.bind(column(rows, |row| Json(&row.responders.0)))?,
        statement.bind(column(rows, |row| row.import_schedule.as_ref().map(|schedule| Json(&schedule.0))))?,
        statement.bind(column(rows, |row| row.import_schedule_set_at))?,
        statement.bind(column(rows, |row| row.created_at))?,
        statement.bind(column(rows, |row| row.created_by.as_str()))?,
        statement.bind(column(rows, |row| row.last_updated_at))?,
        statement.bind(column(rows, |row| row.version))?,
    ];
    statement.push(format!(
        "INSERT INTO applications (id, name, priority, description, is_identity_source, removal_limit, is_archived, connector,
                                   correlation, responders, import_schedule, import_schedule_set_at, created_at, created_by,
                                   last_updated_at, version)
         SELECT * FROM unnest({})",
        columns.join(", ")
    ));
    Ok(())
}

fn column<'a, R, C>(rows: &'a [R], of: impl Fn(&'a R) -> C) -> Vec<C> {
    rows.iter().map(of).collect()
}

fn update(statement: &mut Statement, updates: &[(Uuid, Update<'_>)]) -> sqlx::Result<()> {
    let columns = [
        statement.bind(column(updates, |(id, _)| *id))?,
        statement.bind(defined(updates, |definition| definition.name.as_str()))?,
        statement.bind(defined(updates, |definition| definition.priority.as_str()))?,
        statement.bind(column(updates, |(_, update)| {
            update.definition.and_then(|definition| definition.description.as_deref())
        }))?,
        statement.bind(defined(updates, |definition| definition.is_identity_source))?,
        statement.bind(defined(updates, |definition| i32::from(definition.removal_limit)))?,
        statement.bind(defined(updates, |definition| Json(&definition.connector)))?,
        statement.bind(defined(updates, |definition| Json(definition.correlation())))?,
        statement.bind(defined(updates, |definition| Json(&definition.responders)))?,
        statement.bind(column(updates, |(_, update)| update.schedule.map(Json)))?,
        statement.bind(column(updates, |(_, update)| update.schedule_at))?,
        statement.bind(column(updates, |(_, update)| update.archived))?,
        statement.bind(column(updates, |(_, update)| update.at))?,
        statement.bind(column(updates, |(_, update)| update.version))?,
    ];
    statement.push(format!(
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
         FROM unnest({})
             AS u (id, name, priority, description, is_identity_source, removal_limit, connector, correlation, responders,
                   schedule, schedule_at, archived, at, version)
         WHERE a.id = u.id",
        columns.join(", ")
    ));
    Ok(())
}

fn defined<'a, C>(updates: &[(Uuid, Update<'a>)], of: impl Fn(&'a Definition) -> C) -> Vec<Option<C>> {
    updates.iter().map(|(_, update)| update.definition.map(&of)).collect()
}
