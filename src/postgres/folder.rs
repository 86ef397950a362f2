//! The folders, and the account PostgreSQL runs as.
//!
//! ```text
//! data_dir/                 ours
//! data_dir/postgres/        PostgreSQL's data directory, and its socket when the path is short enough
//! data_dir/postgres.log     what PostgreSQL prints
//! /tmp/muniment-<hash>/     the socket otherwise
//! ```

use std::fs::{self, DirBuilder, Permissions};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;
use sha2::{Digest, Sha256};
use tokio::process::Command;

use super::error::{PostgresError, io_error, unwritable};

/// Suggested when the chosen data directory is out of PostgreSQL's reach.
pub(super) const REACHABLE: &str = "/var/lib/muniment";
/// `sun_path` has 108 bytes, the last of them zero.
const SOCKET_PATH_MAX: usize = 107;
const SOCKET_NAME: &str = ".s.PGSQL.5432";

/// Who PostgreSQL runs as. It refuses root.
#[derive(Debug, Clone)]
pub(super) struct Account {
    uid: u32,
    gid: u32,
    name: String,
}

impl Account {
    /// Ourselves, unless we are root: then the owner of `cluster`, or `postgres` for a new one.
    fn of(cluster: &Path) -> Result<Self, PostgresError> {
        if !geteuid().is_root() {
            let (uid, gid) = (geteuid().as_raw(), rustix::process::getegid().as_raw());
            return Ok(Self { uid, gid, name: format!("user {uid}") });
        }
        match fs::metadata(cluster) {
            Ok(metadata) if metadata.uid() != 0 => {
                Ok(Self { uid: metadata.uid(), gid: metadata.gid(), name: format!("user {}", metadata.uid()) })
            }
            _ => Self::postgres(),
        }
    }

    fn postgres() -> Result<Self, PostgresError> {
        let path = Path::new("/etc/passwd");
        let users = fs::read_to_string(path).map_err(io_error("read", path))?;
        // name:password:uid:gid:..
        let mut fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let user = fields.find(|fields| fields.first() == Some(&"postgres"));
        let id = |at: usize| user.as_ref().and_then(|fields| fields.get(at)?.parse().ok());
        let (uid, gid) = id(2).zip(id(3)).ok_or(PostgresError::NoAccount)?;
        Ok(Self { uid, gid, name: "user postgres".to_owned() })
    }

    /// Makes `command` run as this account; std then drops the supplementary groups too.
    pub(super) fn run(&self, command: &mut Command) {
        if geteuid().is_root() {
            command.uid(self.uid).gid(self.gid);
        }
    }

    /// Gives `path` to this account.
    pub(super) fn own(&self, path: &Path) -> Result<(), PostgresError> {
        if !geteuid().is_root() {
            return Ok(());
        }
        chown(path, Some(self.uid), Some(self.gid)).map_err(io_error("change the owner of", path))
    }

    /// Makes the folder `path`, which only this account may enter.
    pub(super) fn create_private(&self, path: &Path) -> Result<(), PostgresError> {
        DirBuilder::new().mode(0o700).create(path).map_err(unwritable(path))?;
        self.own(path)
    }

    /// Whether this account may pass through `path` and every folder above it.
    fn check_reach(&self, path: &Path, data_dir: &Path) -> Result<(), PostgresError> {
        for folder in path.ancestors() {
            let metadata = fs::metadata(folder).map_err(io_error("inspect", folder))?;
            let search_bit = match (metadata.uid() == self.uid, metadata.gid() == self.gid) {
                (true, _) => 0o100,
                (false, true) => 0o010,
                (false, false) => 0o001,
            };
            if metadata.mode() & search_bit == 0 {
                let (data_dir, closed) = (data_dir.to_owned(), folder.to_owned());
                return Err(PostgresError::Closed { data_dir, closed, account: self.name.clone() });
            }
        }
        Ok(())
    }
}

/// Creates the data directory when missing, finds the account for it, and makes sure the one is within reach of the other.
/// Returns the directory's canonical path: PostgreSQL runs in another working directory.
pub(super) fn prepare(data_dir: &Path) -> Result<(PathBuf, Account), PostgresError> {
    let account = Account::of(&data_dir.join("postgres"))?;
    let absolute = std::path::absolute(data_dir).map_err(io_error("resolve", data_dir))?;
    if geteuid().is_root()
        && let Some(existing) = absolute.ancestors().find_map(|folder| folder.canonicalize().ok())
    {
        account.check_reach(&existing, &absolute)?; // before anything is created there
    }
    create(&absolute)?;
    let canonical = absolute.canonicalize().map_err(io_error("resolve", &absolute))?;
    if geteuid().is_root() {
        account.check_reach(&canonical, &canonical)?;
    }
    Ok((canonical, account))
}

/// Creates the data directory when missing. Root leaves it open to passage, whatever the umask: PostgreSQL is another user.
pub(super) fn create(data_dir: &Path) -> Result<(), PostgresError> {
    if data_dir.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).create(data_dir).map_err(unwritable(data_dir))?;
    if geteuid().is_root() {
        fs::set_permissions(data_dir, Permissions::from_mode(0o711)).map_err(unwritable(data_dir))?;
    }
    Ok(())
}

/// The folder of the unix socket: the cluster's own, or one under /tmp when that path is too long for a socket.
/// Not `$TMPDIR`: every process must find the same one, whatever its environment.
pub(super) fn socket_dir(cluster: &Path) -> PathBuf {
    if cluster.join(SOCKET_NAME).as_os_str().len() <= SOCKET_PATH_MAX {
        return cluster.to_owned();
    }
    let hash = Sha256::digest(cluster.as_os_str().as_bytes());
    let name = hash.iter().take(8).fold("muniment-".to_owned(), |name, byte| format!("{name}{byte:02x}"));
    Path::new("/tmp").join(name)
}

/// Makes sure only `account` may enter `path`. Anyone may create a folder of that name in /tmp, so an existing one is not trusted blindly.
pub(super) fn create_socket_dir(path: &Path, account: &Account) -> Result<(), PostgresError> {
    match account.create_private(path) {
        Err(PostgresError::Unwritable { source, .. }) if source.kind() == ErrorKind::AlreadyExists => {}
        created => return created,
    }
    let metadata = fs::symlink_metadata(path).map_err(io_error("inspect", path))?;
    let ours = metadata.uid() == account.uid || metadata.uid() == geteuid().as_raw();
    if !metadata.is_dir() || !ours || metadata.mode() & 0o077 != 0 {
        return Err(PostgresError::SocketFolder { path: path.to_owned(), account: account.name.clone() });
    }
    account.own(path) // we may have been killed before we could
}

/// Removes a folder `create_socket_dir` made, now that PostgreSQL has left it. Litter in /tmp is no reason to fail.
pub(super) fn remove_socket_dir(path: &Path, cluster: &Path) {
    if path != cluster {
        let _ = fs::remove_dir(path);
    }
}

/// The lock file beside the socket.
pub(super) fn socket_lock(socket_dir: &Path) -> PathBuf {
    socket_dir.join(format!("{SOCKET_NAME}.lock"))
}
