//! The aggregate of the baseline: the application of the real server, with its checks.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, DomainEvent, EventEnvelope, View};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::new_id;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Application {
    pub id: Uuid,
    pub name: String,
    pub priority: Priority,
    pub connector: Connector,
    pub is_archived: bool,
    pub last_updated: DateTime<Utc>,
}

#[derive(Debug)]
pub enum Command {
    Create { id: Uuid, body: Body, at: DateTime<Utc> },
    Change { body: Body, at: DateTime<Utc> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    ApplicationCreated(Application),
    ApplicationChanged(Application),
}

impl DomainEvent for Event {
    fn event_type(&self) -> String {
        match self {
            Self::ApplicationCreated(_) => "ApplicationCreated".to_owned(),
            Self::ApplicationChanged(_) => "ApplicationChanged".to_owned(),
        }
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl Aggregate for Application {
    const TYPE: &'static str = "application";
    type Command = Command;
    type Event = Event;
    type Error = Refusal;
    type Services = ();

    async fn handle(&mut self, command: Command, (): &(), sink: &EventSink<Self>) -> Result<(), Refusal> {
        let event = match command {
            Command::Create { id, body, at } => {
                body.check()?;
                Event::ApplicationCreated(Self {
                    id,
                    name: body.name,
                    priority: body.priority,
                    connector: body.connector,
                    is_archived: false,
                    last_updated: at,
                })
            }
            Command::Change { .. } if self.id.is_nil() => return Err(Refusal::NotFound),
            Command::Change { body, at } => {
                body.check()?;
                let mut connector = body.connector;
                connector.id = self.connector.id;
                for group in &mut connector.file_groups {
                    // a file group is known by its name and keeps its id
                    if let Some(known) = self.connector.file_groups.iter().find(|known| known.name == group.name) {
                        group.id = known.id;
                    }
                }
                Event::ApplicationChanged(Self {
                    id: self.id,
                    name: body.name,
                    priority: body.priority,
                    connector,
                    is_archived: self.is_archived,
                    last_updated: at,
                })
            }
        };
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: Event) {
        let (Event::ApplicationCreated(application) | Event::ApplicationChanged(application)) = event;
        *self = application;
    }
}

impl View<Self> for Application {
    fn update(&mut self, event: &EventEnvelope<Self>) {
        self.apply(event.payload.clone());
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Body {
    name: String,
    priority: Priority,
    connector: Connector,
}

impl Body {
    fn check(&self) -> Result<(), Refusal> {
        if self.name.trim().is_empty() || self.name.chars().count() > 256 {
            return Err(Refusal::invalid("name", "Name must have 1 to 256 characters"));
        }
        let groups = &self.connector.file_groups;
        if groups.is_empty() {
            return Err(Refusal::invalid("connector.fileGroups", "A file connector needs a file group"));
        }
        if groups.iter().map(|group| &group.name).collect::<HashSet<_>>().len() < groups.len() {
            return Err(Refusal::invalid("connector.fileGroups", "Names of file groups must differ"));
        }
        for group in groups {
            let needed: &[&str] = if group.content == Content::Grants { &["account", "entitlement"] } else { &["key"] };
            if needed.iter().any(|column| !group.columns.contains_key(*column)) {
                return Err(Refusal::invalid("connector.fileGroups.columns", "A column is missing"));
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Priority {
    #[default]
    None,
    Low,
    Moderate,
    High,
    Critical,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Connector {
    #[serde(default = "new_id")]
    id: Uuid,
    r#type: ConnectorType,
    file_groups: Vec<FileGroup>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ConnectorType {
    #[default]
    File,
    Direct,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileGroup {
    #[serde(default = "new_id")]
    id: Uuid,
    name: String,
    content: Content,
    is_required: bool,
    format: Format,
    columns: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Content {
    Identities,
    Accounts,
    Entitlements,
    Grants,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Format {
    Csv,
    Xlsx,
}

/// Why a request was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("Invalid or expired authentication token")]
    Unauthorized,
    #[error("{message}")]
    Invalid { field: &'static str, message: &'static str },
    #[error("No application has this id")]
    NotFound,
    #[error("The application was changed meanwhile")]
    Conflict,
    #[error("{0}")]
    Failed(String),
}

impl Refusal {
    const fn invalid(field: &'static str, message: &'static str) -> Self {
        Self::Invalid { field, message }
    }
}
