//! `api_clients`: the OAuth clients that were ever made.

use std::collections::BTreeMap;

use aggregates::api_client::ApiClientEvent;
use aggregates::{DomainEvent, Recorded};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::{Applied, Apply, Projection, versions};

pub(crate) const PROJECTION: Projection = Projection {
    name: "api_clients",
    version: 1,
    aggregate_types: &[aggregates::api_client::TYPE],
    tables: "
        CREATE TABLE api_clients (
            id uuid PRIMARY KEY,
            name text NOT NULL,
            role text NOT NULL,
            scopes text[] NOT NULL,
            identity_id uuid,
            secret_sha256 text NOT NULL,
            created_at timestamptz NOT NULL,
            created_by text NOT NULL,
            revoked_at timestamptz
        );
        COMMENT ON TABLE api_clients IS 'OAuth clients that were ever made; never their secrets';
        COMMENT ON COLUMN api_clients.id IS 'The client; the client_id of its token requests';
        COMMENT ON COLUMN api_clients.name IS 'What people call it; the audit trail shows it';
        COMMENT ON COLUMN api_clients.role IS 'reader, auditor, operator or administrator';
        COMMENT ON COLUMN api_clients.scopes IS 'sp:config:read, sp:config:manage, sp:scopes:all';
        COMMENT ON COLUMN api_clients.identity_id IS 'The person it stands for';
        COMMENT ON COLUMN api_clients.secret_sha256 IS 'SHA-256 of the secret, hex';
        COMMENT ON COLUMN api_clients.created_at IS 'When it was made';
        COMMENT ON COLUMN api_clients.created_by IS 'Name of the actor that made it';
        COMMENT ON COLUMN api_clients.revoked_at IS 'When it was ended; null = not';
    ",
    apply: Apply::Alone(apply),
};

/// A client.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns' comments say it")]
pub struct ApiClientRow {
    pub id: Uuid,
    pub name: String,
    pub role: String,
    pub scopes: Vec<String>,
    pub identity_id: Option<Uuid>,
    pub secret_sha256: String,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
    pub revoked_at: Option<DateTime<Utc>>,
}

fn apply<'a>(connection: &'a mut PgConnection, batch: &'a [Recorded]) -> Applied<'a> {
    Box::pin(async move {
        let mut created: BTreeMap<Uuid, ApiClientRow> = BTreeMap::new();
        let mut revoked: Vec<(Uuid, DateTime<Utc>)> = Vec::new();
        for event in batch {
            let DomainEvent::ApiClient(client) = &*event.event else {
                continue;
            };
            match client {
                ApiClientEvent::ApiClientCreated { name, role, scopes, identity_id, secret_sha256 } => {
                    let row = ApiClientRow {
                        id: event.id(),
                        name: name.clone(),
                        role: role.as_str().to_owned(),
                        scopes: scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
                        identity_id: *identity_id,
                        secret_sha256: secret_sha256.clone(),
                        created_at: event.recorded_at,
                        created_by: event.actor.name.clone(),
                        revoked_at: None,
                    };
                    created.insert(row.id, row);
                }
                ApiClientEvent::ApiClientRevoked {} => match created.get_mut(&event.id()) {
                    Some(row) => row.revoked_at = Some(event.recorded_at),
                    None => revoked.push((event.id(), event.recorded_at)),
                },
            }
        }
        let created: Vec<_> = created.into_values().collect();
        versions::insert(connection, "api_clients", &created).await?;
        for (id, at) in revoked {
            sqlx::query("UPDATE api_clients SET revoked_at = $2 WHERE id = $1")
                .bind(id)
                .bind(at)
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    })
}

/// Every client, the newest first.
pub async fn list(executor: impl PgExecutor<'_>) -> sqlx::Result<Vec<ApiClientRow>> {
    sqlx::query_as("SELECT * FROM api_clients ORDER BY created_at DESC, id DESC").fetch_all(executor).await
}

/// The clients that aren't revoked: what a server keeps in memory to answer requests.
pub async fn usable(executor: impl PgExecutor<'_>) -> sqlx::Result<Vec<ApiClientRow>> {
    sqlx::query_as("SELECT * FROM api_clients WHERE revoked_at IS NULL").fetch_all(executor).await
}

/// The client of that name that isn't revoked.
pub async fn by_name(executor: impl PgExecutor<'_>, name: &str) -> sqlx::Result<Option<ApiClientRow>> {
    sqlx::query_as("SELECT * FROM api_clients WHERE revoked_at IS NULL AND lower(name) = lower($1)")
        .bind(name.trim())
        .fetch_optional(executor)
        .await
}
