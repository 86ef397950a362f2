//! What changes workflows and automations: each change is one append, however many streams it concerns.

use aggregates::access_workflow::{AccessWorkflow, AccessWorkflowCommand, Proposed, WorkflowDefinition, Wrong};
use aggregates::automation::{Automation, AutomationCommand, AutomationDefinition, built_ins};
use aggregates::{Refusal, Stream};
use uuid::Uuid;

use super::Configuration;
use crate::app::SharedApp;
use crate::journal::{Append, AppendError, CommandError, Context, Loaded, StreamId};

/// How often it is tried again when somebody else came first.
const ATTEMPTS: usize = 8;

/// What is to be done. `demanded` is the version that a stream must have (`If-Match`).
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Change {
    /// `wrong`: who can't be named.
    CreateWorkflow {
        definition: WorkflowDefinition,
        wrong: Wrong,
    },
    UpdateWorkflow {
        id: Uuid,
        definition: WorkflowDefinition,
        wrong: Wrong,
        demanded: Option<i64>,
    },
    DeleteWorkflow {
        id: Uuid,
    },
    CreateAutomation {
        definition: AutomationDefinition,
    },
    UpdateAutomation {
        id: Uuid,
        definition: AutomationDefinition,
        demanded: Option<i64>,
    },
    DeleteAutomation {
        id: Uuid,
    },
    /// Without `opt_in`, each automation's own (rulings 28).
    Attach {
        scope: Scope,
        opt_in: Option<bool>,
    },
    Detach(Detach),
}

/// What is attached to what (rulings 29).
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Scope {
    One {
        automation: Uuid,
        workflow: Uuid,
    },
    /// Every automation to this workflow.
    AllAutomations {
        workflow: Uuid,
    },
    /// This automation to every workflow.
    AllWorkflows {
        automation: Uuid,
    },
}

/// What is detached from a workflow; `None` = every automation.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Detach {
    pub automation: Option<Uuid>,
    pub workflow: Uuid,
}

