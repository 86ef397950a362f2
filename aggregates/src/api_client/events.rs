use uuid::Uuid;

use super::Scope;
use crate::api_token::Role;

crate::event::events! {
    /// What happens to a client.
    ApiClientEvent {
        /// The client was made; its secret was shown once.
        ApiClientCreated("1.0") {
            name: String,
            role: Role,
            scopes: Vec<Scope>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            identity_id: Option<Uuid>,
            secret_sha256: String,
        }
        /// The client ended, and with it every access token that it was given.
        ApiClientRevoked("1.0") {}
    }
}
