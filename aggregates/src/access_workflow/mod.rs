//! Access workflows: which applications and which rows are reviewed, and by whom (contracts §3.4). Certifications are made
//! from them.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::certification_row;
use crate::violation::{Refusal, Violation, check_length, check_text, refuse_if_any};

/// The stream type.
pub const TYPE: &str = "access_workflow";

/// What a workflow is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkflowDefinition {
    /// Unique, whatever the case; at most 256 characters.
    pub name: String,
    /// At most 4,000 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What reviewers should know; at most 4,000 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
    /// Whose access is reviewed; none = every application's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub application_ids: Vec<Uuid>,
    /// Which rows; empty = all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub filter: String,
    /// Identities who review.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reviewers: Vec<Uuid>,
    /// The identity who looks after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<Uuid>,
    /// Attached automations that its certifications run though they need to be named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub automation_ids: Vec<Uuid>,
    /// Identities who review rows that would have nobody else but their own person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallback_reviewers: Vec<Uuid>,
    /// People may decide about their own access (rulings 38).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_self_review_allowed: bool,
}

/// A workflow as it is asked for, with what was found out about those whom it names.
#[derive(Debug, Clone)]
pub struct Proposed {
    /// What it is to be.
    pub definition: WorkflowDefinition,
    /// Who can't be named. Those whom the workflow names already may stay.
    pub wrong: Wrong,
    /// Automations that are attached to the workflow.
    pub attached: Vec<Uuid>,
}

/// Who can't be named, each with what is wrong with it.
#[derive(Debug, Clone, Default)]
pub struct Wrong {
    /// Unknown or archived.
    pub applications: BTreeMap<Uuid, String>,
    /// Unknown or not active.
    pub people: BTreeMap<Uuid, String>,
}

crate::event::events! {
    /// What happens to a workflow.
    AccessWorkflowEvent {
        /// It was made.
        AccessWorkflowCreated("1.0") { definition: WorkflowDefinition }
        /// It was replaced, or an automation that it named was detached.
        AccessWorkflowUpdated("1.0") { old: Box<WorkflowDefinition>, new: Box<WorkflowDefinition> }
        /// It is gone.
        AccessWorkflowDeleted("1.0") {}
    }
}

/// A workflow's state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct AccessWorkflow {
    /// What it is; `None` before it was made and after it was deleted.
    pub definition: Option<WorkflowDefinition>,
    is_deleted: bool,
}

/// What can be asked of a workflow. Asking for what is already so appends nothing.
#[derive(Debug, Clone)]
pub enum AccessWorkflowCommand {
    /// Make it.
    Create(Proposed),
    /// Replace it.
    Update(Proposed),
    /// These automations are detached from it: it names them no more.
    Forget(Vec<Uuid>),
    /// Take it away.
    Delete,
}

use AccessWorkflowCommand as Command;
use AccessWorkflowEvent as Event;

impl Proposed {
    /// What is wrong with it; `known` is what it replaces.
    fn violations(&self, known: Option<&WorkflowDefinition>) -> Vec<Violation> {
        let asked = &self.definition;
        let mut found = Vec::new();
        check_text(&mut found, "name", "Name", &asked.name, 256);
        check_length(&mut found, "description", "Description", &asked.description, 4000);
        check_length(&mut found, "notes", "Notes", &asked.notes, 4000);
        if let Err(error) = certification_row::filter(&asked.filter) {
            found.push(Violation::new("filter", error.to_string()));
        }
        let (applications, people) = (&self.wrong.applications, &self.wrong.people);
        let of = |ids: fn(&WorkflowDefinition) -> &[Uuid]| known.map_or(&[][..], ids);
        let known_applications = of(|known| &known.application_ids);
        found.extend(each("application_ids", &asked.application_ids, |id| anew(applications, id, known_applications)));
        let known_reviewers = of(|known| &known.reviewers);
        found.extend(each("reviewers", &asked.reviewers, |id| anew(people, id, known_reviewers)));
        let known_fallback = of(|known| &known.fallback_reviewers);
        found.extend(each("fallback_reviewers", &asked.fallback_reviewers, |id| anew(people, id, known_fallback)));
        let known_owner = of(|known| known.owner_id.as_slice());
        let message = asked.owner_id.and_then(|id| anew(people, &id, known_owner));
        found.extend(message.map(|message| Violation::new("owner", message)));
        found.extend(each("automation_ids", &asked.automation_ids, |id| {
            (!self.attached.contains(id)).then(|| format!("Automation {id} isn't attached to the workflow"))
        }));
        found
    }
}

/// What is wrong with somebody who isn't named already.
fn anew(wrong: &BTreeMap<Uuid, String>, id: &Uuid, known: &[Uuid]) -> Option<String> {
    wrong.get(id).filter(|_| !known.contains(id)).cloned()
}

/// Those of a list that are named twice, or of whom something is wrong.
fn each(field: &str, ids: &[Uuid], wrong: impl Fn(&Uuid) -> Option<String>) -> Vec<Violation> {
    let judge = |(at, id): (usize, &Uuid)| {
        let before = ids[..at].iter().position(|known| known == id);
        let message = match before {
            Some(before) => Some(format!("{id} stands at {field}[{before}] already")),
            None => wrong(id),
        };
        Some(Violation::new(format!("{field}[{at}]"), message?))
    };
    ids.iter().enumerate().filter_map(judge).collect()
}

impl AccessWorkflow {
    fn existing(&self) -> Result<&WorkflowDefinition, Refusal> {
        self.definition.as_ref().ok_or_else(|| Refusal::NotFound("The workflow doesn't exist".to_owned()))
    }

    fn decide(&self, command: Command) -> Result<Option<Event>, Refusal> {
        let new = match command {
            Command::Create(proposed) => {
                if self.definition.is_some() || self.is_deleted {
                    return Err(Refusal::Conflict("The workflow exists already".to_owned()));
                }
                refuse_if_any(proposed.violations(None))?;
                return Ok(Some(Event::AccessWorkflowCreated { definition: proposed.definition }));
            }
            Command::Delete => {
                self.existing()?;
                return Ok(Some(Event::AccessWorkflowDeleted {}));
            }
            Command::Update(proposed) => {
                refuse_if_any(proposed.violations(Some(self.existing()?)))?;
                proposed.definition
            }
            Command::Forget(detached) => {
                let mut new = self.existing()?.clone();
                new.automation_ids.retain(|id| !detached.contains(id));
                new
            }
        };
        let old = self.existing()?.clone();
        Ok((old != new).then(|| Event::AccessWorkflowUpdated { old: Box::new(old), new: Box::new(new) }))
    }
}

impl cqrs_es::Aggregate for AccessWorkflow {
    const TYPE: &'static str = TYPE;
    type Command = AccessWorkflowCommand;
    type Event = AccessWorkflowEvent;
    type Error = Refusal;
    type Services = ();

    async fn handle(&mut self, command: Command, (): &(), sink: &EventSink<Self>) -> Result<(), Refusal> {
        if let Some(event) = self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::AccessWorkflowCreated { definition } => self.definition = Some(definition),
            Event::AccessWorkflowUpdated { new, .. } => self.definition = Some(*new),
            Event::AccessWorkflowDeleted {} => {
                self.definition = None;
                self.is_deleted = true;
            }
        }
    }
}

impl crate::Stream for AccessWorkflow {
    fn claims(&self) -> Vec<String> {
        let name = |definition: &WorkflowDefinition| crate::values::folded(&definition.name);
        self.definition.iter().map(|definition| format!("access-workflow-name:{}", name(definition))).collect()
    }
}
