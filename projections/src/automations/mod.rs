//! `automations`: what is decided about rows of certifications by itself, and to which workflows that is attached.

mod queries;

use std::collections::BTreeMap;

use aggregates::automation::{Action, AutomationDefinition, AutomationEvent};
use aggregates::certification::NamedAutomation;
use aggregates::certification_row::{Decision, SignedOffState};
use aggregates::{DomainEvent, Recorded};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

pub use queries::{Attached, all, attached_to, attachments, find, last_number};

use crate::{Applied, Apply, Projection, versions};

pub(crate) const PROJECTION: Projection = Projection {
    name: "automations",
    version: 1,
    aggregate_types: &[aggregates::automation::TYPE],
    tables: include_str!("tables.sql"),
    apply: Apply::Alone(apply),
};

/// An automation.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns' comments say it")]
pub struct AutomationRow {
    pub id: Uuid,
    pub number: i64,
    pub name: String,
    pub description: String,
    pub priority: i64,
    pub attach_to_new_workflows: bool,
    pub opt_in: bool,
    pub filter: String,
    pub mutable_filter: String,
    pub decision: String,
    pub signed_off_state: String,
    pub notes: String,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
    pub updated_at: DateTime<Utc>,
    pub deleted_at: Option<DateTime<Utc>>,
    pub version: i64,
}

impl AutomationRow {
    fn new(event: &Recorded, number: i64) -> Self {
        Self {
            id: event.id(),
            number,
            name: String::new(),
            description: String::new(),
            priority: 0,
            attach_to_new_workflows: false,
            opt_in: false,
            filter: String::new(),
            mutable_filter: String::new(),
            decision: String::new(),
            signed_off_state: String::new(),
            notes: String::new(),
            created_at: event.recorded_at,
            created_by: event.actor.name.clone(),
            updated_at: event.recorded_at,
            deleted_at: None,
            version: 0,
        }
    }

    fn define(&mut self, definition: &AutomationDefinition) {
        self.name.clone_from(&definition.name);
        self.description.clone_from(&definition.description);
        self.priority = definition.priority;
        self.attach_to_new_workflows = definition.attach_to_new_workflows;
        self.opt_in = definition.opt_in;
        self.filter.clone_from(&definition.filter);
        self.mutable_filter.clone_from(&definition.mutable_filter);
        definition.action.decision.as_str().clone_into(&mut self.decision);
        definition.action.signed_off_state.as_str().clone_into(&mut self.signed_off_state);
        self.notes.clone_from(&definition.action.notes);
    }
}

impl From<AutomationRow> for NamedAutomation {
    fn from(row: AutomationRow) -> Self {
        Self {
            id: row.id,
            only_unchanged: false,
            definition: AutomationDefinition {
                name: row.name,
                description: row.description,
                priority: row.priority,
                attach_to_new_workflows: row.attach_to_new_workflows,
                opt_in: row.opt_in,
                filter: row.filter,
                mutable_filter: row.mutable_filter,
                action: Action {
                    decision: Decision::read(&row.decision).unwrap_or_default(),
                    signed_off_state: SignedOffState::read(&row.signed_off_state).unwrap_or_default(),
                    notes: row.notes,
                },
            },
        }
    }
}

/// An automation runs in a workflow's certifications.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns' comments say it")]
pub struct AttachmentRow {
    pub automation_id: Uuid,
    pub workflow_id: Uuid,
    pub opt_in: bool,
    pub attached_at: DateTime<Utc>,
}

/// What a batch says last of each pair of automation and workflow; `None` = detached.
type Attachments = BTreeMap<(Uuid, Uuid), Option<AttachmentRow>>;

fn apply<'a>(connection: &'a mut PgConnection, batch: &'a [Recorded]) -> Applied<'a> {
    Box::pin(async move {
        let said = |event: &Recorded| matches!(*event.event, DomainEvent::Automation(_));
        let ids: Vec<Uuid> = batch.iter().filter(|event| said(event)).map(Recorded::id).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let stored: Vec<AutomationRow> = sqlx::query_as("SELECT * FROM automations WHERE id = ANY ($1)")
            .bind(&ids)
            .fetch_all(&mut *connection)
            .await?;
        let mut rows: BTreeMap<Uuid, AutomationRow> = stored.into_iter().map(|row| (row.id, row)).collect();
        let mut number = last_number(&mut *connection).await?;
        let mut attachments = Attachments::new();
        for event in batch {
            let DomainEvent::Automation(said) = &*event.event else { continue };
            if matches!(said, AutomationEvent::AutomationCreated { .. }) {
                number += 1;
                rows.insert(event.id(), AutomationRow::new(event, number));
            }
            let Some(row) = rows.get_mut(&event.id()) else { continue };
            fold(row, &mut attachments, event, said);
        }
        sqlx::query("DELETE FROM automations WHERE id = ANY ($1)").bind(&ids).execute(&mut *connection).await?;
        let rows: Vec<AutomationRow> = rows.into_values().collect();
        versions::insert(&mut *connection, "automations", &rows).await?;
        write_attachments(connection, attachments).await
    })
}

fn fold(row: &mut AutomationRow, attachments: &mut Attachments, event: &Recorded, said: &AutomationEvent) {
    match said {
        AutomationEvent::AutomationCreated { definition }
        | AutomationEvent::AutomationUpdated { new: definition, .. } => row.define(definition),
        AutomationEvent::AutomationAttached { workflow_id, opt_in } => {
            let attachment = AttachmentRow {
                automation_id: row.id,
                workflow_id: *workflow_id,
                opt_in: *opt_in,
                attached_at: event.recorded_at,
            };
            attachments.insert((row.id, *workflow_id), Some(attachment));
        }
        AutomationEvent::AutomationDetached { workflow_id } => {
            attachments.insert((row.id, *workflow_id), None);
        }
        AutomationEvent::AutomationDeleted {} => row.deleted_at = Some(event.recorded_at),
    }
    row.updated_at = event.recorded_at;
    row.version = event.sequence;
}

async fn write_attachments(connection: &mut PgConnection, attachments: Attachments) -> sqlx::Result<()> {
    if attachments.is_empty() {
        return Ok(());
    }
    let (automations, workflows): (Vec<Uuid>, Vec<Uuid>) = attachments.keys().copied().unzip();
    sqlx::query(
        "DELETE FROM automation_attachments AS a USING unnest($1::uuid[], $2::uuid[]) AS said (automation_id, workflow_id)
         WHERE a.automation_id = said.automation_id AND a.workflow_id = said.workflow_id",
    )
    .bind(automations)
    .bind(workflows)
    .execute(&mut *connection)
    .await?;
    let rows: Vec<AttachmentRow> = attachments.into_values().flatten().collect();
    versions::insert(connection, "automation_attachments", &rows).await
}
