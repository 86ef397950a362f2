//! System settings: today the switch of the API (seed 001, rulings 6).

use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};

use crate::violation::Refusal;

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
    }
}

/// The settings' state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Settings {
    api_enabled: bool,
}

/// What can be asked of the settings. Asking for what is already so appends nothing.
#[derive(Debug, Clone, Copy)]
pub enum SettingsCommand {
    /// Switch the API on.
    EnableApi,
    /// Switch the API off.
    DisableApi,
}

impl cqrs_es::Aggregate for Settings {
    const TYPE: &'static str = TYPE;
    type Command = SettingsCommand;
    type Event = SettingsEvent;
    type Error = Refusal;
    type Services = ();

    async fn handle(&mut self, command: SettingsCommand, (): &(), sink: &EventSink<Self>) -> Result<(), Refusal> {
        match (command, self.api_enabled) {
            (SettingsCommand::EnableApi, false) => sink.write(SettingsEvent::ApiEnabled {}, self).await,
            (SettingsCommand::DisableApi, true) => sink.write(SettingsEvent::ApiDisabled {}, self).await,
            _ => {}
        }
        Ok(())
    }

    fn apply(&mut self, event: SettingsEvent) {
        self.api_enabled = matches!(event, SettingsEvent::ApiEnabled {});
    }
}

impl crate::Stream for Settings {}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;

    #[test]
    fn the_api_is_switched_on_once() {
        TestFramework::<Settings>::with(())
            .given_no_previous_events()
            .when(SettingsCommand::EnableApi)
            .then_expect_events(vec![SettingsEvent::ApiEnabled {}]);
        TestFramework::<Settings>::with(())
            .given(vec![SettingsEvent::ApiEnabled {}])
            .when(SettingsCommand::EnableApi)
            .then_expect_events(vec![]);
    }

    #[test]
    fn the_api_is_switched_off() {
        TestFramework::<Settings>::with(())
            .given(vec![SettingsEvent::ApiEnabled {}])
            .when(SettingsCommand::DisableApi)
            .then_expect_events(vec![SettingsEvent::ApiDisabled {}]);
    }
}
