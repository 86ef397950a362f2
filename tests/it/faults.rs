//! Kills, at any moment: nothing acknowledged is lost, and what was begun is finished.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use muniment::app::Config;
use muniment::database::Database;
use reqwest::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::support::bodies::grants_only;
use crate::support::file_group;
use crate::support::hold::Hold;
use crate::support::process::{Folder, Place, Serving, succeed, wait_until};
use crate::support::{Client, TestServer, cluster, eventually};

/// Callers who make applications, each with an `Idempotency-Key`, and send again what got no answer.
struct Load {
    client: watch::Sender<Client>,
    is_over: Arc<AtomicBool>,
    acknowledged: Arc<Mutex<BTreeMap<String, String>>>,
    callers: Vec<JoinHandle<usize>>,
}

impl Load {
    fn start(client: Client) -> Self {
        let (client, current) = watch::channel(client);
        let (is_over, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::<Mutex<BTreeMap<_, _>>>::default());
        let callers = (0..6)
            .map(|caller| {
                let (current, is_over, acknowledged) =
                    (current.clone(), Arc::clone(&is_over), Arc::clone(&acknowledged));
                tokio::spawn(async move {
                    let mut sent_again = 0;
                    for number in 0.. {
                        if is_over.load(Ordering::Relaxed) {
                            break;
                        }
                        let name = format!("Application {caller}-{number}");
                        let (id, attempts) = make(&current, &name).await;
                        acknowledged.lock().unwrap().insert(name, id);
                        sent_again += attempts - 1;
                    }
                    sent_again
                })
            })
            .collect();
        Self { client, is_over, acknowledged, callers }
    }

