//! What a token looks like on the wire: never with its secret.

use chrono::{DateTime, Utc};
use projections::api_tokens::ApiTokenRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A token.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenBody {
    /// The token.
    pub id: Uuid,
    /// Always `API Token`.
    pub kind: &'static str,
    /// What people call it.
    pub name: String,
    /// reader, auditor, operator or administrator.
    pub role: String,
    /// The person it stands for.
    pub identity_id: Option<Uuid>,
    /// When it was made.
    pub created_date: DateTime<Utc>,
    /// Name of the actor that made it.
    pub created_by: String,
    /// null = never.
    pub expiration_date: Option<DateTime<Utc>>,
    /// Accurate to some seconds; null = not yet.
    pub last_used_date: Option<DateTime<Utc>>,
    /// null = not revoked.
    pub revoked_date: Option<DateTime<Utc>>,
}

impl TokenBody {
    /// The token with the time of its last use.
    pub fn of(row: ApiTokenRow, last_used_date: Option<DateTime<Utc>>) -> Self {
        Self {
            id: row.id,
            kind: "API Token",
            name: row.name,
            role: row.role,
            identity_id: row.identity_id,
            created_date: row.created_at,
            created_by: row.created_by,
            expiration_date: row.expires_at,
            last_used_date,
            revoked_date: row.revoked_at,
        }
    }
}
