//! `muniment token`.

use std::process::ExitCode;

use aggregates::api_token::{ApiToken, ApiTokenCommand, Role};
use anyhow::{Context as _, bail};
use clap::Subcommand;
use comfy_table::{ContentArrangement, Table};
use uuid::Uuid;

use super::Place;
use super::open::Open;
use crate::journal::{AppendError, CommandError};
use crate::tokens::{new_secret, secret_sha256};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a token; prints only its secret, this once
    Create {
        /// What people call it; the audit trail shows it
        #[arg(long)]
        name: String,
        /// reader, auditor, operator or administrator
        #[arg(long, default_value = "operator")]
        role: Role,
        /// The identity it stands for
        #[arg(long)]
        identity: Option<Uuid>,
        /// A date (2027-03-15) or time; without it the token never expires
        #[arg(long)]
        expires: Option<String>,
    },
    /// All tokens, the newest first
    List,
    /// End a token at once
    Revoke {
        /// Its name
        name: String,
    },
}

pub async fn run(place: &Place, command: Command) -> anyhow::Result<ExitCode> {
    Open::with(place, async |open| match command {
        Command::Create { name, role, identity, expires } => create(open, name, role, identity, expires).await,
        Command::List => list(open).await,
        Command::Revoke { name } => revoke(open, &name).await,
    })
    .await?;
    Ok(ExitCode::SUCCESS)
}

async fn create(
    open: &mut Open,
    name: String,
    role: Role,
    identity: Option<Uuid>,
    expires: Option<String>,
) -> anyhow::Result<()> {
    let expires_at = match &expires {
        None => None,
        Some(text) => Some(
            aggregates::values::time(text)
                .with_context(|| format!("--expires {text:?} is not {}", aggregates::values::TIME_ALLOWED))?,
        ),
    };
    open.write(async |desk| {
        if let Some(identity) = identity
            && projections::identities::find(&desk.pool, identity).await?.is_none()
        {
            bail!("no identity has the id {identity}");
        }
        let secret = new_secret()?;
        let command = ApiTokenCommand::Create {
            name: name.trim().to_owned(),
            role,
            identity_id: identity,
            expires_at,
            secret_sha256: secret_sha256(&secret),
            now: desk.clock.now(),
        };
        match desk.journal.create::<ApiToken>(desk.clock.id(), command, desk.context()).await {
            Ok(_) => println!("{secret}"),
            Err(CommandError::Append(AppendError::ClaimTaken { .. })) => bail!("another token has the name {name:?}"),
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
    table.set_header(["name", "role", "created", "by", "expires", "last used", "revoked"]);
    let time = |time: chrono::DateTime<chrono::Utc>| time.format("%Y-%m-%d %H:%M:%S").to_string();
    for token in projections::api_tokens::list(&pool).await? {
        let last_used = used.get(&token.id).copied().map(time);
        table.add_row([
            token.name,
            token.role,
            time(token.created_at),
            token.created_by,
            token.expires_at.map_or_else(|| "never".to_owned(), time),
            last_used.unwrap_or_default(),
            token.revoked_at.map(time).unwrap_or_default(),
        ]);
    }
    println!("{table}");
    pool.close().await;
    Ok(())
}

async fn revoke(open: &mut Open, name: &str) -> anyhow::Result<()> {
    open.write(async |desk| {
        let Some(token) = projections::api_tokens::by_name(&desk.pool, name).await? else {
            bail!("no token that isn't revoked has the name {name:?}");
        };
        desk.journal.execute::<ApiToken>(token.id, ApiTokenCommand::Revoke, None, desk.context()).await?;
        println!("{} is revoked", token.name);
        Ok(())
    })
    .await
}
