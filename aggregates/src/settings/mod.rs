//! System settings: the switch of the API (seed 001, rulings 6), the precedence of identity sources (rulings 11), what
//! personnel events need: timezone, custom fields, default responders (rulings 25), and which key signs access tokens
//! (contracts §2.4).

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::str::FromStr;

use chrono_tz::Tz;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::personnel_event::CUSTOM_FIELDS;
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
        /// Days begin and end by this IANA timezone.
        TimezoneSet("1.0") { timezone: String }
        /// Requests may fill these custom fields.
        CustomFieldsEnabled("1.0") { fields: Vec<String> }
        /// These identities answer where nothing else says who does.
        DefaultRespondersSet("1.0") { responders: Vec<Uuid> }
        /// Access tokens are signed with this key, and those signed with another are refused. The key itself is no event.
        SigningKeyRotated("1.0") { key_id: Uuid }
    }
}

/// The settings' state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Settings {
    api_enabled: bool,
    /// The identity sources that come first, in this order.
    pub identity_sources: Vec<Uuid>,
    /// An IANA timezone; absent = UTC.
    timezone: Option<String>,
    /// Enabled custom fields, by name.
    pub custom_fields: Vec<String>,
    /// Identities who answer where nothing else says who does.
    pub default_responders: Vec<Uuid>,
    /// The key that signs access tokens; `None` before the first.
    pub signing_key: Option<Uuid>,
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
    Change(Changes),
    /// Sign access tokens with this key from now on.
    RotateSigningKey(Uuid),
}

/// What is to be set; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// The identity sources that come first, in this order.
    pub identity_sources: Option<Vec<(Uuid, Eligibility)>>,
    /// An IANA timezone.
    pub timezone: Option<String>,
    /// Custom fields that requests may fill.
    pub custom_fields: Option<Vec<String>>,
    /// Who answers by default, each with what is wrong with it, if anything.
    pub default_responders: Option<Vec<(Uuid, Option<String>)>>,
}

impl Settings {
    /// Days begin and end by this timezone.
    pub fn timezone(&self) -> Tz {
        self.timezone.as_deref().and_then(|name| Tz::from_str(name).ok()).unwrap_or(Tz::UTC)
    }

    fn change(&self, changes: Changes) -> Result<Vec<SettingsEvent>, Refusal> {
        let mut found = Vec::new();
        let mut events = Vec::new();
        if let Some(sources) = changes.identity_sources {
            let order: Vec<Uuid> = sources.iter().map(|(id, _)| *id).collect();
            // Before it is judged: what was right when it was set may be sent back, though a source was archived since.
            if order != self.identity_sources {
                found.extend(violations(&sources));
                events.push(SettingsEvent::IdentitySourcesOrdered { order });
            }
        }
        if let Some(timezone) = changes.timezone
            && Some(&timezone) != self.timezone.as_ref()
        {
            match Tz::from_str(&timezone) {
                Ok(zone) if zone == self.timezone() => {}
                Ok(_) => events.push(SettingsEvent::TimezoneSet { timezone }),
                Err(_) => {
                    let message = format!("{timezone:?} is no IANA timezone (Europe/Zurich)");
                    found.push(Violation::new("timezone", message));
                }
            }
        }
        if let Some(mut fields) = changes.custom_fields {
            for (at, field) in fields.iter().enumerate() {
                if !is_custom_field(field) {
                    let message = format!("{field:?} is none of customField1 to customField{CUSTOM_FIELDS}");
                    found.push(Violation::new(format!("customFields[{at}]"), message));
                }
            }
            fields.sort_by_key(|field| (field.len(), field.clone()));
            fields.dedup();
            if fields != self.custom_fields {
                events.push(SettingsEvent::CustomFieldsEnabled { fields });
            }
        }
        if let Some(responders) = changes.default_responders {
            let ids: Vec<Uuid> = responders.iter().map(|(id, _)| *id).collect();
            if ids != self.default_responders {
                found.extend(responder_violations("defaultResponders", &responders));
                events.push(SettingsEvent::DefaultRespondersSet { responders: ids });
            }
        }
        refuse_if_any(found)?;
        Ok(events)
    }
}

/// Is it the name of a custom field: `customField1` to `customField10` (rulings 25)?
pub fn is_custom_field(name: &str) -> bool {
    (1..=CUSTOM_FIELDS).any(|number| name == format!("customField{number}"))
}

/// Responders who can't be: each with what is wrong with it, or named twice.
pub fn responder_violations(field: &str, responders: &[(Uuid, Option<String>)]) -> Vec<Violation> {
    let mut found = Vec::new();
    for (at, (id, wrong)) in responders.iter().enumerate() {
        if let Some(before) = responders[..at].iter().position(|(known, _)| known == id) {
            found.push(Violation::new(
                format!("{field}[{at}]"),
                format!("Identity {id} stands at {field}[{before}] already"),
            ));
        } else if let Some(wrong) = wrong {
            found.push(Violation::new(format!("{field}[{at}]"), wrong));
        }
    }
    found
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
        let events = match command {
            SettingsCommand::EnableApi if !self.api_enabled => vec![SettingsEvent::ApiEnabled {}],
            SettingsCommand::DisableApi if self.api_enabled => vec![SettingsEvent::ApiDisabled {}],
            SettingsCommand::EnableApi | SettingsCommand::DisableApi => Vec::new(),
            SettingsCommand::Change(changes) => self.change(changes)?,
            SettingsCommand::RotateSigningKey(key) if self.signing_key == Some(key) => Vec::new(),
            SettingsCommand::RotateSigningKey(key_id) => vec![SettingsEvent::SigningKeyRotated { key_id }],
        };
        for event in events {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: SettingsEvent) {
        match event {
            SettingsEvent::ApiEnabled {} => self.api_enabled = true,
            SettingsEvent::ApiDisabled {} => self.api_enabled = false,
            SettingsEvent::IdentitySourcesOrdered { order } => self.identity_sources = order,
            SettingsEvent::TimezoneSet { timezone } => self.timezone = Some(timezone),
            SettingsEvent::CustomFieldsEnabled { fields } => self.custom_fields = fields,
            SettingsEvent::DefaultRespondersSet { responders } => self.default_responders = responders,
            SettingsEvent::SigningKeyRotated { key_id } => self.signing_key = Some(key_id),
        }
    }
}

impl crate::Stream for Settings {}