/// Why a change wasn't made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// Nothing of this kind has this id.
    #[error("{0} with id {1} not found")]
    NotFound(&'static str, Uuid),
    /// A rule or the journal said no.
    #[error(transparent)]
    Command(#[from] CommandError),
}

impl From<AppendError> for ChangeError {
    fn from(error: AppendError) -> Self {
        Self::Command(error.into())
    }
}

/// Carries out a change. `context` is given the id of what is made or changed.
///
/// # Errors
/// What a rule or the journal said.
pub async fn carry_out(
    app: &SharedApp,
    change: &Change,
    context: impl Fn(Uuid) -> Context + Sync,
) -> Result<Changed, ChangeError> {
    let mut attempt = 1;
    loop {
        let seen = Configuration::look(&app.pool).await.map_err(CommandError::from)?;
        let id = change.subject(&seen);
        let plan = Plan { app, seen: &seen, context: context(id) };
        let appends = match plan.of(change).await {
            // It was there when somebody looked: it was deleted in between.
            Err(ChangeError::Command(CommandError::Refused(Refusal::NotFound(_)))) if attempt < ATTEMPTS => {
                attempt += 1;
                continue;
            }
            planned => planned?,
        };
        let version = appends.iter().flat_map(|append| &append.streams).find_map(|stream| {
            let is_it = stream.stream.aggregate_id == id.to_string();
            is_it.then_some(stream.events.len() as i64)
        });
        let version = seen.version(id) + version.unwrap_or(0);
        let Some(append) = seen.append(appends) else { return Ok(Changed { id, version }) };
        match app.journal.append(append).await {
            Ok(_) => return Ok(Changed { id, version }),
            Err(AppendError::Conflict { .. } | AppendError::Guard { .. }) if attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

/// What was made or changed.
#[derive(Debug, Clone, Copy)]
pub struct Changed {
    /// Its id.
    pub id: Uuid,
    /// The version of its stream.
    pub version: i64,
}

impl Change {
    /// The one automation that it changes; `None` = none, or several.
    pub const fn automation(&self) -> Option<Uuid> {
        match self {
            Self::UpdateAutomation { id, .. }
            | Self::DeleteAutomation { id }
            | Self::Attach {
                scope: Scope::One { automation: id, .. } | Scope::AllWorkflows { automation: id }, ..
            }
            | Self::Detach(Detach { automation: Some(id), .. }) => Some(*id),
            _ => None,
        }
    }

    fn subject(&self, seen: &Configuration) -> Uuid {
        match self {
            Self::CreateWorkflow { .. } => seen.next_workflow,
            Self::CreateAutomation { .. } => seen.next_automation,
            Self::UpdateWorkflow { id, .. }
            | Self::DeleteWorkflow { id }
            | Self::UpdateAutomation { id, .. }
            | Self::DeleteAutomation { id }
            | Self::Attach { scope: Scope::AllWorkflows { automation: id }, .. }
            | Self::Attach { scope: Scope::One { automation: id, .. }, .. } => *id,
            Self::Attach { scope: Scope::AllAutomations { workflow }, .. } => *workflow,
            Self::Detach(Detach { automation, workflow }) => automation.unwrap_or(*workflow),
        }
    }
}

/// Decides a change on what was seen.
struct Plan<'a> {
    app: &'a SharedApp,
    seen: &'a Configuration,
    context: Context,
}

impl Plan<'_> {
    async fn of(&self, change: &Change) -> Result<Vec<Append>, ChangeError> {
        let seen = self.seen;
        match change {
            Change::CreateWorkflow { definition, wrong } => {
                let new = seen.automations.iter().filter(|row| row.attach_to_new_workflows);
                let attached: Vec<Uuid> = new.map(|row| row.id).collect();
                let proposed = Proposed {
                    definition: definition.clone(),
                    wrong: wrong.clone(),
                    attached: with_built_ins(attached.clone()),
                };
                let loaded = Loaded::<AccessWorkflow>::new(&seen.next_workflow);
                let (_, append) = self.decide(loaded, AccessWorkflowCommand::Create(proposed)).await?;
                let mut appends: Vec<Append> = append.into_iter().collect();
                appends.extend(self.attach(&attached, &[seen.next_workflow], None).await?);
                Ok(appends)
            }
            Change::UpdateWorkflow { id, definition, wrong, demanded } => {
                demand::<AccessWorkflow>(*id, seen.workflow(*id)?.version, *demanded)?;
                let attached = with_built_ins(seen.attached_to(*id));
                let proposed = Proposed { definition: definition.clone(), wrong: wrong.clone(), attached };
                self.workflow(*id, AccessWorkflowCommand::Update(proposed)).await
            }
            Change::DeleteWorkflow { id } => {
                seen.workflow(*id)?;
                let mut appends = self.detach(&seen.attached_to(*id), *id).await?;
                appends.extend(self.workflow(*id, AccessWorkflowCommand::Delete).await?);
                Ok(appends)
            }
            Change::CreateAutomation { definition } => {
                let command =
                    AutomationCommand::Create { definition: definition.clone(), workflows: seen.workflow_ids() };
                let (_, append) = self.decide(Loaded::<Automation>::new(&seen.next_automation), command).await?;
                Ok(append.into_iter().collect())
            }
            Change::UpdateAutomation { id, definition, demanded } => {
                demand::<Automation>(*id, seen.automation(*id)?.version, *demanded)?;
                let command =
                    AutomationCommand::Update { definition: definition.clone(), workflows: seen.workflow_ids() };
                self.automation(*id, command).await
            }
            Change::DeleteAutomation { id } => {
                seen.automation(*id)?;
                let mut appends = self.automation(*id, AutomationCommand::Delete).await?;
                for workflow in &seen.workflows {
                    appends.extend(self.forget(workflow.id, &[*id]).await?);
                }
                Ok(appends)
            }
            Change::Attach { scope, opt_in } => match scope {
                Scope::One { automation, workflow } => {
                    seen.automation(*automation)?;
                    self.attach(&[*automation], &[seen.workflow(*workflow)?.id], *opt_in).await
                }
                Scope::AllAutomations { workflow } => {
                    self.attach(&seen.automation_ids(), &[seen.workflow(*workflow)?.id], *opt_in).await
                }
                Scope::AllWorkflows { automation } => {
                    self.attach(&[seen.automation(*automation)?.id], &seen.workflow_ids(), *opt_in).await
                }
            },
            Change::Detach(Detach { automation, workflow }) => {
                let automations = match automation {
                    Some(id) => vec![seen.automation(*id)?.id],
                    None => seen.attached_to(*workflow),
                };
                seen.workflow(*workflow)?;
                let mut appends = self.detach(&automations, *workflow).await?;
                appends.extend(self.forget(*workflow, &automations).await?);
                Ok(appends)
            }
        }
    }

    async fn attach(
        &self,
        automations: &[Uuid],
        workflows: &[Uuid],
        opt_in: Option<bool>,
    ) -> Result<Vec<Append>, ChangeError> {
        let mut appends = Vec::new();
        for id in automations {
            let command = AutomationCommand::Attach { workflows: workflows.to_vec(), opt_in };
            appends.extend(self.automation(*id, command).await?);
        }
        Ok(appends)
    }

    async fn detach(&self, automations: &[Uuid], workflow: Uuid) -> Result<Vec<Append>, ChangeError> {
        let mut appends = Vec::new();
        for id in automations {
            appends.extend(self.automation(*id, AutomationCommand::Detach { workflows: vec![workflow] }).await?);
        }
        Ok(appends)
    }

    /// A workflow names only what is attached to it (rulings 28).
    async fn forget(&self, workflow: Uuid, automations: &[Uuid]) -> Result<Vec<Append>, ChangeError> {
        let row = self.seen.workflow(workflow)?;
        if !row.automation_ids.iter().any(|id| automations.contains(id)) {
            return Ok(Vec::new());
        }
        self.workflow(workflow, AccessWorkflowCommand::Forget(automations.to_vec())).await
    }

    async fn workflow(&self, id: Uuid, command: AccessWorkflowCommand) -> Result<Vec<Append>, ChangeError> {
        let loaded = self.app.journal.load::<AccessWorkflow>(id).await.map_err(CommandError::from)?;
        Ok(self.decide(loaded, command).await?.1.into_iter().collect())
    }

    async fn automation(&self, id: Uuid, command: AutomationCommand) -> Result<Vec<Append>, ChangeError> {
        let loaded = self.app.journal.load::<Automation>(id).await.map_err(CommandError::from)?;
        Ok(self.decide(loaded, command).await?.1.into_iter().collect())
    }

    async fn decide<A: Stream>(
        &self,
        loaded: Loaded<A>,
        command: A::Command,
    ) -> Result<(A, Option<Append>), CommandError> {
        Ok(loaded.decide(command, self.context.clone()).await?)
    }
}

/// Built-in automations can be named by every workflow.
fn with_built_ins(attached: Vec<Uuid>) -> Vec<Uuid> {
    attached.into_iter().chain(built_ins().map(|built_in| built_in.id)).collect()
}

/// The version that `If-Match` demands is the one it has.
fn demand<A: Stream>(id: Uuid, found: i64, demanded: Option<i64>) -> Result<(), CommandError> {
    match demanded {
        Some(demanded) if demanded != found => {
            Err(AppendError::Conflict { stream: StreamId::of::<A>(&id), found }.into())
        }
        _ => Ok(()),
    }
}
