//! A certification is made from a workflow as it is at that moment.

use std::collections::{BTreeMap, BTreeSet};

use aggregates::automation::{built_ins, is_built_in};
use aggregates::certification::{
    Assignment, Certification, CertificationCommand, CertificationDefinition, NAME_LIMIT, NamedAutomation, Proposed,
};
use chrono::{DateTime, Utc};
use projections::access_workflows::AccessWorkflowRow;
use projections::certifications::latest_ended;
use projections::identities::active;
use uuid::Uuid;

use super::{Configuration, ReviewError};
use crate::app::SharedApp;
use crate::journal::{AppendError, CommandError, Context, Loaded};

/// How often it is tried again when workflows or automations changed meanwhile.
const ATTEMPTS: usize = 8;

/// A certification as it is asked for.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "as in the definition")]
pub struct NewCertification {
    pub workflow_id: Uuid,
    /// `None` = the workflow's name and the day.
    pub name: Option<String>,
    pub notes: Option<String>,
    /// `None` = as the workflow says.
    pub reviewers: Option<Assignment>,
    pub due_at: Option<DateTime<Utc>>,
    /// Attached automations to be run though they need to be named.
    pub automation_ids: Vec<Uuid>,
    /// Identities that can't review, each with why.
    pub wrong_people: BTreeMap<Uuid, String>,
}

/// Makes it; a worker then records its rows. `context` is given its id.
///
/// # Errors
/// There is no such workflow, or a rule or the journal said no.
pub async fn create(
    app: &SharedApp,
    asked: &NewCertification,
    context: impl Fn(Uuid) -> Context,
) -> Result<Uuid, ReviewError> {
    let id = app.clock.id();
    let mut attempt = 1;
    loop {
        let seen = Configuration::look(&app.pool).await?;
        let proposed = proposed(app, asked, &seen).await?;
        let command = CertificationCommand::Create(Box::new(proposed));
        let decided = Loaded::<Certification>::new(&id).decide(command, context(id)).await;
        let (_, append) = decided.map_err(CommandError::from)?;
        let Some(append) = seen.append(append.into_iter().collect()) else { return Ok(id) };
        match app.journal.append(append).await {
            Ok(_) => {
                app.reviews_bell.notify_one();
                return Ok(id);
            }
            Err(AppendError::Guard { .. }) if attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

async fn proposed(app: &SharedApp, asked: &NewCertification, seen: &Configuration) -> Result<Proposed, ReviewError> {
    let workflow = seen.workflow(asked.workflow_id)?;
    let now = app.clock.now();
    let named: BTreeSet<Uuid> = asked.automation_ids.iter().chain(&workflow.automation_ids).copied().collect();
    let attachments = seen.attachments.iter().filter(|row| row.workflow_id == workflow.id);
    let attached: BTreeMap<Uuid, bool> = attachments.map(|row| (row.automation_id, row.opt_in)).collect();
    let runs = |id: &Uuid| attached.get(id).is_some_and(|opt_in| !opt_in || named.contains(id));
    let own = seen.automations.iter().filter(|row| runs(&row.id)).cloned().map(NamedAutomation::from);
    let automations = built_ins().into_iter().filter(|built_in| named.contains(&built_in.id)).chain(own).collect();
    let unattached = named.iter().filter(|id| !attached.contains_key(id) && !is_built_in(**id)).copied().collect();
    let reviewers = reviewers(app, asked, workflow).await?;
    Ok(Proposed {
        definition: CertificationDefinition {
            workflow_id: workflow.id,
            name: asked.name.clone().unwrap_or_else(|| default_name(&workflow.name, now)),
            notes: asked.notes.clone().unwrap_or_else(|| workflow.notes.clone()),
            application_ids: projections::applications::in_use(&app.pool, &workflow.application_ids).await?,
            filter: workflow.filter.clone(),
            reviewers,
            is_self_review_allowed: workflow.is_self_review_allowed,
            due_at: asked.due_at,
            history_id: latest_ended(&app.pool, workflow.id).await?,
            automations,
        },
        wrong_people: asked.wrong_people.clone(),
        unattached,
        at: now,
    })
}

/// As it is asked for; of whom it names nobody, as the workflow says, as far as they are still here.
async fn reviewers(
    app: &SharedApp,
    asked: &NewCertification,
    workflow: &AccessWorkflowRow,
) -> sqlx::Result<Assignment> {
    let mut assignment = asked.reviewers.clone().unwrap_or_default();
    let names_nobody = assignment.reviewers.is_empty() && !assignment.users_manager && !assignment.resource_managers;
    if names_nobody {
        assignment.reviewers = active(&app.pool, &workflow.reviewers).await?;
    }
    if assignment.fallback_reviewers.is_empty() {
        assignment.fallback_reviewers = active(&app.pool, &workflow.fallback_reviewers).await?;
    }
    Ok(assignment)
}

/// The workflow's name, as much of it as there is room for, and the day.
fn default_name(workflow: &str, now: DateTime<Utc>) -> String {
    let day = now.date_naive().to_string();
    let room = NAME_LIMIT.saturating_sub(day.len() + 1);
    format!("{} {day}", workflow.chars().take(room).collect::<String>())
}
