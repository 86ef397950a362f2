//! `personnel_events`: joiners, movers, leavers and leaves of absence.

mod queries;

use std::collections::BTreeMap;

use aggregates::personnel_event::{PersonnelEvent, PersonnelEventEvent};
use aggregates::{DomainEvent, Recorded};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

pub use queries::{Wanted, find, list, settleable, waking};

use crate::{Applied, Apply, Projection, versions};

pub(crate) const PROJECTION: Projection = Projection {
    name: "personnel_events",
    version: 1,
    aggregate_types: &[aggregates::personnel_event::TYPE],
    tables: include_str!("tables.sql"),
    apply: Apply::Alone(apply),
};

/// A personnel event.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns' comments say it")]
pub struct PersonnelEventRow {
    pub id: Uuid,
    pub number: i64,
    pub r#type: String,
    pub status: String,
    pub identity_id: Option<Uuid>,
    pub assignee_id: Option<Uuid>,
    pub reporter_id: String,
    pub reporter_name: String,
    pub effective_at: DateTime<Utc>,
    pub end_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub completed_at: Option<DateTime<Utc>>,
    pub wakes_at: Option<DateTime<Utc>>,
    pub settles: bool,
    pub state: Json<PersonnelEvent>,
    pub version: i64,
}

impl PersonnelEventRow {
    fn new(event: &Recorded, number: i64) -> Self {
        Self {
            id: event.id(),
            number,
            r#type: String::new(),
            status: String::new(),
            identity_id: None,
            assignee_id: None,
            reporter_id: String::new(),
            reporter_name: String::new(),
            effective_at: event.recorded_at,
            end_at: None,
            created_at: event.recorded_at,
            completed_at: None,
            wakes_at: None,
            settles: false,
            state: Json(PersonnelEvent::default()),
            version: 0,
        }
    }

    /// The columns say what the state says.
    fn describe(&mut self) {
        let state = &self.state.0;
        if let Some(request) = &state.request {
            request.r#type.as_str().clone_into(&mut self.r#type);
            self.effective_at = request.effective_at;
            self.end_at = request.end_at;
        }
        state.status().as_str().clone_into(&mut self.status);
        self.identity_id = state.identity_id;
        self.assignee_id = state.assignee_id;
        self.reporter_id = state.reporter.id();
        self.reporter_name.clone_from(&state.reporter.name);
        self.completed_at = state.completed_at;
        self.wakes_at = state.wakes_at();
        self.settles = state.settles();
    }
}

fn apply<'a>(connection: &'a mut PgConnection, batch: &'a [Recorded]) -> Applied<'a> {
    Box::pin(async move {
        let ids: Vec<Uuid> = batch
            .iter()
            .filter(|event| matches!(*event.event, DomainEvent::PersonnelEvent(_)))
            .map(Recorded::id)
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        let stored: Vec<PersonnelEventRow> = sqlx::query_as("SELECT * FROM personnel_events WHERE id = ANY($1)")
            .bind(&ids)
            .fetch_all(&mut *connection)
            .await?;
        let mut rows: BTreeMap<Uuid, PersonnelEventRow> = stored.into_iter().map(|row| (row.id, row)).collect();
        let mut number: i64 = sqlx::query_scalar("SELECT coalesce(max(number), 0) FROM personnel_events")
            .fetch_one(&mut *connection)
            .await?;
        for event in batch {
            let DomainEvent::PersonnelEvent(said) = &*event.event else { continue };
            if matches!(said, PersonnelEventEvent::PersonnelEventRequested { .. }) {
                number += 1;
                rows.insert(event.id(), PersonnelEventRow::new(event, number));
            }
            if let Some(row) = rows.get_mut(&event.id()) {
                row.state.0.fold(said.clone());
                row.version = event.sequence;
            }
        }
        rows.values_mut().for_each(PersonnelEventRow::describe);
        sqlx::query("DELETE FROM personnel_events WHERE id = ANY($1)").bind(&ids).execute(&mut *connection).await?;
        let rows: Vec<PersonnelEventRow> = rows.into_values().collect();
        versions::insert(connection, "personnel_events", &rows).await
    })
}
