//! What can go wrong with the private PostgreSQL. Each message says what was found, where, and what to do.

use std::io;
use std::path::{Path, PathBuf};

use super::folder::REACHABLE;

#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    #[error(
        "no PostgreSQL found: no folder of `pg_config --bindir`, PATH or /usr/lib/postgresql/*/bin holds both initdb and postgres; \
         install it (`apt-get install postgresql`) or name a server with --database-url"
    )]
    NoBinaries,

    #[error(
        "{} was written by PostgreSQL {found}, but only {installed} is installed; install it (`apt-get install postgresql-{found}`) \
         or choose another --data-dir",
        .cluster.display()
    )]
    OtherVersion { cluster: PathBuf, found: u32, installed: String },

    #[error(
        "{} is not empty and has no PG_VERSION, so it is no PostgreSQL data directory; move it away or choose another --data-dir",
        .0.display()
    )]
    NotACluster(PathBuf),

    #[error(
        "PostgreSQL refuses to run as root, and /etc/passwd has no user `postgres` to run it as; add one (`useradd --system postgres`) or do not run as root"
    )]
    NoAccount,

    #[error(
        "PostgreSQL runs as {account}, who cannot enter {}, so the data directory {} is out of reach; \
         choose another --data-dir, such as {REACHABLE}, or open the folder (`chmod o+x`)",
        .closed.display(), .data_dir.display()
    )]
    Closed { data_dir: PathBuf, closed: PathBuf, account: String },

    #[error(
        "cannot write {}: {source}; the data directory must be a folder this user may write: run as its owner or choose another --data-dir",
        .path.display()
    )]
    Unwritable { path: PathBuf, source: io::Error },

    #[error("the socket folder {} must belong to {account} and be closed to everyone else; remove it", .path.display())]
    SocketFolder { path: PathBuf, account: String },

    #[error("{} is in use by {holder}; stop that server or choose another --data-dir", .data_dir.display())]
    InUse { data_dir: PathBuf, holder: String },

    #[error("another process holds {} (waited {seconds} s), as one does while it starts or stops PostgreSQL; try again when it has ended", .path.display())]
    Busy { path: PathBuf, seconds: u64 },

    #[error("initdb could not create {}: {output}", .cluster.display())]
    Initdb { cluster: PathBuf, output: String },

    #[error("PostgreSQL ended while it started; the end of {}:\n{tail}", .log.display())]
    Exited { log: PathBuf, tail: String },

    #[error("PostgreSQL takes no connections after {seconds} s (it may still be recovering: try again); the end of {}:\n{tail}", .log.display())]
    NotReady { log: PathBuf, seconds: u64, tail: String },

    #[error("PostgreSQL (process {pid}) has not stopped {seconds} s after SIGINT; see {}", .log.display())]
    NotStopped { pid: i32, seconds: u64, log: PathBuf },

    #[error("the private PostgreSQL in {} refused to {action}: {source}", .cluster.display())]
    Sql { cluster: PathBuf, action: &'static str, source: sqlx::Error },

    #[error("cannot {action} {}: {source}", .path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
}

/// For `map_err`: what was tried, and on which path.
pub(super) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PostgresError {
    move |source| PostgresError::Io { action, path: path.to_owned(), source }
}

/// For `map_err`: a path of the data directory that could not be written.
pub(super) fn unwritable(path: &Path) -> impl FnOnce(io::Error) -> PostgresError {
    move |source| PostgresError::Unwritable { path: path.to_owned(), source }
}
