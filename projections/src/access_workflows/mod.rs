//! `access_workflows`: which access is reviewed, and by whom. Deleted ones stay, so that what was reviewed keeps its name.

mod queries;

use std::collections::BTreeMap;

use aggregates::access_workflow::{AccessWorkflowEvent, WorkflowDefinition};
use aggregates::party::Party;
use aggregates::{DomainEvent, Recorded};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

pub use queries::{all, find, last_number};

use crate::{Applied, Apply, Projection, versions};

pub(crate) const PROJECTION: Projection = Projection {
    name: "access_workflows",
    version: 2,
    aggregate_types: &[aggregates::access_workflow::TYPE],
    tables: include_str!("tables.sql"),
    apply: Apply::Alone(apply),
};

/// A workflow.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns' comments say it")]
pub struct AccessWorkflowRow {
    pub id: Uuid,
    pub number: i64,
    pub name: String,
    pub description: String,
    pub notes: String,
    pub application_ids: Vec<Uuid>,
    pub filter: String,
    pub reviewers: Vec<Uuid>,
    pub owner_id: Option<Uuid>,
    pub automation_ids: Vec<Uuid>,
    pub fallback_reviewers: Vec<Uuid>,
    pub is_self_review_allowed: bool,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
    pub created_by_id: String,
    pub updated_at: DateTime<Utc>,
    pub deleted_at: Option<DateTime<Utc>>,
    pub version: i64,
}

impl AccessWorkflowRow {
    fn new(event: &Recorded, number: i64) -> Self {
        let creator = Party::from(&*event.actor);
        Self {
            id: event.id(),
            number,
            name: String::new(),
            description: String::new(),
            notes: String::new(),
            application_ids: Vec::new(),
            filter: String::new(),
            reviewers: Vec::new(),
            owner_id: None,
            automation_ids: Vec::new(),
            fallback_reviewers: Vec::new(),
            is_self_review_allowed: false,
            created_at: event.recorded_at,
            created_by_id: creator.id(),
            created_by: creator.name,
            updated_at: event.recorded_at,
            deleted_at: None,
            version: 0,
        }
    }

    fn define(&mut self, definition: &WorkflowDefinition) {
        self.name.clone_from(&definition.name);
        self.description.clone_from(&definition.description);
        self.notes.clone_from(&definition.notes);
        self.application_ids.clone_from(&definition.application_ids);
        self.filter.clone_from(&definition.filter);
        self.reviewers.clone_from(&definition.reviewers);
        self.owner_id = definition.owner_id;
        self.automation_ids.clone_from(&definition.automation_ids);
        self.fallback_reviewers.clone_from(&definition.fallback_reviewers);
        self.is_self_review_allowed = definition.is_self_review_allowed;
    }
}

fn apply<'a>(connection: &'a mut PgConnection, batch: &'a [Recorded]) -> Applied<'a> {
    Box::pin(async move {
        let said = |event: &Recorded| matches!(*event.event, DomainEvent::AccessWorkflow(_));
        let ids: Vec<Uuid> = batch.iter().filter(|event| said(event)).map(Recorded::id).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let stored: Vec<AccessWorkflowRow> = sqlx::query_as("SELECT * FROM access_workflows WHERE id = ANY ($1)")
            .bind(&ids)
            .fetch_all(&mut *connection)
            .await?;
        let mut rows: BTreeMap<Uuid, AccessWorkflowRow> = stored.into_iter().map(|row| (row.id, row)).collect();
        let mut number = last_number(&mut *connection).await?;
        for event in batch {
            let DomainEvent::AccessWorkflow(said) = &*event.event else { continue };
            if matches!(said, AccessWorkflowEvent::AccessWorkflowCreated { .. }) {
                number += 1;
                rows.insert(event.id(), AccessWorkflowRow::new(event, number));
            }
            let Some(row) = rows.get_mut(&event.id()) else { continue };
            match said {
                AccessWorkflowEvent::AccessWorkflowCreated { definition } => row.define(definition),
                AccessWorkflowEvent::AccessWorkflowUpdated { new, .. } => row.define(new),
                AccessWorkflowEvent::AccessWorkflowDeleted {} => row.deleted_at = Some(event.recorded_at),
            }
            row.updated_at = event.recorded_at;
            row.version = event.sequence;
        }
        sqlx::query("DELETE FROM access_workflows WHERE id = ANY ($1)").bind(&ids).execute(&mut *connection).await?;
        let rows: Vec<AccessWorkflowRow> = rows.into_values().collect();
        versions::insert(connection, "access_workflows", &rows).await
    })
}
