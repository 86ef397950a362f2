//! A server as a process of its own with a configuration, a large file to be imported there, and all that an import leaves behind.

use std::collections::BTreeMap;

use aggregates::config_object::{ObjectType, stream};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Executor, PgConnection};
use uuid::Uuid;

use crate::support::configuration::{file, object};
use crate::support::hold::Hold;
use crate::support::process::{Place, Serving, succeed, wait_until};
use crate::support::{Client, cluster};

/// Objects of the file; thirteen slices and more, since a SOURCE is one of its own.
pub const COUNT: usize = 2400;
/// What every secret here begins with.
pub const SECRET: &str = "s3cret-";

fn kind(number: usize) -> &'static str {
    match number {
        _ if number % 400 == 200 => "SOURCE",
        _ if number % 8 == 3 => "TRIGGER_SUBSCRIPTION",
        _ if number % 5 == 1 => "TRANSFORM",
        _ => "RULE",
    }
}

/// Refers to what isn't there, or to such an object.
pub fn is_bad(number: usize) -> bool {
    matches!(number % 97, 50 | 51)
}

fn reference(number: usize) -> Value {
    json!({"type": kind(number), "id": format!("id-{number}"), "name": format!("Name {number}")})
}

/// An object of the file. `says` differs between the file and what was there before.
fn entry(number: usize, name: &str, says: &str) -> Value {
    let good = |mut number: usize| {
        while is_bad(number) {
            number -= 1;
        }
        reference(number)
    };
    let by_name = |number: usize| {
        let mut reference = good(number);
        reference.as_object_mut().unwrap().remove("id");
        reference
    };
    let secret = format!("{SECRET}{says}-{number}");
    let mut content = match kind(number) {
        "SOURCE" => {
            json!({"name": name, "description": says, "connector": "x", "connectorAttributes": {"password": secret}})
        }
        "TRIGGER_SUBSCRIPTION" => {
            json!({"httpConfig": {"url": says, "bearerTokenAuthConfig": {"bearerToken": secret}}})
        }
        "TRANSFORM" => json!({"type": "lower", "attributes": {"says": says}}),
        _ => json!({"script": says, "owner": {"type": "IDENTITY", "id": "9", "name": "Nobody"}}),
    };
    if number > 0 && says == "new" {
        content["needs"] = match number % 97 {
            50 => json!([{"type": "RULE", "name": "nowhere"}]),
            51 => json!([reference(number - 1)]),
            _ => json!([good(number / 2), by_name(number / 3)]),
        };
    }
    object(kind(number), &format!("id-{number}"), name, content)
}

/// What is there before the import: some of its objects, with other contents, half of them under other names.
fn before() -> Vec<Value> {
    let all = (0..COUNT).filter(|number| number % 11 == 0 || *number == 200).filter(|number| !is_bad(*number));
    let name =
        |number: usize| if number.is_multiple_of(2) { format!("Was {number}") } else { format!("Name {number}") };
    all.map(|number| entry(number, &name(number), "old")).collect()
}

/// The file, the last object first: what is needed comes after what needs it.
pub fn many() -> Vec<Value> {
    (0..COUNT).rev().map(|number| entry(number, &format!("Name {number}"), "new")).collect()
}

/// Secrets as they must be known after the import: by owner and place.
fn secrets_after() -> BTreeMap<(Uuid, String), String> {
    let good = (0..COUNT).filter(|number| !is_bad(*number));
    good.filter_map(|number| {
        let pointer = match kind(number) {
            "SOURCE" => "/object/connectorAttributes/password",
            "TRIGGER_SUBSCRIPTION" => "/object/httpConfig/bearerTokenAuthConfig/bearerToken",
            _ => return None,
        };
        let owner = stream(ObjectType::read(kind(number)).unwrap(), &format!("id-{number}"));
        Some(((owner, pointer.to_owned()), format!("{SECRET}new-{number}")))
    })
    .collect()
}

/// A database, and what it takes to start servers on it.
pub struct House {
    pub options: PgConnectOptions,
    pub place: Place,
    pub secret: String,
    pub connection: PgConnection,
    /// The objects of an export before the import.
    pub found: String,
}

