//! `muniment client`: OAuth clients (contracts §2.4), and the key that signs their access tokens.

use std::process::ExitCode;

use aggregates::api_client::{ApiClient, ApiClientCommand, Scope};
use aggregates::api_token::Role;
use anyhow::bail;
use clap::Subcommand;
use comfy_table::{ContentArrangement, Table};
use serde_json::json;
use uuid::Uuid;

use super::Place;
use super::open::Open;
use crate::journal::{AppendError, CommandError};
use crate::signing_keys;
use crate::tokens::{new_secret, secret_sha256};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a client; prints only its id and its secret as JSON, this once
    Create {
        /// What people call it; the audit trail shows it
        #[arg(long)]
        name: String,
        /// reader, auditor, operator or administrator
        #[arg(long, default_value = "operator")]
        role: Role,
        /// sp:config:read, sp:config:manage or sp:scopes:all; may be given several times
        #[arg(long = "scope", default_value = "sp:scopes:all")]
        scopes: Vec<Scope>,
        /// The identity it stands for
        #[arg(long)]
        identity: Option<Uuid>,
    },
    /// All clients, the newest first
    List,
    /// End a client and all its access tokens at once
    Revoke {
        /// Its name
        name: String,
    },
    /// Sign access tokens with a new key; those that were given out before are refused at once
    RotateKey,
}

pub async fn run(place: &Place, command: Command) -> anyhow::Result<ExitCode> {
    Open::with(place, async |open| match command {
        Command::Create { name, role, scopes, identity } => create(open, name, role, scopes, identity).await,
        Command::List => list(open).await,
        Command::Revoke { name } => revoke(open, &name).await,
        Command::RotateKey => rotate_key(open).await,
    })
    .await?;
    Ok(ExitCode::SUCCESS)
}

async fn create(
    open: &mut Open,
    name: String,
    role: Role,
    scopes: Vec<Scope>,
    identity: Option<Uuid>,
) -> anyhow::Result<()> {
    open.write(async |desk| {
        if let Some(identity) = identity
            && projections::identities::find(&desk.pool, identity).await?.is_none()
        {
            bail!("no identity has the id {identity}");
        }
        let (id, secret) = (desk.clock.id(), new_secret()?);
        let command = ApiClientCommand::Create {
            name: name.trim().to_owned(),
            role,
            scopes,
            identity_id: identity,
            secret_sha256: secret_sha256(&secret),
        };
        match desk.journal.create::<ApiClient>(id, command, desk.context()).await {
            Ok(_) => println!("{}", json!({"client_id": id, "client_secret": secret})),
            Err(CommandError::Append(AppendError::ClaimTaken { .. })) => bail!("another client has the name {name:?}"),
            Err(CommandError::Refused(aggregates::Refusal::Invalid(violations))) => {
                let reasons: Vec<String> = violations.into_iter().map(|violation| violation.message).collect();
                bail!("{}", reasons.join("; "));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    })
    .await
}

async fn list(open: &mut Open) -> anyhow::Result<()> {
    open.database.require_current().await?;
    let pool = open.database.pool(1);
    let used = crate::work::token_usage::all(&pool).await?;
    let mut table = Table::new();
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["name", "client_id", "role", "scopes", "created", "by", "last used", "revoked"]);
    let time = |time: chrono::DateTime<chrono::Utc>| time.format("%Y-%m-%d %H:%M:%S").to_string();
    for client in projections::api_clients::list(&pool).await? {
        let last_used = used.get(&client.id).copied().map(time);
        table.add_row([
            client.name,
            client.id.to_string(),
            client.role,
            client.scopes.join(" "),
            time(client.created_at),
            client.created_by,
            last_used.unwrap_or_default(),
            client.revoked_at.map(time).unwrap_or_default(),
        ]);
    }
    println!("{table}");
    pool.close().await;
    Ok(())
}

async fn revoke(open: &mut Open, name: &str) -> anyhow::Result<()> {
    open.write(async |desk| {
        let Some(client) = projections::api_clients::by_name(&desk.pool, name).await? else {
            bail!("no client that isn't revoked has the name {name:?}");
        };
        desk.journal.execute::<ApiClient>(client.id, ApiClientCommand::Revoke, None, desk.context()).await?;
        println!("{} is revoked", client.name);
        Ok(())
    })
    .await
}

async fn rotate_key(open: &mut Open) -> anyhow::Result<()> {
    open.write(async |desk| {
        let id = signing_keys::rotate(&desk.pool, &desk.journal, &*desk.clock, desk.context()).await?;
        println!("access tokens are signed with the key {id}; those signed before are refused");
        Ok(())
    })
    .await
}
