//! The database that a command works on: a server of yours, or the private one.

use std::sync::Arc;

use aggregates::Actor;
use anyhow::Context as _;
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;

use super::Place;
use crate::clock::{Clock, SharedClock, SystemClock};
use crate::database::Database;
use crate::journal::{Context, Journal};
use crate::postgres::{DATABASE, PrivatePostgres};

/// An open database.
pub struct Open {
    pub database: Database,
    pub private: Option<PrivatePostgres>,
}

impl Open {
    /// Opens the database that the arguments name; the private one is started when it isn't running.
    pub async fn new(place: &Place) -> anyhow::Result<Self> {
        if let Some(url) = &place.database_url {
            let options: PgConnectOptions = url.parse().context("--database-url is no PostgreSQL URL")?;
            let database = Database::reach(options).await.context("can't reach the database of --database-url")?;
            return Ok(Self { database, private: None });
        }
        let private = PrivatePostgres::open(&place.data_dir, &[]).await?;
        match Database::reach(private.options(DATABASE)).await {
            Ok(database) => Ok(Self { database, private: Some(private) }),
            Err(error) => {
                private.close().await?;
                Err(error.into())
            }
        }
    }

    /// Does something with the database and lets go of it, whatever came out.
    pub async fn with<T>(place: &Place, work: impl AsyncFnOnce(&mut Self) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let mut open = Self::new(place).await?;
        let result = work(&mut open).await;
        open.close().await?;
        result
    }

    /// Lets go of the database; the private one stops if nobody else uses it.
    pub async fn close(self) -> anyhow::Result<()> {
        if let Some(private) = self.private {
            private.close().await?;
        }
        Ok(())
    }

    /// Does something with the journal, for commands that change something.
    pub async fn write<T>(&mut self, work: impl AsyncFnOnce(&Desk) -> anyhow::Result<T>) -> anyhow::Result<T> {
        self.database.require_current().await?;
        let pool = self.database.pool(2);
        let clock: SharedClock = Arc::new(SystemClock);
        let (journal, writer) = Journal::start(pool.clone(), self.database.application(), Arc::clone(&clock));
        let desk = Desk { pool, journal, clock };
        let result = work(&desk).await;
        desk.pool.close().await;
        drop(desk);
        writer.await?;
        result
    }
}

/// What a command that changes something has at hand.
pub struct Desk {
    pub pool: PgPool,
    pub journal: Journal,
    pub clock: SharedClock,
}

impl Desk {
    /// The context of a command: `cli` and the operating system's user.
    pub fn context(&self) -> Context {
        context(&*self.clock)
    }
}

/// The context of what the command line does: `cli` and the operating system's user.
pub fn context(clock: &dyn Clock) -> Context {
    Context::of(Actor::cli(&user()), clock.id().simple().to_string())
}

/// The name of the user who runs the program.
fn user() -> String {
    let uid = rustix::process::getuid().as_raw().to_string();
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    });
    name.unwrap_or(uid)
}
