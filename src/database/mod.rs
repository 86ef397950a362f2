//! The database: which one, how it is reached, and that it is of this program's version.

mod migrate;
mod roles;

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor, PgPool};

pub use migrate::{expected_version, migrate};
pub use roles::Separation;

/// Schemas in which names are looked up: the tables that follow from the log, then the log and the work tables.
const SEARCH_PATH: &str = "read, journal, work, evidence, public";

/// A reachable database.
#[derive(Clone)]
pub struct Database {
    /// As its owner: migrations, rebuilds.
    owner: PgConnectOptions,
    /// As the application: may append and read events and no more.
    application: PgConnectOptions,
    /// Is the application's role apart from the owner's?
    pub separation: Separation,
}

impl Database {
    /// Reaches a database and finds out whether it has our roles; migrates nothing.
    pub async fn reach(owner: PgConnectOptions) -> sqlx::Result<Self> {
        let owner = owner.options([("search_path", SEARCH_PATH)]).application_name("muniment");
        let mut connection = sqlx::ConnectOptions::connect(&owner).await?;
        let separation = roles::separation(&mut connection).await?;
        Ok(Self::with(owner, separation))
    }

    fn with(owner: PgConnectOptions, separation: Separation) -> Self {
        let application = match separation {
            Separation::Roles => owner.clone().options([("role", roles::APPLICATION)]),
            Separation::TriggersOnly => owner.clone(),
        };
        Self { owner, application, separation }
    }

    /// Brings the database to this program's version. See [`migrate`].
    pub async fn migrate(&mut self, progress: impl FnMut(i64, i64)) -> anyhow::Result<()> {
        let mut connection = sqlx::ConnectOptions::connect(&self.owner).await?;
        migrate(&mut connection, progress).await?;
        let separation = roles::create(&mut connection).await?;
        *self = Self::with(self.owner.clone(), separation);
        Ok(())
    }

    /// How the owner connects.
    pub const fn owner(&self) -> &PgConnectOptions {
        &self.owner
    }

    /// How the application connects.
    pub const fn application(&self) -> &PgConnectOptions {
        &self.application
    }

    /// A pool of the application's connections.
    pub fn pool(&self, size: u32) -> PgPool {
        PgPoolOptions::new()
            .max_connections(size)
            .acquire_timeout(Duration::from_secs(10))
            .test_before_acquire(false)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    connection.execute("SET statement_timeout = '60s'").await?;
                    Ok(())
                })
            })
            .connect_lazy_with(self.application.clone())
    }
}
