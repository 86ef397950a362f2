//! PostgreSQL's data directory: what it is, and how it comes into being.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::binaries::{self, Binaries};
use super::error::{PostgresError, io_error};
use super::folder::{self, Account};

const HALF_MADE: &str = "postgres.initdb-";

/// The paths and the owner of one private PostgreSQL.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) data_dir: PathBuf,
    pub(super) dir: PathBuf,
    pub(super) socket_dir: PathBuf,
    pub(super) log: PathBuf,
    pub(super) account: Account,
}

impl Cluster {
    /// Prepares `data_dir` and says where its cluster is or will be.
    pub(super) fn locate(data_dir: &Path) -> Result<Self, PostgresError> {
        let (data_dir, account) = folder::prepare(data_dir)?;
        let dir = data_dir.join("postgres");
        Ok(Self { socket_dir: folder::socket_dir(&dir), log: data_dir.join("postgres.log"), dir, data_dir, account })
    }

    /// The major version that wrote the cluster; `None` when there is none yet.
    pub(super) fn written_by(&self) -> Result<Option<u32>, PostgresError> {
        let path = self.dir.join("PG_VERSION");
        match fs::read_to_string(&path) {
            Ok(version) => {
                binaries::major(&version).map(Some).ok_or_else(|| PostgresError::NotACluster(self.dir.clone()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let occupied = fs::read_dir(&self.dir).is_ok_and(|mut entries| entries.next().is_some());
                if occupied { Err(PostgresError::NotACluster(self.dir.clone())) } else { Ok(None) }
            }
            Err(source) => Err(io_error("read", &path)(source)),
        }
    }

    /// Runs initdb beside the final place and renames: whatever kills us leaves a whole cluster or none.
    pub(super) async fn initialise(&self, binaries: &Binaries, sync: bool) -> Result<(), PostgresError> {
        // A name of our own: the initdb of a killed process may still be writing into the one it was given.
        let half_made = self.data_dir.join(format!("{HALF_MADE}{}", std::process::id()));
        tracing::info!(cluster = %self.dir.display(), version = binaries.major, "creating the private postgresql");
        let made = self.initdb(binaries, &half_made, "C.UTF-8", sync).await;
        if matches!(&made, Err(PostgresError::Initdb { output, .. }) if output.contains("locale")) {
            // Older systems lack C.UTF-8; C differs in the case of letters beyond ASCII only.
            self.remove_half_made();
            self.initdb(binaries, &half_made, "C", sync).await?;
        } else {
            made?;
        }
        fs::rename(&half_made, &self.dir).map_err(io_error("move the new cluster to", &self.dir))?;
        File::open(&self.data_dir).and_then(|folder| folder.sync_all()).map_err(io_error("sync", &self.data_dir))
    }

    async fn initdb(&self, binaries: &Binaries, dir: &Path, locale: &str, sync: bool) -> Result<(), PostgresError> {
        self.account.create_private(dir)?;
        let mut command = Command::new(binaries.dir.join("initdb"));
        // Trust lets anyone who reaches the socket be superuser: safe because nobody but the account can enter its 0700 folder.
        command.args(["--encoding=UTF8", "--auth=trust", "--username=postgres"]);
        command.arg(format!("--locale={locale}")).arg("--pgdata").arg(dir);
        if !sync {
            command.arg("--no-sync");
        }
        // The account may be unable to enter our working directory; LC_ALL rules out a translated output.
        command.current_dir("/").env("LC_ALL", "C").stdin(Stdio::null()).kill_on_drop(true);
        self.account.run(&mut command);
        let output = command.output().await.map_err(io_error("run initdb for", dir))?;
        if output.status.success() {
            return Ok(());
        }
        let output = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(PostgresError::Initdb { cluster: self.dir.clone(), output })
    }

    /// Removes what killed processes left. Best effort: an initdb that outlived its parent may still be writing there; then
    /// the next to open tries again. The caller holds `start.lock`.
    pub(super) fn remove_half_made(&self) {
        for entry in fs::read_dir(&self.data_dir).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(HALF_MADE) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}
