//! The private PostgreSQL, with real processes, real locks and real kills.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use muniment::postgres::{DATABASE, PostgresError, PrivatePostgres, ServeLock};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use sqlx::{ConnectOptions, Connection, Executor};

const FAST: &[(&str, &str)] = &[("fsync", "off"), ("shared_buffers", "16MB")];
/// Set for the process `hold_when_asked` is to be: the directory to hold.
const HOLD: &str = "MUNIMENT_TEST_HOLD";

#[tokio::test]
async fn it_is_created_stopped_and_found_again() {
    let dir = TestDir::new();
    let postgres = open(&dir.data()).await.unwrap();
    assert!(postgres.bin_dir().join("psql").is_file());
    assert_eq!(fs::metadata(postgres.socket_dir()).unwrap().mode() & 0o777, 0o700);
    write(&postgres, "CREATE TABLE kept AS SELECT 42 AS answer").await;
    assert!(dir.postmaster().is_some());
    postgres.close().await.unwrap();
    assert_eq!(dir.postmaster(), None, "the last to close stops it");

    let postgres = open(&dir.data()).await.unwrap();
    assert_eq!(answer(&postgres).await, 42);
    postgres.close().await.unwrap();
}

#[tokio::test]
async fn it_listens_on_no_network_and_takes_the_settings_given() {
    let dir = TestDir::new();
    let postgres = open(&dir.data()).await.unwrap();
    for (name, value) in
        [("listen_addresses", ""), ("fsync", "off"), ("max_wal_size", "4GB"), ("shared_buffers", "16MB")]
    {
        assert_eq!(show(&postgres, name).await, value, "{name}");
    }
    assert_eq!(show(&postgres, "server_encoding").await, "UTF8");
    postgres.close().await.unwrap();
}

#[tokio::test]
async fn of_two_who_open_at_once_one_starts_it() {
    let dir = TestDir::new();
    let (mut first, mut second) = (Holder::spawn(&dir.data(), None), Holder::spawn(&dir.data(), None));
    assert_eq!((first.line(), second.line()), ("held".into(), "held".into()));
    assert_eq!(dir.starts(), 1);
    let postmaster = dir.postmaster();
    assert_eq!(first.release(), "closed");
    assert_eq!(dir.postmaster(), postmaster, "the second still uses it");
    assert_eq!(second.release(), "closed");
    assert_eq!(dir.postmaster(), None);
}

#[tokio::test]
async fn it_stays_until_the_last_user_closes_it() {
    let dir = TestDir::new();
    let (first, second) = tokio::join!(open_owned(dir.data()), open_owned(dir.data()));
    let (first, second) = (first.unwrap(), second.unwrap());
    first.close().await.unwrap();
    write(&second, "CREATE TABLE kept AS SELECT 7 AS answer").await;
    let third = open(&dir.data()).await.unwrap();
    second.close().await.unwrap();
    assert_eq!(answer(&third).await, 7);
    third.close().await.unwrap();
    assert_eq!((dir.postmaster(), dir.starts()), (None, 1));
}

#[tokio::test]
async fn of_two_who_close_at_once_one_stops_it() {
    let dir = TestDir::new();
    for _ in 0..3 {
        let (first, second) = (open(&dir.data()).await.unwrap(), open(&dir.data()).await.unwrap());
        let (first, second) = tokio::join!(first.close(), second.close());
        first.unwrap();
        second.unwrap();
        assert_eq!(dir.postmaster(), None);
    }
}

#[tokio::test]
async fn it_recovers_when_the_postmaster_was_killed() {
    let dir = TestDir::new();
    let killed = open(&dir.data()).await.unwrap();
    write(&killed, "CREATE TABLE kept AS SELECT 1 AS answer").await;
    kill(dir.postmaster().unwrap());
    let postgres = open(&dir.data()).await.unwrap();
    assert_eq!(answer(&postgres).await, 1);
    drop(killed);
    postgres.close().await.unwrap();
    assert_eq!(dir.postmaster(), None);
}