impl House {
    /// A server on a fresh database with a configuration.
    pub async fn open() -> (Self, Serving) {
        let options = cluster::options().await;
        let place = Place::of(&options);
        Self::open_at(options, place).await
    }

    /// As [`House::open`], where the server reaches the database by way of `place`.
    pub async fn open_at(options: PgConnectOptions, place: Place) -> (Self, Serving) {
        let server = Serving::start(&place).await;
        let secret = server.first_token().await;
        let client = server.client(&secret);
        let import = send(&client, &before()).await;
        assert_eq!(ended(&client, "import", &import).await["status"], "COMPLETE");
        let found = export(&client).await;
        let connection = options.connect().await.unwrap();
        (Self { options, place, secret, connection, found }, server)
    }

    pub fn client(&self, server: &Serving) -> Client {
        server.client(&self.secret)
    }

    pub async fn connect(&self) -> PgConnection {
        self.options.connect().await.unwrap()
    }

    /// Keeps others from writing a table (`EXCLUSIVE`), or from reading it, too (`ACCESS EXCLUSIVE`).
    pub async fn hold(&self, table: &str, mode: &str) -> Hold {
        Hold::take(self.connect().await, table, mode).await
    }

    /// As if ten seconds had passed: the lease of a worker that is dead is over.
    pub async fn expire_leases(&mut self) {
        let expire = "UPDATE work.leases SET expires_at = clock_timestamp() - interval '1 second'";
        self.connection.execute(expire).await.unwrap();
    }

    /// Makes each transaction that appends to configuration objects take a while, so that there is something to interrupt.
    pub async fn slow_down(&mut self) {
        self.connection
            .execute(
                "CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                     IF EXISTS (SELECT FROM fresh WHERE aggregate_type = 'config_object') THEN PERFORM pg_sleep(0.3); END IF;
                     RETURN NULL;
                 END $$;
                 CREATE TRIGGER slow AFTER INSERT ON journal.events REFERENCING NEW TABLE AS fresh
                     FOR EACH STATEMENT EXECUTE FUNCTION public.slow()",
            )
            .await
            .unwrap();
    }

    pub async fn speed_up(&mut self) {
        self.connection.execute("DROP TRIGGER slow ON journal.events").await.unwrap();
    }

    /// Waits until so many events of objects follow from the import.
    pub async fn amid(&mut self, import: &str, count: usize) {
        wait_until("the import is amid its work", async || self.caused(import).await.len() >= count).await;
    }

    /// The events of objects and applications that follow from the import: position and stream.
    pub async fn caused(&mut self, import: &str) -> Vec<(i64, String)> {
        sqlx::query_as(
            "SELECT position, aggregate_type || ' ' || aggregate_id FROM journal.events
             WHERE aggregate_type IN ('config_object', 'application') AND metadata ->> 'causationId' =
                 (SELECT position::text FROM journal.events
                  WHERE aggregate_type = 'config_job' AND aggregate_id = $1 AND sequence = 1)
             ORDER BY position",
        )
        .bind(import)
        .fetch_all(&mut self.connection)
        .await
        .unwrap()
    }

    /// The events of a job's stream: position, type and worker.
    pub async fn job_events(&mut self, job: &str) -> Vec<(i64, String, Option<String>)> {
        sqlx::query_as(
            "SELECT position, event_type, metadata ->> 'worker' FROM journal.events
             WHERE aggregate_type = 'config_job' AND aggregate_id = $1 ORDER BY sequence",
        )
        .bind(job)
        .fetch_all(&mut self.connection)
        .await
        .unwrap()
    }

    /// How often workers took the job up.
    pub async fn claims(&mut self, job: &str) -> usize {
        self.job_events(job).await.iter().filter(|(_, kind, _)| kind == "ConfigJobClaimed").count()
    }

