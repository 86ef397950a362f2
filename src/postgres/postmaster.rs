//! The postmaster: PostgreSQL's parent process. It outlives ours when ours is killed, and the next to come adopts it.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Error as SqlError};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout_at};

use super::binaries::Binaries;
use super::cluster::Cluster;
use super::error::{PostgresError, io_error};
use super::{folder, settings};

/// Enough for a crash recovery of a few gigabytes.
const START_WAIT: Duration = Duration::from_mins(1);
const STOP_WAIT: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(25);
const LOG_LINES: usize = 12;

/// Returns a connection to the cluster's postmaster, started here unless it already runs.
/// The caller holds `start.lock`.
///
/// # Errors
/// `Exited` and `NotReady` with the end of the log; `Sql` when a connection is refused for good.
pub(super) async fn connect(
    cluster: &Cluster,
    binaries: &Binaries,
    settings: &[(&str, &str)],
    options: &PgConnectOptions,
) -> Result<PgConnection, PostgresError> {
    let deadline = Instant::now() + START_WAIT;
    let mut started: Option<Child> = None;
    let mut log_start = log_length(cluster);
    loop {
        let ended = match &mut started {
            Some(child) => child.try_wait().map_err(io_error("wait for", &binaries.dir))?.is_some(),
            None => true,
        };
        if running(&cluster.dir).is_some() {
            // Also after our own child ended: a postmaster whose starter was killed a moment ago can win the race for the pid file.
            match timeout_at(deadline, options.connect()).await {
                Ok(Ok(connection)) => {
                    tracing::info!(cluster = %cluster.dir.display(), adopted = ended, "private postgresql is up");
                    reap(started);
                    return Ok(connection);
                }
                Ok(Err(source)) if !may_pass(&source) => {
                    return Err(PostgresError::Sql {
                        cluster: cluster.dir.clone(),
                        action: "take a connection",
                        source,
                    });
                }
                Ok(Err(_)) | Err(_) => {}
            }
        } else if ended {
            let output = log_since(cluster, log_start);
            // Backends of a killed postmaster hold its shared memory until they notice, which a busy one does late.
            if started.is_some() && !output.contains("shared memory block") {
                return Err(PostgresError::Exited { log: cluster.log.clone(), tail: tail(&output) });
            }
            if Instant::now() < deadline {
                log_start = log_length(cluster);
                started = Some(start(cluster, binaries, settings)?);
            }
        }
        if Instant::now() >= deadline {
            reap(started);
            let tail = tail(&log_since(cluster, log_start));
            return Err(PostgresError::NotReady { log: cluster.log.clone(), seconds: START_WAIT.as_secs(), tail });
        }
        sleep(POLL).await;
    }
}

/// Stops the cluster's postmaster, if one runs: SIGINT, which ends sessions, writes a checkpoint and exits.
/// The caller holds `start.lock`.
///
/// # Errors
/// `NotStopped` after a minute.
pub(super) async fn stop(cluster: &Cluster) -> Result<(), PostgresError> {
    let Some(pid) = running(&cluster.dir) else {
        return Ok(());
    };
    tracing::info!(cluster = %cluster.dir.display(), "stopping the private postgresql");
    // An error means it ended meanwhile, which the loop sees.
    let _ = kill_process(pid, Signal::INT);
    let deadline = Instant::now() + STOP_WAIT;
    while runs_in(pid, &cluster.dir) {
        if Instant::now() > deadline {
            let (pid, log) = (pid.as_raw_nonzero().get(), cluster.log.clone());
            return Err(PostgresError::NotStopped { pid, seconds: STOP_WAIT.as_secs(), log });
        }
        sleep(POLL).await;
    }
    folder::remove_socket_dir(&cluster.socket_dir, &cluster.dir);
    Ok(())
}