#[tokio::test]
async fn it_waits_for_a_busy_backend_of_a_killed_postmaster() {
    let dir = TestDir::new();
    let killed = open(&dir.data()).await.unwrap();
    let mut busy = killed.options(DATABASE).connect().await.unwrap();
    // A loop never looks whether its postmaster lives, so the backend holds the shared memory until the loop ends.
    let endless = "DO $$ BEGIN WHILE clock_timestamp() < now() + interval '3 s' LOOP END LOOP; END $$";
    let began = Instant::now();
    let query = tokio::spawn(async move { busy.execute(endless).await.map(drop) });
    let mut watcher = killed.options(DATABASE).connect().await.unwrap();
    let active = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DO %' AND state = 'active'";
    wait_until(async || sqlx::query_scalar::<_, i64>(active).fetch_one(&mut watcher).await.unwrap() == 1).await;
    kill(dir.postmaster().unwrap());
    let postgres = open(&dir.data()).await.unwrap();
    assert!(began.elapsed() > Duration::from_secs(2), "it started beside a live backend");
    let _ = query.await.unwrap();
    drop(killed);
    postgres.close().await.unwrap();
}

#[tokio::test]
async fn it_is_adopted_when_its_user_was_killed() {
    let dir = TestDir::new();
    let mut holder = Holder::spawn(&dir.data(), None);
    assert_eq!(holder.line(), "held");
    let postmaster = dir.postmaster();
    holder.kill();
    assert_eq!(dir.postmaster(), postmaster, "it outlives its user");
    let postgres = open(&dir.data()).await.unwrap();
    write(&postgres, "SELECT 1").await;
    assert_eq!((dir.postmaster(), dir.starts()), (postmaster, 1));
    postgres.close().await.unwrap();
    assert_eq!(dir.postmaster(), None, "whoever adopted it stops it");
}

#[tokio::test]
async fn it_recovers_when_both_were_killed() {
    let dir = TestDir::new();
    let mut holder = Holder::spawn(&dir.data(), None);
    assert_eq!(holder.line(), "held");
    kill(dir.postmaster().unwrap());
    holder.kill();
    let postgres = open(&dir.data()).await.unwrap();
    write(&postgres, "SELECT 1").await;
    postgres.close().await.unwrap();
}

#[tokio::test]
async fn a_kill_while_it_is_created_leaves_nothing_half_made() {
    let dir = TestDir::new();
    let mut holder = Holder::spawn(&dir.data(), None);
    let half_made = || {
        let mut entries = fs::read_dir(dir.data()).into_iter().flatten().flatten();
        entries.any(|entry| entry.file_name().to_string_lossy().starts_with("postgres.initdb-"))
    };
    wait_until(async || half_made()).await;
    holder.kill();
    let postgres = open(&dir.data()).await.unwrap();
    write(&postgres, "SELECT 1").await;
    postgres.close().await.unwrap();
}

#[tokio::test]
async fn a_process_that_got_the_number_of_the_killed_postmaster_does_not_matter() {
    let dir = TestDir::new();
    let killed = open(&dir.data()).await.unwrap();
    let postmaster = dir.postmaster().unwrap();
    // PostgreSQL itself is misled only by a process of its own user.
    let owner = fs::metadata(dir.cluster()).unwrap();
    let mut stranger = Command::new("sleep").arg("60").uid(owner.uid()).gid(owner.gid()).spawn().unwrap();
    let (old, new) = (postmaster.as_raw_nonzero().to_string(), stranger.id().to_string());
    kill(postmaster);
    for file in ["postmaster.pid", ".s.PGSQL.5432.lock"] {
        let path = dir.cluster().join(file);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replacen(&old, &new, 1)).unwrap();
    }
    let opened = open(&dir.data()).await;
    let unharmed = stranger.try_wait().unwrap().is_none();
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    drop(killed);
    opened.unwrap().close().await.unwrap();
    assert!(unharmed);
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_is_no_obstacle() {
    let dir = TestDir::new();
    let data = dir.data().join("d".repeat(120));
    let postgres = open(&data).await.unwrap();
    let socket_dir = postgres.socket_dir().to_owned();
    assert!(socket_dir.starts_with("/tmp"), "{}", socket_dir.display());
    assert_eq!(fs::metadata(&socket_dir).unwrap().mode() & 0o777, 0o700);
    write(&postgres, "CREATE TABLE kept AS SELECT 3 AS answer").await;
    kill(postmaster_of(&data.join("postgres")).unwrap());
    let again = open(&data).await.unwrap();
    assert_eq!(answer(&again).await, 3);
    drop(postgres);
    again.close().await.unwrap();
    assert!(!socket_dir.exists(), "no litter in /tmp");
}

