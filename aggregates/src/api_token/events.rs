use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Role;

crate::event::events! {
    /// What happens to a token.
    ApiTokenEvent {
        /// The token was made; its secret was shown once.
        ApiTokenCreated("1.0") {
            name: String,
            role: Role,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            identity_id: Option<Uuid>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            expires_at: Option<DateTime<Utc>>,
            secret_sha256: String,
        }
        /// The token ended.
        ApiTokenRevoked("1.0") {}
    }
}
