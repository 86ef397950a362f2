//! All workflows and automations as they are at a moment, and appends that hold only if nothing of it moved since.
//!
//! What concerns "every workflow" or "every automation" is decided on what somebody saw. So every append guards the version
//! of each workflow and each automation, and that no other was made: ids follow from numbers, so the next one is known by
//! name. Administrators change this a few times a day; that two of them meet costs one more attempt.

use aggregates::access_workflow::AccessWorkflow;
use aggregates::automation::Automation;
use aggregates::{access_workflow, automation, ids};
use projections::access_workflows::AccessWorkflowRow;
use projections::automations::{AttachmentRow, AutomationRow};
use sqlx::PgPool;
use uuid::Uuid;

use super::ChangeError;
use crate::journal::{Append, StreamId};

/// What there is.
pub struct Configuration {
    /// Those that aren't deleted, the oldest first.
    pub workflows: Vec<AccessWorkflowRow>,
    /// Those that aren't deleted, the oldest first.
    pub automations: Vec<AutomationRow>,
    /// Which automations are attached to which workflows.
    pub attachments: Vec<AttachmentRow>,
    /// The id of the next workflow.
    pub next_workflow: Uuid,
    /// The id of the next automation.
    pub next_automation: Uuid,
}

impl Configuration {
    /// Looks. The queries need no common snapshot: the guards tell whether anything moved between them, too.
    ///
    /// # Errors
    /// The tables can't be read.
    pub async fn look(pool: &PgPool) -> sqlx::Result<Self> {
        let workflow = projections::access_workflows::last_number(pool).await? + 1;
        let automation = projections::automations::last_number(pool).await? + 1;
        Ok(Self {
            workflows: projections::access_workflows::all(pool).await?,
            automations: projections::automations::all(pool).await?,
            attachments: projections::automations::attachments(pool).await?,
            next_workflow: ids::numbered(access_workflow::TYPE, workflow),
            next_automation: ids::numbered(automation::TYPE, automation),
        })
    }

    /// A workflow.
    ///
    /// # Errors
    /// There is none of that id.
    pub fn workflow(&self, id: Uuid) -> Result<&AccessWorkflowRow, ChangeError> {
        self.workflows.iter().find(|row| row.id == id).ok_or(ChangeError::NotFound("Workflow", id))
    }

    /// An automation.
    ///
    /// # Errors
    /// There is none of that id.
    pub fn automation(&self, id: Uuid) -> Result<&AutomationRow, ChangeError> {
        self.automations.iter().find(|row| row.id == id).ok_or(ChangeError::NotFound("Automation", id))
    }

    /// The version of the stream of a workflow or an automation; 0 = there is none.
    pub fn version(&self, id: Uuid) -> i64 {
        let workflow = self.workflows.iter().find(|row| row.id == id).map(|row| row.version);
        let automation = || self.automations.iter().find(|row| row.id == id).map(|row| row.version);
        workflow.or_else(automation).unwrap_or(0)
    }

    /// Every workflow.
    pub fn workflow_ids(&self) -> Vec<Uuid> {
        self.workflows.iter().map(|row| row.id).collect()
    }

    /// Every automation.
    pub fn automation_ids(&self) -> Vec<Uuid> {
        self.automations.iter().map(|row| row.id).collect()
    }

    /// The automations that are attached to a workflow.
    pub fn attached_to(&self, workflow: Uuid) -> Vec<Uuid> {
        let of_it = self.attachments.iter().filter(|row| row.workflow_id == workflow);
        of_it.map(|row| row.automation_id).collect()
    }

    /// All of these appends or nothing, and only if all is as it was seen; `None` = nothing is to be appended.
    pub fn append(&self, appends: Vec<Append>) -> Option<Append> {
        let mut append = appends.into_iter().reduce(Append::and)?;
        let workflows = self.workflows.iter().map(|row| (row.id, row.version)).chain([(self.next_workflow, 0)]);
        let automations = self.automations.iter().map(|row| (row.id, row.version)).chain([(self.next_automation, 0)]);
        append.guards.extend(workflows.map(|(id, version)| (StreamId::of::<AccessWorkflow>(&id), version)));
        append.guards.extend(automations.map(|(id, version)| (StreamId::of::<Automation>(&id), version)));
        Some(append)
    }
}