    fn count(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    /// Waits until some more requests were answered, so many that no two runs break at the same place.
    async fn goes_on(&self) {
        let random = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().subsec_nanos() as usize;
        let until = self.count() + 3 + random / 1000 % 40;
        wait_until("the load goes on", async || self.count() >= until).await;
    }

    /// Ends the load; what was acknowledged and how often something was sent again.
    async fn end(self) -> (BTreeMap<String, String>, usize) {
        self.is_over.store(true, Ordering::Relaxed);
        let mut sent_again = 0;
        for caller in self.callers {
            sent_again += caller.await.unwrap();
        }
        (std::mem::take(&mut *self.acknowledged.lock().unwrap()), sent_again)
    }
}

/// Makes an application, however often that takes; its id and the number of attempts.
async fn make(client: &watch::Receiver<Client>, name: &str) -> (String, usize) {
    let deadline = Instant::now() + Duration::from_secs(90);
    for attempt in 1.. {
        assert!(Instant::now() < deadline, "{name} was not made within 90 seconds");
        let client = client.borrow().clone();
        let request = client.request(Method::POST, "/api/applications").json(&grants_only(name));
        let sent = request.header("idempotency-key", name).timeout(Duration::from_secs(45)).send().await;
        if let Ok(response) = sent {
            let status = response.status().as_u16();
            let text = response.text().await;
            match (status, text) {
                // 200: the server died between the append and its answer, so what was made is the answer.
                (200 | 201, Ok(text)) => {
                    let made: Value = serde_json::from_str(&text).unwrap();
                    assert_eq!(made["name"], name);
                    return (made["id"].as_str().unwrap().to_owned(), attempt);
                }
                (200 | 201 | 503, _) => {}
                (409, Ok(text)) if text.contains("being carried out") => {}
                (status, text) => panic!("{name}: {status} {text:?}"),
            }
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    unreachable!()
}

/// Every acknowledged application is in the log, once; and so is every name.
async fn assert_all_there(options: &PgConnectOptions, acknowledged: &BTreeMap<String, String>) {
    let mut connection = options.connect().await.unwrap();
    let logged: Vec<(String, String)> = sqlx::query_as(
        "SELECT payload #>> '{ApplicationCreated,definition,name}', aggregate_id FROM journal.events
         WHERE event_type = 'ApplicationCreated'",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    let count = logged.len();
    let logged: BTreeMap<String, String> = logged.into_iter().collect();
    assert_eq!(logged.len(), count, "something was made twice");
    assert_eq!(&logged, acknowledged);
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_the_server_is_killed() {
    let folder = Folder::new();
    let place = folder.place();
    let mut server = Serving::start(&place).await;
    let secret = server.first_token().await;
    let load = Load::start(server.client(&secret));
    for _ in 0..3 {
        load.goes_on().await;
        server.kill().await;
        server = Serving::start(&place).await;
        load.client.send_replace(server.client(&secret));
    }
    load.goes_on().await;
    let (acknowledged, sent_again) = load.end().await;
    assert!(sent_again > 0, "no kill was felt");
    assert_all_there(&folder.options(), &acknowledged).await;
    succeed(&["verify"], &place, &[]).await;
    succeed(&["projections", "verify"], &place, &[]).await;
    assert!(server.terminate().await.0);
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_postgresql_is_killed() {
    let folder = Folder::new();
    let place = folder.place();
    let mut server = Serving::start(&place).await;
    let secret = server.first_token().await;
    let load = Load::start(server.client(&secret));
    // The server starts PostgreSQL again by itself.
    load.goes_on().await;
    let killed = folder.postmaster();
    folder.kill_postgres();
    load.goes_on().await;
    assert_ne!(folder.postmaster(), killed);
    // One backend, the writer's: PostgreSQL restarts all of them by itself. What goes on may have been answered before the kill was
    // felt, and the new one may still be coming up.
    let writer: i32 = eventually("the writer is connected", async || {
        let mut connection = folder.options().connect().await.ok()?;
        sqlx::query_scalar("SELECT pid FROM pg_stat_activity WHERE application_name = 'muniment writer' LIMIT 1")
            .fetch_optional(&mut connection)
            .await
            .ok()?
    })
    .await;
    kill_process(Pid::from_raw(writer).unwrap(), Signal::KILL).unwrap();
    load.goes_on().await;
    // Both.
    folder.kill_postgres();
    server.kill().await;
    server = Serving::start(&place).await;
    load.client.send_replace(server.client(&secret));
    load.goes_on().await;
    let (acknowledged, sent_again) = load.end().await;
    assert!(sent_again > 0, "no kill was felt");
    assert_all_there(&folder.options(), &acknowledged).await;
    succeed(&["verify"], &place, &[]).await;
    succeed(&["projections", "verify"], &place, &[]).await;
    assert!(server.terminate().await.0);
    assert!(folder.postmaster().is_none(), "the PostgreSQL that was started again is stopped as well");
}

/// Accounts and what they may do.
type Pairs = BTreeSet<(String, String)>;

fn pairs(count: usize) -> Pairs {
    (0..count)
        .map(|number| (format!("user{:04}", number / 5), format!("permission {}", number % 5 + number / 500)))
        .collect()
}

fn csv(pairs: &Pairs) -> Vec<u8> {
    let rows = pairs.iter().map(|(account, entitlement)| format!("{account},{entitlement}\n"));
    std::iter::once("user,permission\n".to_owned()).chain(rows).collect::<String>().into_bytes()
}

/// Makes each transaction that appends to accounts take a while, so that there is something to interrupt.
async fn slow_down(options: &PgConnectOptions) {
    let mut connection = options.connect().await.unwrap();
    connection
        .execute(
            "CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 IF EXISTS (SELECT FROM fresh WHERE aggregate_type = 'account') THEN PERFORM pg_sleep(0.1); END IF;
                 RETURN NULL;
             END $$;
             CREATE TRIGGER slow AFTER INSERT ON journal.events REFERENCING NEW TABLE AS fresh
                 FOR EACH STATEMENT EXECUTE FUNCTION public.slow()",
        )
        .await
        .unwrap();
    connection.close().await.unwrap();
}

async fn speed_up(options: &PgConnectOptions) {
    let mut connection = options.connect().await.unwrap();
    connection.execute("DROP TRIGGER slow ON journal.events").await.unwrap();
    connection.close().await.unwrap();
}

/// Uploads grants for a new application; the application and the import.
async fn upload(client: &Client, pairs: &Pairs) -> (Value, Value) {
    let application = client.post("/api/applications", grants_only("Payroll")).await.json;
    let part = (file_group(&application, "grants"), "grants.csv".to_owned(), csv(pairs));
    let import = client.upload(application["id"].as_str().unwrap(), vec![part]).await;
    assert_eq!(import.status, 201, "{}", import.text);
    (application, import.json)
}

async fn detail(client: &Client, import: &Value) -> Value {
    client.get(&format!("/api/application-imports/{}", import["id"].as_str().unwrap())).await.json
}

/// Waits until the import has applied something.
async fn is_applying(options: &PgConnectOptions) {
    wait_until("the import applies", async || {
        // PostgreSQL may be on its way back.
        let Ok(mut connection) = options.connect().await else { return false };
        let applied: sqlx::Result<i64> =
            sqlx::query_scalar("SELECT count(*) FROM journal.events WHERE event_type = 'AccountAccessChanged'")
                .fetch_one(&mut connection)
                .await;
        applied.is_ok_and(|applied| applied > 200)
    })
    .await;
}

/// Waits until the import finished; it granted what the file says, each grant once, and counted each once.
async fn assert_finished_as_the_file(client: &Client, import: &Value, options: &PgConnectOptions, pairs: &Pairs) {
    wait_until("the import finishes", async || detail(client, import).await["status"] == "Finished").await;
    let detail = detail(client, import).await;
    let count = pairs.len();
    let added = json!({"added": count, "changed": 0, "removed": 0, "unchanged": 0});
    assert_eq!(detail["metrics"]["grants"], added, "{detail}");
    assert_eq!(detail["metrics"]["rowsRead"], count);
    let mut connection = options.connect().await.unwrap();
    let granted: Vec<(String, String)> = sqlx::query_as(
        "SELECT a.key, e.key FROM read.grants AS g JOIN read.accounts AS a ON a.id = g.account_id AND a.valid_to IS NULL
         JOIN read.entitlements AS e ON e.id = g.entitlement_id AND e.valid_to IS NULL WHERE g.valid_to IS NULL",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert_eq!(granted.len(), count);
    assert_eq!(&granted.into_iter().collect::<Pairs>(), pairs);
    let (events, counted): (i64, i64) = sqlx::query_as(
        "SELECT (SELECT sum(json_array_length(payload #> '{AccountAccessChanged,granted}'))::bigint FROM journal.events
                 WHERE event_type = 'AccountAccessChanged'),
                (SELECT added FROM read.application_import_counts WHERE kind = 'grants')",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!((events as usize, counted as usize), (count, count));
    connection.close().await.unwrap();
}

async fn worker(options: &PgConnectOptions) -> String {
    let mut connection = options.connect().await.unwrap();
    let worker = sqlx::query_scalar("SELECT worker FROM read.application_imports").fetch_one(&mut connection).await;
    connection.close().await.unwrap();
    worker.unwrap()
}

#[tokio::test]
async fn an_import_that_was_killed_in_the_middle_is_finished_after_the_restart() {
    let folder = Folder::new();
    let place = folder.place();
    let pairs = pairs(4000);
    let server = Serving::start(&place).await;
    let secret = server.first_token().await;
    let options = folder.options();
    slow_down(&options).await;
    let (_, import) = upload(&server.client(&secret), &pairs).await;
    is_applying(&options).await;
    server.kill().await;
    // And once more, together with PostgreSQL.
    let server = Serving::start(&place).await;
    let first = worker(&options).await;
    wait_until("another worker has it", async || worker(&options).await != first).await;
    folder.kill_postgres();
    server.kill().await;
    let server = Serving::start(&place).await;
    speed_up(&options).await;
    assert_finished_as_the_file(&server.client(&secret), &import, &options, &pairs).await;
    succeed(&["projections", "verify"], &place, &[]).await;
    assert!(server.terminate().await.0);
}

#[tokio::test]
async fn imports_that_are_killed_ten_times_at_random_end_and_equal_their_files() {
    let folder = Folder::new();
    let place = folder.place();
    let pairs = pairs(600);
    let mut server = Serving::start(&place).await;
    let secret = server.first_token().await;
    let options = folder.options();
    slow_down(&options).await;
    let mut imports = Vec::new();
    for number in 0..12 {
        let client = server.client(&secret);
        let application = client.post("/api/applications", grants_only(&format!("Payroll {number}"))).await.json;
        let part = (file_group(&application, "grants"), "grants.csv".to_owned(), csv(&pairs));
        let import = client.upload(application["id"].as_str().unwrap(), vec![part]).await;
        assert_eq!(import.status, 201, "{}", import.text);
        imports.push(import.json);
    }
    let seed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64;
    println!("the moments follow from {seed}");
    let mut chance = seed;
    for round in 0..10 {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        tokio::time::sleep(Duration::from_millis((chance >> 33) % 1500)).await;
        if round % 3 == 2 {
            folder.kill_postgres();
        }
        server.kill().await;
        server = Serving::start(&place).await;
    }
    speed_up(&options).await;
    let client = server.client(&secret);
    for import in &imports {
        wait_until("the import finishes", async || detail(&client, import).await["status"] == "Finished").await;
        let detail = detail(&client, import).await;
        let added = json!({"added": 600, "changed": 0, "removed": 0, "unchanged": 0});
        assert_eq!((&detail["metrics"]["grants"], &detail["metrics"]["rowsRead"]), (&added, &json!(600)), "{detail}");
    }
    let mut connection = options.connect().await.unwrap();
    let unequal: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT p.name, count(g.*), max(c.added) FROM read.applications AS p
         JOIN read.application_imports AS i ON i.application_id = p.id
         JOIN read.application_import_counts AS c ON c.application_import_id = i.id AND c.kind = 'grants'
         LEFT JOIN read.grants AS g ON g.application_id = p.id AND g.valid_to IS NULL
         GROUP BY p.name HAVING count(g.*) <> 600 OR max(c.added) <> 600",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert_eq!(unequal, []);
    let granted: Vec<(String, String)> = sqlx::query_as(
        "SELECT DISTINCT a.key, e.key FROM read.grants AS g JOIN read.accounts AS a ON a.id = g.account_id AND a.valid_to IS NULL
         JOIN read.entitlements AS e ON e.id = g.entitlement_id AND e.valid_to IS NULL WHERE g.valid_to IS NULL",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert_eq!(granted.into_iter().collect::<Pairs>(), pairs);
    connection.close().await.unwrap();
    succeed(&["projections", "verify"], &place, &[]).await;
    assert!(server.terminate().await.0);
}

#[tokio::test]
async fn an_import_outlives_a_postgresql_that_is_killed() {
    let folder = Folder::new();
    let place = folder.place();
    let pairs = pairs(4000);
    let server = Serving::start(&place).await;
    let secret = server.first_token().await;
    let (client, options) = (server.client(&secret), folder.options());
    slow_down(&options).await;
    // Killed while it reads: nobody gets at the evidence, nor at the import before that.
    let leases = Hold::take(options.connect().await.unwrap(), "work.leases", "EXCLUSIVE").await;
    let (_, import) = upload(&client, &pairs).await;
    let mut evidence = Hold::take(options.connect().await.unwrap(), "evidence.blobs", "ACCESS EXCLUSIVE").await;
    leases.release().await;
    evidence.wanted().await;
    folder.kill_postgres();
    // Killed while it applies.
    is_applying(&options).await;
    folder.kill_postgres();
    assert_finished_as_the_file(&client, &import, &options, &pairs).await;
    succeed(&["projections", "verify"], &place, &[]).await;
    assert!(server.terminate().await.0);
}

#[tokio::test]
async fn of_two_servers_the_other_goes_on_with_a_dead_ones_import() {
    let options = cluster::options().await;
    let place = Place::of(&options);
    let pairs = pairs(4000);
    let first = Serving::start(&place).await;
    let secret = first.first_token().await;
    let second = Serving::start(&place).await;
    slow_down(&options).await;
    let (_, import) = upload(&first.client(&secret), &pairs).await;
    is_applying(&options).await;
    let has_it = worker(&options).await;
    let (dead, alive) = if has_it.contains(&format!("/{}/", first.pid())) { (first, second) } else { (second, first) };
    assert!(has_it.contains(&format!("/{}/", dead.pid())), "{has_it}");
    dead.kill().await;
    speed_up(&options).await;
    assert_finished_as_the_file(&alive.client(&secret), &import, &options, &pairs).await;
    assert!(worker(&options).await.contains(&format!("/{}/", alive.pid())));
    succeed(&["projections", "verify"], &place, &[]).await;
    assert!(alive.terminate().await.0);
}

#[tokio::test]
async fn an_import_that_is_interrupted_by_a_stop_goes_on_at_the_next_start() {
    let options = cluster::options().await;
    let place = Place::of(&options);
    let pairs = pairs(3000);
    let server = Serving::start(&place).await;
    let secret = server.first_token().await;
    slow_down(&options).await;
    let (_, import) = upload(&server.client(&secret), &pairs).await;
    is_applying(&options).await;
    assert!(server.terminate().await.0);
    let mut connection = options.connect().await.unwrap();
    let leases: i64 = sqlx::query_scalar("SELECT count(*) FROM work.leases").fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    assert_eq!(leases, 0, "a server that stops lets go of its imports");
    speed_up(&options).await;
    let server = Serving::start(&place).await;
    assert_finished_as_the_file(&server.client(&secret), &import, &options, &pairs).await;
    assert!(server.terminate().await.0);
}

#[tokio::test]
async fn a_cancelled_import_says_how_far_it_came() {
    let options = cluster::options().await;
    let server = TestServer::start_with(Database::reach(options.clone()).await.unwrap(), Config::default()).await;
    slow_down(&options).await;
    let pairs = pairs(4000);
    let (application, import) = upload(&server.client, &pairs).await;
    is_applying(&options).await;
    let canceled =
        server.client.post("/api/application-imports/cancel", json!({"applicationImportId": import["id"]})).await;
    let asked = Instant::now();
    assert_eq!((canceled.status, &canceled.json["status"]), (200, &json!("Canceling")), "{}", canceled.text);
    let ended = server.ended(&import).await;
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
    assert_eq!((&ended["status"], &ended["metrics"]), (&json!("Canceled"), &Value::Null));
    let granted: i64 =
        sqlx::query_scalar("SELECT count(*) FROM grants").fetch_one(&server.server.app.pool).await.unwrap();
    assert!((1..4000).contains(&granted), "{granted}");
    let log = ended["log"].as_str().unwrap();
    assert!(
        log.starts_with("Canceled after applying")
            && log.contains(&format!("grants {granted} added, 0 changed, 0 removed")),
        "{log}"
    );
    // Nothing follows the end, and the next import adds the rest.
    speed_up(&options).await;
    let import = server.import(&application, "grants", std::str::from_utf8(&csv(&pairs)).unwrap()).await;
    let grants = &import["metrics"]["grants"];
    assert_eq!((grants["added"].as_i64(), grants["unchanged"].as_i64()), (Some(4000 - granted), Some(granted)));
    server.assert_verified_in(&[500]).await;
    server.stop().await;
}