fn start(cluster: &Cluster, binaries: &Binaries, settings: &[(&str, &str)]) -> Result<Child, PostgresError> {
    forget_reused_pid(cluster);
    if cluster.socket_dir != cluster.dir {
        folder::create_socket_dir(&cluster.socket_dir, &cluster.account)?;
    }
    let mut appending = File::options();
    appending.create(true).append(true).mode(0o600); // failed statements are in it
    let log = appending.open(&cluster.log).map_err(io_error("open", &cluster.log))?;
    cluster.account.own(&cluster.log)?;
    let errors = log.try_clone().map_err(io_error("open", &cluster.log))?;

    let mut command = Command::new(binaries.dir.join("postgres"));
    command.arg("-D").arg(&cluster.dir).arg("-k").arg(&cluster.socket_dir);
    // The port is part of the socket's name; PGPORT must not change it.
    command.args(["-c", "listen_addresses=", "-c", "port=5432", "-c", "unix_socket_permissions=0700"]);
    for (name, value) in settings::for_this_machine() {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    for (name, value) in settings {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    // Its own process group: Ctrl-C is for us, who then stop it in order. LC_ALL because `connect` reads the log.
    command.current_dir("/").env("LC_ALL", "C").process_group(0);
    command.stdin(Stdio::null()).stdout(log).stderr(errors);
    cluster.account.run(&mut command);
    command.spawn().map_err(io_error("run", &binaries.dir.join("postgres")))
}

/// Collects the exit status when the postmaster ends before we do: a zombie would still look alive to a new postmaster.
fn reap(postmaster: Option<Child>) {
    let Some(mut postmaster) = postmaster else { return };
    tokio::spawn(async move {
        if let Ok(status) = postmaster.wait().await {
            tracing::info!(%status, "private postgresql ended");
        }
    });
}

/// Does the cluster's postmaster live?
pub(super) fn is_running(cluster: &Cluster) -> bool {
    running(&cluster.dir).is_some()
}

/// The live postmaster of `dir`.
fn running(dir: &Path) -> Option<Pid> {
    recorded(dir).filter(|pid| runs_in(*pid, dir))
}

/// The process that `postmaster.pid` names, which may be long gone.
fn recorded(dir: &Path) -> Option<Pid> {
    let text = fs::read_to_string(dir.join("postmaster.pid")).ok()?;
    let pid = text.lines().next()?.trim().parse().ok().filter(|pid| *pid > 0)?;
    Pid::from_raw(pid)
}

/// Whether `pid` lives and works in `dir`, as a postmaster does in its data directory; a number used again does not.
fn runs_in(pid: Pid, dir: &Path) -> bool {
    if !Path::new("/proc/self/cwd").exists() {
        return test_kill_process(pid).is_ok(); // no /proc here
    }
    let working_dir = fs::metadata(format!("/proc/{}/cwd", pid.as_raw_nonzero())); // none for a zombie
    let same = |a: &fs::Metadata, b: &fs::Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
    working_dir.ok().zip(fs::metadata(dir).ok()).is_some_and(|(a, b)| same(&a, &b))
}

/// After a crash the number in the lock files may belong to another process. PostgreSQL would refuse to start, so the files go.
/// That is safe: it also recognises survivors by the shared memory of its data directory.
fn forget_reused_pid(cluster: &Cluster) {
    let reused = |pid: &Pid| test_kill_process(*pid).is_ok() && !runs_in(*pid, &cluster.dir);
    if recorded(&cluster.dir).is_some_and(|pid| reused(&pid)) {
        let _ = fs::remove_file(cluster.dir.join("postmaster.pid"));
        let _ = fs::remove_file(folder::socket_lock(&cluster.socket_dir));
    }
}

/// Whether a later attempt may succeed: the socket is not there yet, the server starts or stops (57P..) or is full (53300).
fn may_pass(error: &SqlError) -> bool {
    match error {
        SqlError::Io(_) => true,
        SqlError::Database(error) => error.code().is_some_and(|code| code.starts_with("57P") || code == "53300"),
        _ => false,
    }
}

fn log_length(cluster: &Cluster) -> u64 {
    fs::metadata(&cluster.log).map_or(0, |metadata| metadata.len())
}

/// What the log gained since it was `start` bytes long; empty when unreadable, for it only illustrates errors.
fn log_since(cluster: &Cluster, start: u64) -> String {
    let mut bytes = Vec::new();
    if let Ok(mut log) = File::open(&cluster.log) {
        let _ = log.seek(SeekFrom::Start(start)).and_then(|_| log.read_to_end(&mut bytes));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn tail(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}