    /// Secrets that are known: those of objects, and how many are on their way.
    pub async fn secrets(&mut self) -> (BTreeMap<(Uuid, String), String>, usize) {
        let all: Vec<(Uuid, Uuid, String, String)> =
            sqlx::query_as("SELECT owner_id, job_id, pointer, value FROM work.config_secrets")
                .fetch_all(&mut self.connection)
                .await
                .unwrap();
        let (known, coming): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, job, ..)| job.is_nil());
        let known = known.into_iter().map(|(owner, _, pointer, value)| ((owner, pointer), value)).collect();
        (known, coming.len())
    }

    /// The job ended once, at the end of its stream; nobody appended for it after another worker's claim; no object has two events of
    /// it, and its backup was made once.
    pub async fn assert_once(&mut self, import: &str) {
        let events = self.job_events(import).await;
        let kinds: Vec<&str> = events.iter().map(|(_, kind, _)| kind.as_str()).collect();
        let is_final = |kind: &&&str| matches!(**kind, "ConfigJobCompleted" | "ConfigJobFailed" | "ConfigJobCanceled");
        assert_eq!(kinds.iter().filter(is_final).count(), 1, "{kinds:?}");
        assert!(is_final(&kinds.last().unwrap()), "{kinds:?}");
        let mut streams: Vec<String> = self.caused(import).await.into_iter().map(|(_, stream)| stream).collect();
        streams.sort();
        let twice: Vec<&[String]> = streams.windows(2).filter(|two| two[0] == two[1]).collect();
        assert!(twice.is_empty(), "{twice:?}");
        let all: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT aggregate_id, event_type, metadata ->> 'worker' FROM journal.events
             WHERE metadata ->> 'causationId' = $1::text ORDER BY position",
        )
        .bind(events[0].0)
        .fetch_all(&mut self.connection)
        .await
        .unwrap();
        let mut has_it = String::new();
        for (stream, kind, worker) in all {
            if stream == import && kind == "ConfigJobClaimed" {
                has_it = worker;
            } else {
                assert_eq!(worker, has_it, "{kind} of {stream} is one's that lost the job");
            }
        }
        let backups: Vec<(String, i64)> = sqlx::query_as(
            "SELECT aggregate_id, count(*) FILTER (WHERE event_type IN ('ConfigJobCompleted', 'ConfigJobFailed'))
             FROM journal.events WHERE aggregate_type = 'config_job' AND aggregate_id IN
                 (SELECT aggregate_id FROM journal.events WHERE payload #>> '{ConfigJobStarted,task,backupOf}' = $1)
             GROUP BY aggregate_id",
        )
        .bind(import)
        .fetch_all(&mut self.connection)
        .await
        .unwrap();
        assert!(backups.len() <= 1 && backups.iter().all(|(_, ends)| *ends <= 1), "{backups:?}");
    }

    /// Secrets are in their table and in no other, and in no file.
    pub async fn assert_secrets_are_nowhere_else(&mut self) {
        let tables: Vec<String> = sqlx::query_scalar(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
             WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
        )
        .fetch_all(&mut self.connection)
        .await
        .unwrap();
        assert!(tables.len() > 20, "{tables:?}");
        for table in tables.iter().filter(|table| *table != "work.config_secrets") {
            let text = if table == "evidence.blobs" { "encode(bytes, 'escape')" } else { "t::text" };
            let count = format!("SELECT count(*) FROM {table} AS t WHERE {text} LIKE '%{SECRET}%'");
            let told: i64 = sqlx::query_scalar(&count).fetch_one(&mut self.connection).await.unwrap();
            assert_eq!(told, 0, "secrets are told in {table}");
        }
    }

    /// The log is dense, every hash right, and no table differs from it.
    pub async fn assert_sound(&self) {
        succeed(&["verify"], &self.place, &[]).await;
        succeed(&["projections", "verify"], &self.place, &[]).await;
    }

    /// Looks at all that an import of [`many`] left behind; then puts it back, which leaves what was found.
    pub async fn left(&mut self, server: &Serving, import: &str) -> Left {
        let client = self.client(server);
        let job = ended(&client, "import", import).await;
        self.assert_once(import).await;
        // What nobody took is forgotten right behind the end.
        wait_until("no secret is on its way", async || self.secrets().await.1 == 0).await;
        assert_eq!(self.secrets().await.0, secrets_after());
        self.assert_secrets_are_nowhere_else().await;
        let mut results = client.get(&format!("/sp-config/import/{import}/download")).await.json;
        let backup = results.as_object_mut().unwrap().remove("exportJobId").unwrap();
        same("the backup", &objects(&client, backup.as_str().unwrap()).await, &self.found);
        let exported = export(&client).await;
        let diff = client.get(&format!("/api/config-imports/{import}/diff")).await;
        assert_eq!(diff.status, 200, "{}", diff.text);
        let diff = diff.json["objects"].to_string();
        let events = self.caused(import).await.len();
        let restored = client.post(&format!("/api/config-imports/{import}/restore"), json!({})).await;
        assert_eq!(restored.status, 200, "{}", restored.text);
        same("what was put back", &export(&client).await, &self.found);
        self.assert_sound().await;
        Left { status: job["status"].to_string(), results: results.to_string(), exported, diff, events }
    }
}

