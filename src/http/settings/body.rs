//! What the settings look like on the wire.

use aggregates::settings::Settings;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// The settings.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SettingsBody {
    /// Applications whose word counts first where sources of a person disagree; the others follow by creation.
    pub identity_sources: Vec<Uuid>,
    /// IANA timezone by which days begin and end.
    #[schema(example = "Europe/Zurich")]
    pub timezone: &'static str,
    /// Custom fields that requests may fill: of customField1 to customField10.
    pub custom_fields: Vec<String>,
    /// Identities who answer where nothing else says who does.
    pub default_responders: Vec<Uuid>,
}

impl From<Settings> for SettingsBody {
    fn from(settings: Settings) -> Self {
        Self {
            timezone: settings.timezone().name(),
            identity_sources: settings.identity_sources,
            custom_fields: settings.custom_fields,
            default_responders: settings.default_responders,
        }
    }
}
