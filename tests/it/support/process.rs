//! The program itself, as processes of its own, to be killed.

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};

use super::client::Client;

/// Waits until something is so, for 60 seconds at most.
pub async fn wait_until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !condition().await {
        assert!(Instant::now() < deadline, "waited a minute in vain until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A folder that PostgreSQL's user can reach. Dropped, it kills a PostgreSQL that still runs in it, and is gone.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = PathBuf::from(format!("/tmp/muniment-faults-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// As the argument of `--data-dir`.
    pub fn place(&self) -> Place {
        Place(vec!["--data-dir".to_owned(), self.0.join("data").display().to_string()])
    }

    /// How to reach the private PostgreSQL as superuser.
    pub fn options(&self) -> PgConnectOptions {
        let socket = self.0.join("data/postgres");
        let options = PgConnectOptions::new_without_pgpass().socket(socket).username("postgres").database("muniment");
        options.ssl_mode(PgSslMode::Disable)
    }

    /// The private PostgreSQL's process, while it lives.
    pub fn postmaster(&self) -> Option<Pid> {
        let cluster = self.0.join("data/postgres");
        let text = fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
        let pid = text.lines().next()?.trim().parse().ok()?;
        let lives_here = fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|folder| folder == cluster);
        if lives_here { Pid::from_raw(pid) } else { None }
    }

    /// Kills PostgreSQL as the kernel would when memory runs out.
    pub fn kill_postgres(&self) {
        kill_process(self.postmaster().unwrap(), Signal::KILL).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(pid) = self.postmaster() {
            let _ = kill_process(pid, Signal::KILL);
        }
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The arguments that name a database.
#[derive(Clone)]
pub struct Place(Vec<String>);

impl Place {
    /// A database of the tests' cluster, as a server of one's own would be named.
    pub fn of(options: &PgConnectOptions) -> Self {
        let (socket, database) = (options.get_socket().unwrap().display(), options.get_database().unwrap());
        Self(vec![
            "--database-url".to_owned(),
            format!("postgres://postgres@localhost/{database}?host={socket}&sslmode=disable"),
        ])
    }
}

fn program(subcommand: &[&str], place: &Place, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muniment"));
    command.args(subcommand).args(&place.0).args(arguments);
    for (name, _) in std::env::vars_os() {
        if name == "DATABASE_URL" || name.to_string_lossy().starts_with("MUNIMENT_") {
            command.env_remove(name);
        }
    }
    command.kill_on_drop(true).stdin(Stdio::null()).current_dir("/");
    command
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    pub success: bool,
    pub output: String,
    pub errors: String,
}

/// Runs a command of the program to its end.
pub async fn run(subcommand: &[&str], place: &Place, arguments: &[&str]) -> Said {
    let running = program(subcommand, place, arguments).output();
    let output = tokio::time::timeout(Duration::from_mins(2), running).await.unwrap().unwrap();
    Said {
        success: output.status.success(),
        output: String::from_utf8(output.stdout).unwrap().trim().to_owned(),
        errors: String::from_utf8(output.stderr).unwrap().trim().to_owned(),
    }
}

/// Runs a command that must succeed; what it printed.
pub async fn succeed(subcommand: &[&str], place: &Place, arguments: &[&str]) -> String {
    let said = run(subcommand, place, arguments).await;
    assert!(said.success, "{subcommand:?}: {} {}", said.output, said.errors);
    said.output
}

/// The lines that a process writes.
fn collect(pipe: impl AsyncRead + Unpin + Send + 'static) -> Arc<Mutex<Vec<String>>> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let collected = Arc::clone(&lines);
    tokio::spawn(async move {
        let mut pipe = BufReader::new(pipe).lines();
        while let Ok(Some(line)) = pipe.next_line().await {
            collected.lock().unwrap().push(line);
        }
    });
    lines
}

/// A running `serve`.
pub struct Serving {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    pub address: SocketAddr,
    pub scheme: String,
}

impl Serving {
    /// Starts it and waits until it listens.
    pub async fn start(place: &Place) -> Self {
        Self::start_with(place, &[]).await
    }

    pub async fn start_with(place: &Place, arguments: &[&str]) -> Self {
        let mut command = program(&["serve", "--listen", "127.0.0.1:0", "--rate-limit", "0"], place, arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = collect(child.stdout.take().unwrap());
        let log = collect(child.stderr.take().unwrap());
        let listens = || {
            let lines = lines.lock().unwrap();
            let url = lines.iter().find_map(|line| line.strip_prefix("muniment listens on "))?;
            let (scheme, address) = url.split_once("://")?;
            Some((scheme.to_owned(), address.parse().unwrap()))
        };
        wait_until("the server listens", async || {
            let has_ended = child.try_wait().unwrap().is_some();
            assert!(!has_ended, "serve ended before it listened: {:?}", log.lock().unwrap());
            listens().is_some()
        })
        .await;
        let (scheme, address) = listens().unwrap();
        Self { child, lines, address, scheme }
    }

    /// What it printed.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// The administrator's secret that the first start prints.
    pub async fn first_token(&self) -> String {
        let find = || {
            let lines = self.lines();
            lines.iter().find_map(|line| line.strip_prefix("administrator token, shown this once: ").map(str::to_owned))
        };
        wait_until("the administrator's token is printed", async || find().is_some()).await;
        find().unwrap()
    }

    pub fn client(&self, secret: &str) -> Client {
        Client::new(self.address).with_secret(secret)
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// kill -9.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// SIGTERM; did it end well, and what had it printed?
    pub async fn terminate(mut self) -> (bool, Vec<String>) {
        let pid = Pid::from_raw(i32::try_from(self.pid()).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        let status = tokio::time::timeout(Duration::from_mins(1), self.child.wait()).await.unwrap().unwrap();
        (status.success(), self.lines())
    }
}
