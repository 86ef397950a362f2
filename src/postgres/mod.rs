//! The private PostgreSQL: without a `DATABASE_URL`, the program runs its own under the data directory.
//!
//! Every process that needs it opens it: the first starts it, the others adopt it, the last to close it stops it. A process
//! that is killed leaves it running, for the next to adopt. See `locks` for how they agree.

mod binaries;
mod cluster;
mod error;
mod folder;
mod locks;
mod postmaster;
mod settings;

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use binaries::Binaries;
use cluster::Cluster;
pub use error::PostgresError;
pub use locks::ServeLock;
use locks::{Starting, Using};

/// The database everything lives in.
pub const DATABASE: &str = "muniment";

/// A use of the private PostgreSQL of one data directory. `close` it; dropped, it leaves PostgreSQL running as a killed process would.
#[derive(Debug)]
pub struct PrivatePostgres {
    cluster: Cluster,
    binaries: Binaries,
    settings: Vec<(String, String)>,
    using: Using,
}

/// How often a user that keeps PostgreSQL running looks for it.
const WATCH: Duration = Duration::from_secs(1);

impl PrivatePostgres {
    /// Opens the private PostgreSQL under `data_dir`: creates both when missing, starts the server or adopts the live one, and
    /// creates the database `muniment`. `settings` are server settings beyond ours (tests: `fsync` = `off`); an adopted server
    /// keeps those it was started with.
    ///
    /// # Errors
    /// When no fitting PostgreSQL is installed, the directory is closed, unwritable or foreign, or the server does not come up.
    pub async fn open(data_dir: &Path, settings: &[(&str, &str)]) -> Result<Self, PostgresError> {
        Self::open_with(&binaries::candidates(), data_dir, settings).await
    }

    /// As `open`, with the PostgreSQL binaries of one of the folders `candidates`.
    ///
    /// # Errors
    /// As `open`.
    pub async fn open_with(
        candidates: &[PathBuf],
        data_dir: &Path,
        settings: &[(&str, &str)],
    ) -> Result<Self, PostgresError> {
        let installed = binaries::installed(candidates)?;
        let cluster = Cluster::locate(data_dir)?;
        let starting = Starting::wait(&cluster.data_dir).await?;
        let using = Using::share(&cluster.data_dir, &starting)?;

        cluster.remove_half_made();
        let written_by = cluster.written_by()?;
        let binaries = binaries::choose(&installed, &cluster.dir, written_by)?;
        if written_by.is_none() {
            cluster.initialise(&binaries, !settings.contains(&("fsync", "off"))).await?;
        }
        let connection = postmaster::connect(&cluster, &binaries, settings, &options(&cluster, "postgres")).await?;
        create_database(connection).await.map_err(|source| PostgresError::Sql {
            cluster: cluster.dir.clone(),
            action: "create the database",
            source,
        })?;
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Ok(Self { cluster, binaries, settings, using })
    }

    /// Starts PostgreSQL again whenever it ended without our doing (killed, out of memory), for ever. Whoever lives on while
    /// others come and go awaits this beside its own work.
    pub async fn keep_running(&self) {
        loop {
            tokio::time::sleep(WATCH).await;
            if postmaster::is_running(&self.cluster) {
                continue;
            }
            tracing::warn!(cluster = %self.cluster.dir.display(), "private postgresql is gone; starting it again");
            if let Err(error) = self.start_again().await {
                tracing::error!(%error, "private postgresql can't be started again");
            }
        }
    }

    async fn start_again(&self) -> Result<(), PostgresError> {
        let settings: Vec<(&str, &str)> =
            self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let _starting = Starting::wait(&self.cluster.data_dir).await?;
        let options = options(&self.cluster, "postgres");
        drop(postmaster::connect(&self.cluster, &self.binaries, &settings, &options).await?);
        Ok(())
    }

    /// How to connect to `database` as superuser.
    pub fn options(&self, database: &str) -> PgConnectOptions {
        options(&self.cluster, database)
    }

    /// The folder of `psql`, `pg_dump` and the others, of the server's version.
    pub fn bin_dir(&self) -> &Path {
        &self.binaries.dir
    }

    /// The folder of the unix socket; the port is 5432.
    pub fn socket_dir(&self) -> &Path {
        &self.cluster.socket_dir
    }

    /// Ends this use, and stops PostgreSQL when it was the last.
    ///
    /// # Errors
    /// `NotStopped` when it does not end within a minute, `Busy` when another process takes longer than two to start or stop it.
    pub async fn close(self) -> Result<(), PostgresError> {
        let Self { cluster, using, .. } = self;
        let starting = Starting::wait(&cluster.data_dir).await?;
        if using.leave(&cluster.data_dir, &starting)? {
            postmaster::stop(&cluster).await?;
        }
        Ok(())
    }
}

fn options(cluster: &Cluster, database: &str) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .socket(&cluster.socket_dir)
        .port(5432)
        .username("postgres")
        .database(database)
        .ssl_mode(PgSslMode::Disable)
}

async fn create_database(mut connection: sqlx::PgConnection) -> Result<(), sqlx::Error> {
    use sqlx::Connection;
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(DATABASE)
        .fetch_one(&mut connection)
        .await?;
    if !exists {
        sqlx::query(&format!("CREATE DATABASE {DATABASE}")).execute(&mut connection).await?;
    }
    connection.close().await
}
