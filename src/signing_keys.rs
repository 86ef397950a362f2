//! Which key signs access tokens: made at first start, replaced on demand.

use aggregates::settings::{self, Settings, SettingsCommand};
use anyhow::Context as _;
use sqlx::PgPool;
use uuid::Uuid;

use crate::clock::Clock;
use crate::journal::{AppendError, CommandError, Context, Journal};
use crate::tokens::random;
use crate::work::signing_keys;

/// Brings a key into force where none is, or where the bytes of the one in force are lost.
pub async fn ensure(pool: &PgPool, journal: &Journal, clock: &dyn Clock, context: Context) -> anyhow::Result<()> {
    loop {
        let settings = journal.load::<Settings>(settings::ID).await?;
        if let Some(id) = settings.aggregate.signing_key
            && signing_keys::find(pool, id).await?.is_some()
        {
            return Ok(());
        }
        let id = make(pool, clock).await?;
        let (command, version) = (SettingsCommand::RotateSigningKey(id), settings.version);
        match journal.execute_on(settings, command, Some(version), context.clone()).await {
            // Perhaps another server made one: that one is to stay, since tokens may be signed with it already.
            Err(CommandError::Append(AppendError::Conflict { .. })) => {}
            other => return other.map(drop).context("no key to sign access tokens with"),
        }
    }
}

/// Brings a new key into force; what the old one signed is refused when this returns. Gives the new key's id.
pub async fn rotate(pool: &PgPool, journal: &Journal, clock: &dyn Clock, context: Context) -> anyhow::Result<Uuid> {
    let id = make(pool, clock).await?;
    journal.execute::<Settings>(settings::ID, SettingsCommand::RotateSigningKey(id), None, context).await?;
    Ok(id)
}

/// Kept before it comes into force, so that every server which hears of it finds it.
async fn make(pool: &PgPool, clock: &dyn Clock) -> anyhow::Result<Uuid> {
    let id = clock.id();
    signing_keys::keep(pool, id, &random::<64>()?, clock.now()).await?;
    Ok(id)
}
