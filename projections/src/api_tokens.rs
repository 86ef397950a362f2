//! `api_tokens`: the tokens that were ever made.

use std::collections::BTreeMap;

use aggregates::api_token::ApiTokenEvent;
use aggregates::{DomainEvent, Recorded};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::{Applied, Apply, Projection, versions};

pub(crate) const PROJECTION: Projection = Projection {
    name: "api_tokens",
    version: 1,
    aggregate_types: &[aggregates::api_token::TYPE],
    tables: "
        CREATE TABLE api_tokens (
            id uuid PRIMARY KEY,
            name text NOT NULL,
            role text NOT NULL,
            identity_id uuid,
            secret_sha256 text NOT NULL,
            created_at timestamptz NOT NULL,
            created_by text NOT NULL,
            expires_at timestamptz,
            revoked_at timestamptz
        );
        COMMENT ON TABLE api_tokens IS 'API tokens that were ever made; never their secrets';
        COMMENT ON COLUMN api_tokens.id IS 'The token';
        COMMENT ON COLUMN api_tokens.name IS 'What people call it; the audit trail shows it';
        COMMENT ON COLUMN api_tokens.role IS 'reader, auditor, operator or administrator';
        COMMENT ON COLUMN api_tokens.identity_id IS 'The person it stands for';
        COMMENT ON COLUMN api_tokens.secret_sha256 IS 'SHA-256 of the secret, hex';
        COMMENT ON COLUMN api_tokens.created_at IS 'When it was made';
        COMMENT ON COLUMN api_tokens.created_by IS 'Name of the actor that made it';
        COMMENT ON COLUMN api_tokens.expires_at IS 'From then on it is refused; null = never';
        COMMENT ON COLUMN api_tokens.revoked_at IS 'When it was ended; null = not';
    ",
    apply: Apply::Alone(apply),
};

/// A token.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns' comments say it")]
pub struct ApiTokenRow {
    pub id: Uuid,
    pub name: String,
    pub role: String,
    pub identity_id: Option<Uuid>,
    pub secret_sha256: String,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
    pub expires_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
}

fn apply<'a>(connection: &'a mut PgConnection, batch: &'a [Recorded]) -> Applied<'a> {
    Box::pin(async move {
        let mut created: BTreeMap<Uuid, ApiTokenRow> = BTreeMap::new();
        let mut revoked: Vec<(Uuid, DateTime<Utc>)> = Vec::new();
        for event in batch {
            let DomainEvent::ApiToken(token) = &*event.event else {
                continue;
            };
            match token {
                ApiTokenEvent::ApiTokenCreated { name, role, identity_id, expires_at, secret_sha256 } => {
                    let row = ApiTokenRow {
                        id: event.id(),
                        name: name.clone(),
                        role: role.as_str().to_owned(),
                        identity_id: *identity_id,
                        secret_sha256: secret_sha256.clone(),
                        created_at: event.recorded_at,
                        created_by: event.actor.name.clone(),
                        expires_at: *expires_at,
                        revoked_at: None,
                    };
                    created.insert(row.id, row);
                }
                ApiTokenEvent::ApiTokenRevoked {} => match created.get_mut(&event.id()) {
                    Some(row) => row.revoked_at = Some(event.recorded_at),
                    None => revoked.push((event.id(), event.recorded_at)),
                },
            }
        }
        let created: Vec<_> = created.into_values().collect();
        versions::insert(connection, "api_tokens", &created).await?;
        for (id, at) in revoked {
            sqlx::query("UPDATE api_tokens SET revoked_at = $2 WHERE id = $1")
                .bind(id)
                .bind(at)
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    })
}

/// Every token, the newest first.
pub async fn list(executor: impl PgExecutor<'_>) -> sqlx::Result<Vec<ApiTokenRow>> {
    sqlx::query_as("SELECT * FROM api_tokens ORDER BY created_at DESC, id DESC").fetch_all(executor).await
}

/// The tokens that aren't revoked: what a server keeps in memory to answer requests.
pub async fn usable(executor: impl PgExecutor<'_>) -> sqlx::Result<Vec<ApiTokenRow>> {
    sqlx::query_as("SELECT * FROM api_tokens WHERE revoked_at IS NULL").fetch_all(executor).await
}

/// The token of that name that isn't revoked.
pub async fn by_name(executor: impl PgExecutor<'_>, name: &str) -> sqlx::Result<Option<ApiTokenRow>> {
    sqlx::query_as("SELECT * FROM api_tokens WHERE revoked_at IS NULL AND lower(name) = lower($1)")
        .bind(name.trim())
        .fetch_optional(executor)
        .await
}
