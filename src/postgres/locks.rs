//! The three locks of a data directory. All are `flock`s, so they end with their process, however it ends; std opens files
//! close-on-exec, so PostgreSQL does not inherit them.
//!
//! - `pg.lock`: shared by every process that uses the private PostgreSQL. Whoever can make it exclusive is alone, and stops PostgreSQL.
//! - `start.lock`: exclusive while somebody starts or stops PostgreSQL. `pg.lock` changes hands only under it: two who leave
//!   at once cannot both believe the other stays, and nobody arrives at a PostgreSQL that is about to stop.
//! - `serve.lock`: exclusive, one `serve` a directory.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::error::{PostgresError, io_error, unwritable};
use super::folder;

/// Longer than the longest start: who waits here, waits for one.
const START_LOCK_WAIT: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_millis(20);

/// Holds `start.lock` until dropped.
#[derive(Debug)]
pub(super) struct Starting(File);

impl Starting {
    /// # Errors
    /// `Busy` after two minutes, `Unwritable` when the file cannot be made.
    pub(super) async fn wait(data_dir: &Path) -> Result<Self, PostgresError> {
        let path = data_dir.join("start.lock");
        let file = open(&path)?;
        let deadline = Instant::now() + START_LOCK_WAIT;
        while !try_lock(&file, &path)? {
            if Instant::now() > deadline {
                return Err(PostgresError::Busy { path, seconds: START_LOCK_WAIT.as_secs() });
            }
            sleep(POLL).await;
        }
        Ok(Self(file))
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        // A process forked a moment ago shares the file until it calls exec: closing alone would not unlock. Closing follows anyway.
        let _ = self.0.unlock();
    }
}

/// Holds `pg.lock` shared until dropped.
#[derive(Debug)]
pub(super) struct Using(File);

impl Using {
    /// # Errors
    /// `Busy` when somebody holds `pg.lock` exclusively without `start.lock`, as no process of ours does.
    pub(super) fn share(data_dir: &Path, _: &Starting) -> Result<Self, PostgresError> {
        let path = data_dir.join("pg.lock");
        let file = open(&path)?;
        match file.try_lock_shared() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(PostgresError::Busy { path, seconds: 0 }),
            Err(TryLockError::Error(source)) => Err(io_error("lock", &path)(source)),
        }
    }

    /// Gives the lock up. True when nobody else holds it; nobody will until `starting` is dropped.
    pub(super) fn leave(self, data_dir: &Path, _starting: &Starting) -> Result<bool, PostgresError> {
        let path = data_dir.join("pg.lock");
        self.0.unlock().map_err(io_error("unlock", &path))?;
        try_lock(&self.0, &path)
    }
}

impl Drop for Using {
    fn drop(&mut self) {
        let _ = self.0.unlock(); // as for Starting
    }
}

/// `data_dir/serve.lock`, held while a server runs. The file says who holds it.
#[derive(Debug)]
pub struct ServeLock {
    _file: File,
}

impl ServeLock {
    /// `holder` is what others are told about us beside our process id: the address we listen on.
    ///
    /// # Errors
    /// `InUse` when another server has the directory, `Unwritable` when the lock cannot be made.
    pub fn take(data_dir: &Path, holder: &str) -> Result<Self, PostgresError> {
        folder::create(data_dir)?;
        let path = data_dir.join("serve.lock");
        let mut file = open(&path)?;
        if !try_lock(&file, &path)? {
            let mut holder = String::new();
            file.read_to_string(&mut holder).map_err(io_error("read", &path))?;
            // Empty for the instant between the holder's lock and its writing.
            let holder = if holder.is_empty() { "another process".to_owned() } else { holder.trim().to_owned() };
            return Err(PostgresError::InUse { data_dir: data_dir.to_owned(), holder });
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "process {} at {holder}", std::process::id()))
            .map_err(unwritable(&path))?;
        Ok(Self { _file: file })
    }
}

fn open(path: &Path) -> Result<File, PostgresError> {
    // 0600: whoever may read a file may lock it.
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.open(path).map_err(unwritable(path))
}

fn try_lock(file: &File, path: &Path) -> Result<bool, PostgresError> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(source)) => Err(io_error("lock", path)(source)),
    }
}