#[tokio::test]
async fn a_socket_folder_of_somebody_else_is_not_trusted() {
    let dir = TestDir::new();
    let data = dir.data().join("e".repeat(120));
    let postgres = open(&data).await.unwrap();
    let socket_dir = postgres.socket_dir().to_owned();
    postgres.close().await.unwrap();
    fs::create_dir(&socket_dir).unwrap();
    fs::set_permissions(&socket_dir, Permissions::from_mode(0o777)).unwrap();
    let refused = open(&data).await;
    fs::remove_dir(&socket_dir).unwrap();
    assert!(matches!(refused, Err(PostgresError::SocketFolder { .. })));
}

#[tokio::test]
async fn a_start_that_fails_shows_the_end_of_the_log() {
    let dir = TestDir::new();
    let error =
        PrivatePostgres::open(&dir.data(), &[("fsync", "off"), ("shared_buffers", "lots")]).await.err().unwrap();
    assert!(matches!(error, PostgresError::Exited { .. }), "{error}");
    let message = error.to_string();
    assert!(
        message.contains("invalid value for parameter \"shared_buffers\"") && message.contains("postgres.log"),
        "{message}"
    );
    open(&dir.data()).await.unwrap().close().await.unwrap();
}

#[tokio::test]
async fn without_postgresql_it_names_the_package() {
    let dir = TestDir::new();
    let error = PrivatePostgres::open_with(std::slice::from_ref(&dir.path), &dir.data(), FAST).await.err().unwrap();
    assert!(matches!(error, PostgresError::NoBinaries));
    assert!(error.to_string().contains("apt-get install postgresql"));
    assert!(!dir.data().exists());
}

#[tokio::test]
async fn a_directory_of_another_version_is_refused_with_both_versions() {
    let dir = TestDir::new();
    open(&dir.data()).await.unwrap().close().await.unwrap();
    fs::write(dir.cluster().join("PG_VERSION"), "9.6\n").unwrap();
    let message = open(&dir.data()).await.err().unwrap().to_string();
    assert!(message.contains("written by PostgreSQL 9,") && message.contains(" is installed"), "{message}");
}

#[tokio::test]
async fn the_newest_binaries_make_a_directory_and_the_same_ones_open_it() {
    let dir = TestDir::new();
    let real = open(&dir.data()).await.unwrap();
    let real_bin = real.bin_dir().to_owned();
    real.close().await.unwrap();
    // A "newer" PostgreSQL: right name, right answer to --version, and an initdb that says who it is.
    let newer = dir.path.join("newer");
    fs::create_dir(&newer).unwrap();
    script(&newer.join("postgres"), "echo 'postgres (PostgreSQL) 99.1'");
    script(&newer.join("initdb"), "echo newest >&2; exit 1");
    let both = [real_bin.clone(), newer];
    let fresh = PrivatePostgres::open_with(&both, &dir.path.join("fresh"), FAST).await.err().unwrap();
    assert!(matches!(&fresh, PostgresError::Initdb { output, .. } if output == "newest"), "{fresh}");
    let existing = PrivatePostgres::open_with(&both, &dir.data(), FAST).await.unwrap();
    assert_eq!(existing.bin_dir(), real_bin);
    existing.close().await.unwrap();
}

#[tokio::test]
async fn a_system_without_the_locale_c_utf8_makes_do_with_c() {
    let dir = TestDir::new();
    let real = open(&dir.path.join("real")).await.unwrap();
    let (postgres, initdb) = (real.bin_dir().join("postgres"), real.bin_dir().join("initdb"));
    real.close().await.unwrap();
    let old = dir.path.join("old");
    fs::create_dir(&old).unwrap();
    let refusal = "case \"$*\" in *C.UTF-8*) echo 'invalid locale name' >&2; exit 1;; esac";
    script(&old.join("postgres"), &format!("exec {} \"$@\"", postgres.display()));
    script(&old.join("initdb"), &format!("{refusal}; exec {} \"$@\"", initdb.display()));
    let postgres = PrivatePostgres::open_with(&[old], &dir.data(), FAST).await.unwrap();
    assert_eq!(show(&postgres, "lc_collate").await, "C");
    assert_eq!(show(&postgres, "server_encoding").await, "UTF8");
    postgres.close().await.unwrap();
}

