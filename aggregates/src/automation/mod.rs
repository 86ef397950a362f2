//! Automations: what is decided about rows of a certification by itself, and in which workflows (seed 004, rulings 27-32).
//!
//! Where an automation is attached is on its own stream: attaching it everywhere, and deleting it, are one stream's events.
//! Which workflows there are is looked up and put into the command; `src/reviews` appends only while that is still so.

mod built_in;
mod definition;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use built_in::{built_ins, is_built_in};
pub use definition::{Action, AutomationDefinition};

use crate::violation::{Refusal, refuse_if_any};

/// The stream type.
pub const TYPE: &str = "automation";

crate::event::events! {
    /// What happens to an automation.
    AutomationEvent {
        /// It was made.
        AutomationCreated("1.0") { definition: AutomationDefinition }
        /// It was replaced.
        AutomationUpdated("1.0") { old: AutomationDefinition, new: AutomationDefinition }
        /// Certifications of this workflow run it: always, or with `opt_in` when they name it. Again with another `opt_in`.
        AutomationAttached("1.0") { workflow_id: Uuid, opt_in: bool }
        /// Certifications of this workflow don't run it any more.
        AutomationDetached("1.0") { workflow_id: Uuid }
        /// It is gone.
        AutomationDeleted("1.0") {}
    }
}

/// An automation's state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Automation {
    /// What it is; `None` before it was made and after it was deleted.
    pub definition: Option<AutomationDefinition>,
    /// The workflows whose certifications run it, each with its `opt_in`.
    pub attachments: BTreeMap<Uuid, bool>,
    is_deleted: bool,
}

/// What can be asked of an automation. Asking for what is already so appends nothing.
#[derive(Debug, Clone)]
pub enum AutomationCommand {
    /// Make it.
    Create {
        /// What it is.
        definition: AutomationDefinition,
        /// Every workflow there is.
        workflows: Vec<Uuid>,
    },
    /// Replace it.
    Update {
        /// What it is to be.
        definition: AutomationDefinition,
        /// Every workflow there is.
        workflows: Vec<Uuid>,
    },
    /// Let certifications of these workflows run it.
    Attach {
        /// They exist.
        workflows: Vec<Uuid>,
        /// Only when it is named; `None` = as the automation itself says (rulings 28).
        opt_in: Option<bool>,
    },
    /// Let certifications of these workflows not run it any more.
    Detach {
        /// Those that don't run it are passed over.
        workflows: Vec<Uuid>,
    },
    /// Detach it everywhere and take it away.
    Delete,
}

use AutomationCommand as Command;
use AutomationEvent as Event;

impl Automation {
    fn existing(&self) -> Result<&AutomationDefinition, Refusal> {
        self.definition.as_ref().ok_or_else(|| Refusal::NotFound("The automation doesn't exist".to_owned()))
    }

    fn decide(&self, command: Command) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::Create { definition, workflows } => {
                if self.definition.is_some() || self.is_deleted {
                    return Err(Refusal::Conflict("The automation exists already".to_owned()));
                }
                refuse_if_any(definition.violations())?;
                let everywhere = self.attached_to_all(&definition, &workflows);
                Ok([vec![Event::AutomationCreated { definition }], everywhere].concat())
            }
            Command::Update { definition, workflows } => {
                let old = self.existing()?.clone();
                refuse_if_any(definition.violations())?;
                if old == definition {
                    return Ok(Vec::new());
                }
                // Only when it is turned on: what was detached since stays so (rulings 27).
                let is_turned_on = !old.attach_to_new_workflows;
                let everywhere = if is_turned_on { self.attached_to_all(&definition, &workflows) } else { Vec::new() };
                Ok([vec![Event::AutomationUpdated { old, new: definition }], everywhere].concat())
            }
            Command::Attach { workflows, opt_in } => {
                let opt_in = opt_in.unwrap_or(self.existing()?.opt_in);
                let changed = workflows.into_iter().filter(|id| self.attachments.get(id) != Some(&opt_in));
                Ok(changed.map(|workflow_id| Event::AutomationAttached { workflow_id, opt_in }).collect())
            }
            Command::Detach { workflows } => {
                self.existing()?;
                let attached = workflows.into_iter().filter(|id| self.attachments.contains_key(id));
                Ok(attached.map(|workflow_id| Event::AutomationDetached { workflow_id }).collect())
            }
            Command::Delete => {
                self.existing()?;
                let detached = self.attachments.keys().map(|id| Event::AutomationDetached { workflow_id: *id });
                Ok(detached.chain([Event::AutomationDeleted {}]).collect())
            }
        }
    }

    /// Attached to every workflow, if the definition wants it; what is attached already keeps its `opt_in`.
    fn attached_to_all(&self, definition: &AutomationDefinition, workflows: &[Uuid]) -> Vec<Event> {
        if !definition.attach_to_new_workflows {
            return Vec::new();
        }
        let opt_in = definition.opt_in;
        let others = workflows.iter().filter(|id| !self.attachments.contains_key(id));
        others.map(|id| Event::AutomationAttached { workflow_id: *id, opt_in }).collect()
    }
}

impl cqrs_es::Aggregate for Automation {
    const TYPE: &'static str = TYPE;
    type Command = AutomationCommand;
    type Event = AutomationEvent;
    type Error = Refusal;
    type Services = ();

    async fn handle(&mut self, command: Command, (): &(), sink: &EventSink<Self>) -> Result<(), Refusal> {
        for event in self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::AutomationCreated { definition } | Event::AutomationUpdated { new: definition, .. } => {
                self.definition = Some(definition);
            }
            Event::AutomationAttached { workflow_id, opt_in } => {
                self.attachments.insert(workflow_id, opt_in);
            }
            Event::AutomationDetached { workflow_id } => {
                self.attachments.remove(&workflow_id);
            }
            Event::AutomationDeleted {} => {
                self.definition = None;
                self.is_deleted = true;
            }
        }
    }
}

impl crate::Stream for Automation {
    fn claims(&self) -> Vec<String> {
        let name = |definition: &AutomationDefinition| crate::values::folded(&definition.name);
        self.definition.iter().map(|definition| format!("automation-name:{}", name(definition))).collect()
    }
}