/// All that an import left behind, but for ids of jobs and times.
pub struct Left {
    status: String,
    results: String,
    exported: String,
    diff: String,
    /// Of objects and applications.
    events: usize,
}

impl Left {
    /// What an import that nothing happened to leaves behind.
    pub async fn undisturbed() -> Self {
        let (mut house, server) = House::open().await;
        let client = house.client(&server);
        let import = send(&client, &many()).await;
        ended(&client, "import", &import).await;
        let left = house.left(&server, &import).await;
        let results: Value = serde_json::from_str(&left.results).unwrap();
        let of_types = results["results"].as_object().unwrap().values();
        let imported: usize = of_types.map(|of_type| of_type["importedObjects"].as_array().unwrap().len()).sum();
        assert_eq!(imported, (0..COUNT).filter(|number| !is_bad(*number)).count());
        assert_eq!(left.status, "\"FAILED\"", "some can't be imported");
        assert!(server.terminate().await.0);
        left
    }

    /// Another import left the same.
    pub fn assert_is(&self, other: &Self) {
        assert_eq!((&self.status, self.events), (&other.status, other.events));
        same("the results", &self.results, &other.results);
        same("an export", &self.exported, &other.exported);
        same("the diff", &self.diff, &other.diff);
    }
}

/// Two long texts are equal, byte for byte.
pub fn same(what: &str, found: &str, expected: &str) {
    if found == expected {
        return;
    }
    let at = found.bytes().zip(expected.bytes()).take_while(|(one, other)| one == other).count();
    let part = |text: &str| {
        let bytes = &text.as_bytes()[at.saturating_sub(200).min(text.len())..(at + 200).min(text.len())];
        String::from_utf8_lossy(bytes).into_owned()
    };
    panic!("{what} differs at byte {at}: found\n{}\nexpected\n{}", part(found), part(expected));
}

/// Sends a file of these objects; the import's id.
pub async fn send(client: &Client, objects: &[Value]) -> String {
    let data = Part::bytes(file(objects).to_string().into_bytes()).file_name("config.json");
    let request = client.request(Method::POST, "/sp-config/import").multipart(Form::new().part("data", data));
    let answer = client.send(request).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    answer.json["jobId"].as_str().unwrap().to_owned()
}

/// Waits until a job has ended; its status.
pub async fn ended(client: &Client, kind: &str, id: &str) -> Value {
    let mut last = Value::Null;
    wait_until("the job ends", async || {
        let answer = client.get(&format!("/sp-config/{kind}/{id}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        last = answer.json;
        !last["completed"].is_null()
    })
    .await;
    last
}

/// The objects of an export of everything: their very bytes.
pub async fn export(client: &Client) -> String {
    let started = client.post("/sp-config/export", json!({})).await;
    assert_eq!(started.status, 202, "{}", started.text);
    let id = started.json["jobId"].as_str().unwrap();
    assert_eq!(ended(client, "export", id).await["status"], "COMPLETE");
    objects(client, id).await
}

/// The objects of an export's file: their very bytes.
pub async fn objects(client: &Client, export: &str) -> String {
    let answer = client.get(&format!("/sp-config/export/{export}/download")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let at = answer.text.find("\"objects\":").unwrap();
    answer.text[at..].to_owned()
}

/// Numbers by chance, told so that a failure can be looked into.
pub struct Chance(u64);

impl Chance {
    pub fn new() -> Self {
        let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap();
        let seed = now.as_nanos() as u64;
        println!("chance follows from {seed}");
        Self(seed)
    }

    /// Another one that follows from this.
    pub fn fork(&mut self) -> Self {
        Self(self.below(u64::MAX >> 33) << 20 | 1)
    }

    /// A number below another.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit.max(1)
    }
}