#[tokio::test]
async fn a_folder_with_other_things_in_it_is_left_alone() {
    let dir = TestDir::new();
    fs::create_dir_all(dir.cluster()).unwrap();
    fs::write(dir.cluster().join("letter.txt"), "dear").unwrap();
    assert!(matches!(open(&dir.data()).await, Err(PostgresError::NotACluster(_))));
    assert!(dir.cluster().join("letter.txt").exists());
}

#[tokio::test]
async fn a_directory_behind_a_closed_folder_is_refused_by_name() {
    let dir = TestDir::new();
    let closed = dir.path.join("home");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, Permissions::from_mode(0o700)).unwrap();
    let opened = open(&closed.join("data")).await;
    if !geteuid().is_root() {
        // Closed to others only: PostgreSQL runs as ourselves.
        return opened.unwrap().close().await.unwrap();
    }
    let message = opened.err().unwrap().to_string();
    assert!(message.contains(&format!("cannot enter {},", closed.display())), "{message}");
    assert!(message.contains("/var/lib/muniment"), "{message}");
    assert!(!closed.join("data").exists());
}

#[tokio::test]
async fn an_unwritable_directory_is_refused() {
    let dir = TestDir::new();
    fs::create_dir(dir.data()).unwrap();
    fs::set_permissions(dir.data(), Permissions::from_mode(0o555)).unwrap();
    let mut holder = Holder::spawn(&dir.data(), unprivileged());
    let line = holder.line();
    assert!(line.starts_with("error: cannot write") && line.contains("--data-dir"), "{line}");
}

#[tokio::test]
async fn it_runs_without_root_and_root_joins_its_owner() {
    let dir = TestDir::new();
    fs::create_dir(dir.data()).unwrap();
    if let Some((uid, gid)) = unprivileged() {
        chown(dir.data(), Some(uid), Some(gid)).unwrap();
    }
    fs::set_permissions(dir.data(), Permissions::from_mode(0o700)).unwrap();
    let mut holder = Holder::spawn(&dir.data(), unprivileged());
    assert_eq!(holder.line(), "held");
    let postgres = open(&dir.data()).await.unwrap();
    assert_eq!(holder.release(), "closed");
    write(&postgres, "SELECT 1").await;
    postgres.close().await.unwrap();
    let mut holder = Holder::spawn(&dir.data(), unprivileged());
    assert_eq!(holder.line(), "held");
    assert_eq!(holder.release(), "closed");
}

#[tokio::test]
async fn it_has_its_own_process_group() {
    let dir = TestDir::new();
    let postgres = open(&dir.data()).await.unwrap();
    let postmaster = dir.postmaster().unwrap();
    assert_eq!(rustix::process::getpgid(Some(postmaster)).unwrap(), postmaster);
    let files = fs::read_dir(format!("/proc/{}/fd", postmaster.as_raw_nonzero())).unwrap();
    let inherited = files.flatten().filter_map(|fd| fs::read_link(fd.path()).ok()).filter(|path| {
        path.extension().is_some_and(|extension| extension == "lock") && path.parent() == Some(&dir.data())
    });
    assert_eq!(inherited.count(), 0, "our locks would outlive us");
    postgres.close().await.unwrap();
}

#[test]
fn a_second_server_of_a_directory_learns_who_has_it() {
    let dir = TestDir::new();
    let first = ServeLock::take(&dir.data(), "http://127.0.0.1:8080").unwrap();
    let message = ServeLock::take(&dir.data(), "http://127.0.0.1:9090").unwrap_err().to_string();
    let holder = format!("in use by process {} at http://127.0.0.1:8080;", std::process::id());
    assert!(message.contains(&holder), "{message}");
    drop(first);
    let _second = ServeLock::take(&dir.data(), "http://127.0.0.1:9090").unwrap();
    let message = ServeLock::take(&dir.data(), "x").unwrap_err().to_string();
    assert!(message.contains(":9090;") && !message.contains(":8080"), "{message}");
}

