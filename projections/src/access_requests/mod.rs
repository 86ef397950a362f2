//! `access_requests`: access to be given, changed, taken, suspended or restored, and what imports say of it.

mod evidence;
mod queries;

use std::collections::BTreeMap;

use aggregates::access_request::{AccessRequest, AccessRequestEvent, Privilege};
use aggregates::{DomainEvent, Recorded};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

pub use evidence::{Said, undone, unfixed, verified_by};
pub use queries::{Wanted, find, list, of_personnel_event, taken_after, to_be_given, waking};

use crate::{Applied, Apply, Projection, versions};

pub(crate) const PROJECTION: Projection = Projection {
    name: "access_requests",
    version: 2,
    aggregate_types: &[aggregates::access_request::TYPE],
    tables: include_str!("tables.sql"),
    apply: Apply::Alone(apply),
};

/// An access request.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns' comments say it")]
pub struct AccessRequestRow {
    pub id: Uuid,
    pub number: i64,
    pub action: String,
    pub status: String,
    pub provisioning_status: String,
    pub identity_id: Uuid,
    pub application_id: Uuid,
    pub personnel_event_id: Option<Uuid>,
    pub certification_id: Option<Uuid>,
    pub result_id: Option<i32>,
    pub is_suggested: bool,
    pub is_finding: bool,
    pub assignee_id: Option<Uuid>,
    pub reporter_id: String,
    pub reporter_name: String,
    pub needed_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub created_position: i64,
    pub verified_position: Option<i64>,
    pub completed_at: Option<DateTime<Utc>>,
    pub wakes_at: Option<DateTime<Utc>>,
    pub evidence_import_id: Option<Uuid>,
    pub state: Json<AccessRequest>,
    pub version: i64,
}

impl AccessRequestRow {
    fn new(event: &Recorded, number: i64) -> Self {
        Self {
            id: event.id(),
            number,
            action: String::new(),
            status: String::new(),
            provisioning_status: String::new(),
            identity_id: Uuid::nil(),
            application_id: Uuid::nil(),
            personnel_event_id: None,
            certification_id: None,
            result_id: None,
            is_suggested: false,
            is_finding: false,
            assignee_id: None,
            reporter_id: String::new(),
            reporter_name: String::new(),
            needed_at: None,
            created_at: event.recorded_at,
            created_position: event.position,
            verified_position: None,
            completed_at: None,
            wakes_at: None,
            evidence_import_id: None,
            state: Json(AccessRequest::default()),
            version: 0,
        }
    }

    /// The columns say what the state says.
    fn describe(&mut self) {
        let state = &self.state.0;
        if let Some(request) = &state.request {
            request.action.as_str().clone_into(&mut self.action);
            self.identity_id = request.identity_id;
            self.application_id = request.application_id;
            self.personnel_event_id = request.personnel_event_id;
            self.certification_id = request.review_item.map(|item| item.certification_id);
            self.result_id = request.review_item.map(|item| item.result_id as i32);
            self.is_suggested = request.is_suggested;
            self.needed_at = request.needed_at;
        }
        state.status().as_str().clone_into(&mut self.status);
        state.provisioning.as_str().clone_into(&mut self.provisioning_status);
        self.is_finding = state.is_finding;
        self.assignee_id = state.assignee_id;
        self.reporter_id = state.reporter.id();
        self.reporter_name.clone_from(&state.reporter.name);
        self.completed_at = state.completed_at;
        self.wakes_at = state.wakes_at();
        self.evidence_import_id = state.evidence.as_ref().map(|evidence| evidence.application_import_id);
    }
}

#[derive(Serialize)]
struct PrivilegeRow<'a> {
    access_request_id: Uuid,
    place: usize,
    account_id: Option<Uuid>,
    entitlement_id: Option<Uuid>,
    key: &'a str,
    name: Option<&'a str>,
}

impl<'a> PrivilegeRow<'a> {
    fn of(access_request_id: Uuid, place: usize, privilege: &'a Privilege) -> Self {
        Self {
            access_request_id,
            place,
            account_id: privilege.account_id,
            entitlement_id: privilege.entitlement_id,
            key: &privilege.key,
            name: privilege.name.as_deref(),
        }
    }
}

fn apply<'a>(connection: &'a mut PgConnection, batch: &'a [Recorded]) -> Applied<'a> {
    Box::pin(async move {
        let ids: Vec<Uuid> = batch
            .iter()
            .filter(|event| matches!(*event.event, DomainEvent::AccessRequest(_)))
            .map(Recorded::id)
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        let stored: Vec<AccessRequestRow> = sqlx::query_as("SELECT * FROM access_requests WHERE id = ANY($1)")
            .bind(&ids)
            .fetch_all(&mut *connection)
            .await?;
        let mut rows: BTreeMap<Uuid, AccessRequestRow> = stored.into_iter().map(|row| (row.id, row)).collect();
        let mut number: i64 = sqlx::query_scalar("SELECT coalesce(max(number), 0) FROM access_requests")
            .fetch_one(&mut *connection)
            .await?;
        let mut privileges = Vec::new();
        for event in batch {
            let DomainEvent::AccessRequest(said) = &*event.event else { continue };
            let id = event.id();
            if let AccessRequestEvent::AccessRequested { request, .. } = said {
                number += 1;
                rows.insert(id, AccessRequestRow::new(event, number));
                let of = |(place, privilege)| PrivilegeRow::of(id, place, privilege);
                privileges.extend(request.privileges.iter().enumerate().map(of));
            }
            if let Some(row) = rows.get_mut(&id) {
                row.state.0.fold(said.clone());
                row.version = event.sequence;
                if matches!(said, AccessRequestEvent::AccessRequestVerified { .. }) {
                    row.verified_position = Some(event.position);
                }
            }
        }
        rows.values_mut().for_each(AccessRequestRow::describe);
        sqlx::query("DELETE FROM access_requests WHERE id = ANY($1)").bind(&ids).execute(&mut *connection).await?;
        let rows: Vec<AccessRequestRow> = rows.into_values().collect();
        versions::insert(&mut *connection, "access_requests", &rows).await?;
        versions::insert(connection, "access_request_privileges", &privileges).await
    })
}
