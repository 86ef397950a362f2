//! Applications: what is governed, how its feeds are read, and when they are fetched (contracts §1.6).

mod column;
mod correlation_rule;
mod definition;
mod dialect;
mod events;
mod schedule;
pub mod source;
#[cfg(test)]
mod tests;
pub mod transform;

use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};

pub use column::{Column, Mapped};
pub use correlation_rule::{CORRELATING_ACCOUNT_FIELDS, CorrelationRule};
pub use definition::{Connector, ConnectorType, Content, Definition, FileGroup, Format, Priority, fields};
pub use dialect::{Dialect, Encoding};
pub use events::ApplicationEvent;
pub use schedule::{ImportSchedule, ScheduledFile};
pub use transform::Transform;

use crate::violation::{Refusal, refuse_if_any};

/// The stream type.
pub const TYPE: &str = "application";

/// An application's state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Application {
    /// What it is; `None` before it was created.
    pub definition: Option<Definition>,
    /// When and from where its feeds are imported.
    pub schedule: Option<ImportSchedule>,
    /// Archived applications take no more imports.
    pub is_archived: bool,
}

/// What can be asked of an application.
#[derive(Debug, Clone)]
pub enum ApplicationCommand {
    /// Make it.
    Create(Definition),
    /// Replace its definition.
    Update(Definition),
    /// Take it out of use; its history stays.
    Archive,
    /// Set or replace the import schedule.
    SetImportSchedule(ImportSchedule),
}

impl Application {
    fn existing(&self) -> Result<&Definition, Refusal> {
        self.definition.as_ref().ok_or_else(|| Refusal::NotFound("The application doesn't exist".to_owned()))
    }

    fn active(&self) -> Result<&Definition, Refusal> {
        let definition = self.existing()?;
        if self.is_archived {
            return Err(Refusal::Conflict("Application is archived".to_owned()));
        }
        Ok(definition)
    }
}

impl cqrs_es::Aggregate for Application {
    const TYPE: &'static str = TYPE;
    type Command = ApplicationCommand;
    type Event = ApplicationEvent;
    type Error = Refusal;
    type Services = ();

    async fn handle(&mut self, command: ApplicationCommand, (): &(), sink: &EventSink<Self>) -> Result<(), Refusal> {
        let event = match command {
            ApplicationCommand::Create(definition) => {
                if self.definition.is_some() {
                    return Err(Refusal::Conflict("The application exists already".to_owned()));
                }
                refuse_if_any(definition.violations())?;
                ApplicationEvent::ApplicationCreated { definition }
            }
            ApplicationCommand::Update(definition) => {
                let known = self.active()?;
                refuse_if_any(definition.violations())?;
                if *known == definition {
                    return Ok(());
                }
                ApplicationEvent::ApplicationUpdated { definition }
            }
            ApplicationCommand::Archive => {
                self.active()?;
                ApplicationEvent::ApplicationArchived {}
            }
            ApplicationCommand::SetImportSchedule(schedule) => {
                let definition = self.active()?;
                refuse_if_any(schedule.violations(definition))?;
                if self.schedule.as_ref() == Some(&schedule) {
                    return Ok(());
                }
                ApplicationEvent::ImportScheduleSet { schedule }
            }
        };
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: ApplicationEvent) {
        match event {
            ApplicationEvent::ApplicationCreated { definition }
            | ApplicationEvent::ApplicationUpdated { definition } => {
                self.definition = Some(definition);
            }
            ApplicationEvent::ApplicationArchived {} => self.is_archived = true,
            ApplicationEvent::ImportScheduleSet { schedule } => self.schedule = Some(schedule),
        }
    }
}

impl crate::Stream for Application {
    fn claims(&self) -> Vec<String> {
        self.definition
            .iter()
            .map(|definition| format!("application-name:{}", crate::values::folded(&definition.name)))
            .collect()
    }
}