/// Not a test unless `HOLD` is set: the other process of the tests above. Says "held" or "error: ..", and "closed" after its input ends.
#[tokio::test]
async fn hold_when_asked() {
    let Ok(data_dir) = std::env::var(HOLD) else { return };
    // stderr, because the harness prints its own lines to stdout.
    match open(Path::new(&data_dir)).await {
        Ok(postgres) => {
            eprintln!("held");
            tokio::task::spawn_blocking(|| std::io::stdin().lock().read_line(&mut String::new()))
                .await
                .unwrap()
                .unwrap();
            postgres.close().await.unwrap();
            eprintln!("closed");
        }
        Err(error) => eprintln!("error: {error}"),
    }
}

/// Another process that opens the directory.
struct Holder {
    process: Child,
    output: BufReader<ChildStderr>,
}

impl Holder {
    fn spawn(data_dir: &Path, user: Option<(u32, u32)>) -> Self {
        let path = module_path!().split_once("::").map(|(_, module)| format!("{module}::")).unwrap_or_default();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", &format!("{path}hold_when_asked"), "--nocapture"])
            .env(HOLD, data_dir)
            .current_dir("/");
        if let Some((uid, gid)) = user {
            command.uid(uid).gid(gid);
        }
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(process.stderr.take().unwrap());
        Self { process, output }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    fn release(&mut self) -> String {
        self.process.stdin.take().unwrap().flush().unwrap(); // and dropped, hence closed
        let line = self.line();
        self.process.wait().unwrap();
        line
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A folder that PostgreSQL's user can reach; stops what runs in it and removes it.
struct TestDir {
    path: PathBuf,
}

impl TestDir {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("muniment-it-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new("/tmp").join(name);
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        Self { path }
    }

    fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    fn cluster(&self) -> PathBuf {
        self.data().join("postgres")
    }

    fn postmaster(&self) -> Option<Pid> {
        postmaster_of(&self.cluster())
    }

    /// How often PostgreSQL was started.
    fn starts(&self) -> usize {
        fs::read_to_string(self.data().join("postgres.log")).unwrap().matches("starting PostgreSQL").count()
    }
}

impl Drop for TestDir {
    fn drop(&mut self) {
        let nested =
            fs::read_dir(self.data()).into_iter().flatten().flatten().map(|entry| entry.path().join("postgres"));
        for pid in nested.chain([self.cluster()]).filter_map(|cluster| postmaster_of(&cluster)) {
            let _ = kill_process(pid, Signal::KILL);
        }
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn script(path: &Path, commands: &str) {
    fs::write(path, format!("#!/bin/sh\n{commands}\n")).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

/// The live postmaster of `cluster`.
fn postmaster_of(cluster: &Path) -> Option<Pid> {
    let text = fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
    let pid = text.lines().next()?.parse().ok()?;
    let here = fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|working_dir| working_dir == cluster);
    if here { Pid::from_raw(pid) } else { None }
}

fn kill(pid: Pid) {
    kill_process(pid, Signal::KILL).unwrap();
}

async fn wait_until(mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition().await {
        assert!(Instant::now() < deadline, "waited 20 s in vain");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The user to try things without root as; `None` when we are not root ourselves.
fn unprivileged() -> Option<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let fields: Vec<_> = users.lines().find(|line| line.starts_with("postgres:")).unwrap().split(':').collect();
    geteuid().is_root().then(|| (fields[2].parse().unwrap(), fields[3].parse().unwrap()))
}

async fn open(data_dir: &Path) -> Result<PrivatePostgres, PostgresError> {
    PrivatePostgres::open(data_dir, FAST).await
}

async fn open_owned(data_dir: PathBuf) -> Result<PrivatePostgres, PostgresError> {
    open(&data_dir).await
}

async fn write(postgres: &PrivatePostgres, sql: &str) {
    let mut connection = postgres.options(DATABASE).connect().await.unwrap();
    connection.execute(sql).await.unwrap();
    connection.close().await.unwrap();
}

async fn answer(postgres: &PrivatePostgres) -> i32 {
    let mut connection = postgres.options(DATABASE).connect().await.unwrap();
    sqlx::query_scalar("SELECT answer FROM kept").fetch_one(&mut connection).await.unwrap()
}

async fn show(postgres: &PrivatePostgres, setting: &str) -> String {
    let mut connection = postgres.options(DATABASE).connect().await.unwrap();
    sqlx::query_scalar("SELECT current_setting($1)").bind(setting).fetch_one(&mut connection).await.unwrap()
}
