//! System settings: the switch of the API (seed 001, rulings 6) and the precedence of identity sources (rulings 11).

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::violation::{Refusal, Violation, refuse_if_any};

/// The stream type.
pub const TYPE: &str = "settings";
/// The one stream's id.
pub const ID: &str = "settings";

crate::event::events! {
    /// What happens to the settings.
    SettingsEvent {
        /// Requests are answered.
        ApiEnabled("1.0") {}
        /// Requests are refused with 403.
        ApiDisabled("1.0") {}
        /// Whom identities follow where their sources disagree: these applications first, then the others by creation.
        IdentitySourcesOrdered("1.0") { order: Vec<Uuid> }
    }
}

/// The settings' state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Settings {
    api_enabled: bool,
    /// The identity sources that come first, in this order.
    pub identity_sources: Vec<Uuid>,
}

/// Can an application be given precedence?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Eligibility {
    /// It is an identity source.
    IdentitySource,
    /// Its people are no identities.
    NoIdentitySource,
    /// It takes no more imports.
    Archived,
    /// It doesn't exist.
    Unknown,
}

/// What can be asked of the settings. Asking for what is already so appends nothing.
#[derive(Debug, Clone)]
pub enum SettingsCommand {
    /// Switch the API on.
    EnableApi,
    /// Switch the API off.
    DisableApi,
    /// Set what is given; what is absent stays.
    Change {
        /// The identity sources that come first, in this order.
        identity_sources: Option<Vec<(Uuid, Eligibility)>>,
    },
}

impl Settings {
    fn order(&self, sources: &[(Uuid, Eligibility)]) -> Result<Option<SettingsEvent>, Refusal> {
        let order: Vec<Uuid> = sources.iter().map(|(id, _)| *id).collect();
        // Before it is judged: what was right when it was set may be sent back, though a source was archived since.
        if order == self.identity_sources {
            return Ok(None);
        }
        refuse_if_any(violations(sources))?;
        Ok(Some(SettingsEvent::IdentitySourcesOrdered { order }))
    }
}

fn violations(sources: &[(Uuid, Eligibility)]) -> Vec<Violation> {
    let mut first: HashMap<Uuid, usize> = HashMap::new();
    let found = sources.iter().enumerate().filter_map(|(at, (id, eligibility))| {
        let before = *first.entry(*id).or_insert(at);
        let message = match eligibility {
            _ if before < at => format!("Application {id} stands at identitySources[{before}] already"),
            Eligibility::IdentitySource => return None,
            Eligibility::NoIdentitySource => format!("Application {id} is no identity source"),
            Eligibility::Archived => format!("Application {id} is archived"),
            Eligibility::Unknown => format!("Application with id {id} not found"),
        };
        Some(Violation::new(format!("identitySources[{at}]"), message))
    });
    found.collect()
}

impl cqrs_es::Aggregate for Settings {
    const TYPE: &'static str = TYPE;
    type Command = SettingsCommand;
    type Event = SettingsEvent;
    type Error = Refusal;
    type Services = ();

    async fn handle(&mut self, command: SettingsCommand, (): &(), sink: &EventSink<Self>) -> Result<(), Refusal> {
        let event = match command {
            SettingsCommand::EnableApi => (!self.api_enabled).then_some(SettingsEvent::ApiEnabled {}),
            SettingsCommand::DisableApi => self.api_enabled.then_some(SettingsEvent::ApiDisabled {}),
            SettingsCommand::Change { identity_sources: Some(sources) } => self.order(&sources)?,
            SettingsCommand::Change { identity_sources: None } => None,
        };
        if let Some(event) = event {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: SettingsEvent) {
        match event {
            SettingsEvent::ApiEnabled {} => self.api_enabled = true,
            SettingsEvent::ApiDisabled {} => self.api_enabled = false,
            SettingsEvent::IdentitySourcesOrdered { order } => self.identity_sources = order,
        }
    }
}

impl crate::Stream for Settings {}
