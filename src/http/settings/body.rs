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
}

impl From<Settings> for SettingsBody {
    fn from(settings: Settings) -> Self {
        Self { identity_sources: settings.identity_sources }
    }
}
