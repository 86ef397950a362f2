//! The database: how it is reached, as whom, and that it is of this program's version.

mod migrate;
mod roles;

use std::time::Duration;

use anyhow::bail;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Executor, PgConnection, PgPool};

pub use migrate::expected_version;
pub use roles::Separation;

/// Schemas in which names are looked up, without blanks, which the connection options would end at: the tables that follow from the log, then the log and the work tables.
const SEARCH_PATH: &str = "read,journal,work,evidence,public";

/// How long plans for what people ask are kept: while a table grows from ten rows to a million, a page of it would take seconds. Another
/// connection costs some 5 ms.
const PLANS_LAST: Duration = Duration::from_secs(5);

/// A database that can be reached.
#[derive(Debug, Clone)]
pub struct Database {
    options: PgConnectOptions,
    /// How the log is kept from being changed.
    pub separation: Separation,
}

/// How a database stands to this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Version {
    /// Nothing of ours is in it.
    Empty,
    /// As this program expects.
    Current,
    /// Made by another version: its migration and projections.
    Other(i64, String),
}

impl Database {
    /// Reaches a database; migrates nothing.
    pub async fn reach(options: PgConnectOptions) -> sqlx::Result<Self> {
        let options = options.application_name("muniment");
        let mut connection = options.connect().await?;
        let separation = roles::separation(&mut connection).await?;
        Ok(Self { options, separation })
    }

    /// How it stands to this program.
    pub async fn version(&self) -> sqlx::Result<Version> {
        let mut connection = self.options.connect().await?;
        let is_ours: bool = sqlx::query_scalar("SELECT to_regclass('journal.schema_version') IS NOT NULL")
            .fetch_one(&mut connection)
            .await?;
        if !is_ours {
            return Ok(Version::Empty);
        }
        let found: Option<(i64, String)> = sqlx::query_as("SELECT migration, projections FROM journal.schema_version")
            .fetch_optional(&mut connection)
            .await?;
        Ok(match found {
            None => Version::Empty,
            Some(found) if found == expected_version() => Version::Current,
            Some((migration, projections)) => Version::Other(migration, projections),
        })
    }

    /// Brings the database to this program's version: roles, migrations, tables of the projections. Safe to run again and
    /// from two processes at once. `progress(position, head)` is told how far a rebuild is.
    pub async fn migrate(&mut self, progress: impl FnMut(i64, i64)) -> anyhow::Result<()> {
        let mut connection = self.options.connect().await?;
        self.separation = roles::ensure(&mut connection).await?;
        drop(connection);
        let mut connection = self.owner().connect().await?;
        if migrate::migrate(&mut connection).await? {
            self.rebuild(progress).await?;
        }
        if self.separation == Separation::Roles {
            roles::grant(&mut connection).await?;
        }
        Ok(())
    }

    /// Fails unless the database is of this program's version; an empty one is set up.
    pub async fn require_current(&mut self) -> anyhow::Result<()> {
        match self.version().await? {
            Version::Current => Ok(()),
            Version::Empty => self.migrate(|_, _| ()).await,
            Version::Other(migration, projections) => bail!(
                "the database is at migration {migration} with projections {projections}; this program expects another. \
                 Run `muniment migrate` (or `muniment serve`) of the version you want"
            ),
        }
    }

    /// Rebuilds every projection beside the live tables.
    pub async fn rebuild(&self, progress: impl FnMut(i64, i64)) -> anyhow::Result<i64> {
        let (mut connection, reader) = (self.owner().connect().await?, self.owner().connect().await?);
        let grants = (self.separation == Separation::Roles).then_some(roles::grants_on as fn(&str) -> String);
        Ok(projections::rebuild::rebuild(&mut connection, reader, grants, progress).await?)
    }

    /// A connection of the owner: migrations, rebuilds, verification.
    pub async fn connect_owner(&self) -> sqlx::Result<PgConnection> {
        self.owner().connect().await
    }

    fn owner(&self) -> PgConnectOptions {
        self.with_role(roles::OWNER)
    }

    /// How the application connects: it may append and read events and no more.
    ///
    /// All it asks is answered by indexes, so plans are kept: planning a statement again each time costs more than running it.
    /// A plan made while a table was empty must not read the whole table when it is large, so scanning whole tables is the last
    /// resort; the price that this puts on small tables without an index must not call for compiled plans. It can still join the
    /// wrong way round, so no plan is kept for long.
    pub fn application(&self) -> PgConnectOptions {
        self.with_role(roles::APPLICATION).options([
            ("enable_seqscan", "off"),
            // Nor must a page be sorted or merged out of a whole table that an index already holds in order.
            ("enable_bitmapscan", "off"),
            ("enable_mergejoin", "off"),
            ("plan_cache_mode", "force_generic_plan"),
            ("jit", "off"),
        ])
    }

    fn with_role(&self, role: &str) -> PgConnectOptions {
        let options = self.options.clone().options([("search_path", SEARCH_PATH)]);
        match self.separation {
            Separation::Roles => options.options([("role", role)]),
            Separation::TriggersOnly => options,
        }
    }

    /// A pool of the application's connections, for what people ask. With a connection go its plans.
    pub fn pool(&self, size: u32) -> PgPool {
        pool_options(size).max_lifetime(PLANS_LAST).connect_lazy_with(self.application())
    }

    /// A pool of the application's connections, for what is done with many rows. A plan made while tables were small may go through
    /// all of one for each row of another, so plans are made again whenever a connection is taken.
    pub fn workers(&self, size: u32) -> PgPool {
        pool_options(size)
            .before_acquire(|connection, _| {
                Box::pin(async move {
                    connection.execute("DISCARD PLANS").await?;
                    Ok(true)
                })
            })
            .connect_lazy_with(self.application())
    }
}

fn pool_options(size: u32) -> PgPoolOptions {
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
}
