//! A server in this process, on a database of its own, spoken to over real HTTP.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aggregates::Actor;
use aggregates::api_token::{ApiToken, ApiTokenCommand, Role};
use muniment::app::Config;
use muniment::database::Database;
use muniment::journal::Context;
use muniment::server::{Listen, Server, assemble};
use muniment::tokens::{new_secret, secret_sha256};
use serde_json::{Value, json};
use uuid::Uuid;

use super::client::{Answer, Client};
use super::clock::TestClock;
use super::cluster;
use super::hold::Hold;

/// A running server.
pub struct TestServer {
    pub server: Server,
    pub database: Database,
    pub clock: Arc<TestClock>,
    /// Its shared directory.
    pub shared: PathBuf,
    /// A client with an administrator's token named `administrator`.
    pub client: Client,
}

impl TestServer {
    /// On a fresh database.
    pub async fn start() -> Self {
        Self::start_with(cluster::database().await, Config::default()).await
    }

    /// On this database, with these limits; the shared directory is made and the rate limit taken away.
    pub async fn start_with(database: Database, config: Config) -> Self {
        Self::start_at(database, config, TestClock::new()).await
    }

    /// A second server on this one's database, by the same clock.
    pub async fn start_beside(&self) -> Self {
        self.start_beside_with(Config::default()).await
    }

    /// A second server with these limits.
    pub async fn start_beside_with(&self, config: Config) -> Self {
        Self::start_at(self.database.clone(), config, Arc::clone(&self.clock)).await
    }

    async fn start_at(database: Database, config: Config, clock: Arc<TestClock>) -> Self {
        let shared = std::env::temp_dir().join(format!("muniment-shared-{}", new_secret().unwrap()));
        std::fs::create_dir_all(&shared).unwrap();
        let rate_limit = if config.rate_limit == Config::default().rate_limit { 0 } else { config.rate_limit };
        let is_usual = config.quiet_period == Config::default().quiet_period;
        let quiet_period = if is_usual { Duration::from_millis(10) } else { config.quiet_period };
        let config = Config { shared_dirs: vec![shared.clone()], rate_limit, quiet_period, ..config };
        let app = assemble(&database, config, clock.clone()).await.unwrap();
        let listen = Listen { address: "127.0.0.1:0".parse().unwrap(), tls: None };
        let server = Server::start(app, listen).await.unwrap();
        let client = Client::new(server.address);
        let mut running = Self { server, database, clock, shared, client };
        running.client = running.client_as("administrator", Role::Administrator).await;
        running
    }

    /// A client with a new token of this name and role. The name may be taken by an earlier server of the same database.
    pub async fn client_as(&self, name: &str, role: Role) -> Client {
        let app = &self.server.app;
        let secret = new_secret().unwrap();
        let count = projections::api_tokens::list(&app.pool).await.unwrap().len();
        let taken = projections::api_tokens::by_name(&app.pool, name).await.unwrap().is_some();
        let command = ApiTokenCommand::Create {
            name: if taken { format!("{name} {count}") } else { name.to_owned() },
            role,
            identity_id: None,
            expires_at: None,
            secret_sha256: secret_sha256(&secret),
            now: muniment::clock::Clock::now(&*self.clock),
        };
        let context = Self::context();
        // Not from the clock: ids of tokens must not shift the ids that snapshots show.
        let id = Uuid::from_u128(0xF000 + count as u128);
        app.journal.create::<ApiToken>(id, command, context).await.unwrap();
        self.client.with_secret(secret)
    }

    /// The context of what a test does beside the API.
    pub fn context() -> Context {
        Context::of(Actor::system("test"), "0".repeat(32))
    }

    /// Makes an application.
    pub async fn create(&self, body: Value) -> Value {
        let answer = self.client.post("/api/applications", body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json
    }

    /// The import as it is now.
    pub async fn detail(&self, import: &Value) -> Value {
        let answer = self.client.get(&format!("/api/application-imports/{}", id(import))).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json
    }

    /// Waits until an import has ended; its detail.
    pub async fn ended(&self, import: &Value) -> Value {
        eventually("the import ends", async || {
            let detail = self.detail(import).await;
            matches!(detail["status"].as_str(), Some("Finished" | "Failed" | "Canceled")).then_some(detail)
        })
        .await
    }

    /// Waits until an import has this status; its detail.
    pub async fn reached(&self, import: &Value, status: &str) -> Value {
        eventually(&format!("the import is {status}"), async || {
            let detail = self.detail(import).await;
            (detail["status"] == status).then_some(detail)
        })
        .await
    }

    /// Every item of a list, page by page.
    pub async fn items(&self, path: &str) -> Vec<Value> {
        let (mut items, mut page) = (Vec::new(), 1);
        loop {
            let answer =
                self.client.get(&format!("{path}{}page={page}", if path.contains('?') { '&' } else { '?' })).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            items.extend(answer.json["items"].as_array().unwrap().iter().cloned());
            if page >= answer.json["totalPages"].as_i64().unwrap() {
                assert_eq!(answer.json["totalCount"], items.len());
                return items;
            }
            page += 1;
        }
    }

    /// The current grants of an application as `account permission`, sorted.
    pub async fn grants(&self, application: &Value) -> Vec<String> {
        let grants = self.items(&format!("/api/applications/{}/grants", id(application))).await;
        let word = |value: &Value| value["key"].as_str().unwrap().to_owned();
        let mut words: Vec<String> =
            grants.iter().map(|grant| format!("{} {}", word(&grant["account"]), word(&grant["entitlement"]))).collect();
        words.sort();
        words
    }

    /// The keys of an application's current accounts, entitlements, ..., sorted.
    pub async fn keys(&self, application: &Value, noun: &str) -> Vec<String> {
        let items = self.items(&format!("/api/applications/{}/{noun}", id(application))).await;
        items.iter().map(|item| item["key"].as_str().unwrap().to_owned()).collect()
    }

    /// The issues of an import as `row code`, in the order in which they were found.
    pub async fn issues(&self, import: &Value) -> Vec<String> {
        let issues = self.items(&format!("/api/application-imports/{}/issues", id(import))).await;
        issues.iter().map(|issue| format!("{} {}", issue["row"], issue["code"].as_str().unwrap())).collect()
    }

    /// The last position of the log.
    pub async fn head(&self) -> i64 {
        sqlx::query_scalar("SELECT coalesce(max(position), 0) FROM journal.events")
            .fetch_one(&self.server.app.pool)
            .await
            .unwrap()
    }

    /// How many events of these stream types there are after a position.
    pub async fn events_after(&self, position: i64, aggregate_types: &[&str]) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM journal.events WHERE position > $1 AND aggregate_type = ANY ($2)")
            .bind(position)
            .bind(aggregate_types)
            .fetch_one(&self.server.app.pool)
            .await
            .unwrap()
    }

    /// Puts a file into the shared directory, with the folders on its way.
    pub fn share(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.shared.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Gives an application a schedule that fires once a year, with these paths by content.
    pub async fn schedule(&self, application: &Value, files: &[(&str, &str)]) -> Answer {
        let files: Vec<Value> = files
            .iter()
            .map(|(content, path)| json!({"fileGroupId": file_group(application, content), "path": path}))
            .collect();
        let path = format!("/api/applications/{}/import-schedule", id(application));
        self.client.put(&path, json!({"cron": "0 2 1 1 *", "timezone": "Europe/Zurich", "files": files})).await
    }

    /// Asks for a scheduled import.
    pub async fn stage(&self, application: &Value) -> Answer {
        self.client.post("/api/application-imports/stage", json!({"applicationId": id(application)})).await
    }

    /// Asks to cancel an import.
    pub async fn cancel(&self, import: &Value) -> Answer {
        self.client.post("/api/application-imports/cancel", json!({"applicationImportId": id(import)})).await
    }

    /// Keeps everybody else from a table until the hold is dropped: with `work.leases` imports stay Pending, with
    /// `work.import_issues` they stay Running, before their first row is read.
    pub async fn hold(&self, table: &str) -> Hold {
        Hold::take(self.database.connect_owner().await.unwrap(), table, "ACCESS EXCLUSIVE").await
    }

    /// Uploads bytes to an application's group of that content and waits for the import's end.
    pub async fn import_bytes(&self, application: &Value, content: &str, bytes: impl Into<Vec<u8>>) -> Value {
        let parts = vec![(file_group(application, content), format!("{content}.csv"), bytes.into())];
        let answer = self.client.upload(id(application), parts).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        self.ended(&answer.json).await
    }

    /// Uploads one file to an application's group of that content and waits for its end.
    pub async fn import(&self, application: &Value, content: &str, csv: &str) -> Value {
        self.import_all(application, &[(content, csv)]).await
    }

    /// Uploads files to an application and waits for the import's end.
    pub async fn import_all(&self, application: &Value, files: &[(&str, &str)]) -> Value {
        let parts: Vec<(String, String, Vec<u8>)> = files
            .iter()
            .map(|(content, csv)| (file_group(application, content), format!("{content}.csv"), csv.as_bytes().to_vec()))
            .collect();
        let answer = self.client.upload(id(application), parts).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        self.ended(&answer.json).await
    }

    /// No table differs from the log, folded in batches of any size.
    pub async fn assert_verified(&self) {
        self.assert_verified_in(&[1000, 7, 1]).await;
    }

    /// No table differs from the log, folded in batches of these sizes.
    pub async fn assert_verified_in(&self, batches: &[i64]) {
        for batch in batches.iter().copied() {
            let mut connection = self.database.connect_owner().await.unwrap();
            let found = projections::verify::verify(&mut connection, batch, |_, _| ()).await.unwrap();
            assert_eq!(found.differences, [], "in batches of {batch}");
        }
        let check = muniment::journal::check::check(&self.server.app.pool, |_, _| ()).await.unwrap();
        assert_eq!(check.faults, Vec::<String>::new());
    }

    /// Stops it and removes its shared directory.
    pub async fn stop(self) {
        self.server.stop().await.unwrap();
        std::fs::remove_dir_all(&self.shared).unwrap();
    }
}

/// The id of a resource.
pub fn id(resource: &Value) -> &str {
    resource["id"].as_str().unwrap()
}

/// The id of an application's file group of that content.
pub fn file_group(application: &Value, content: &str) -> String {
    let groups = application["connector"]["fileGroups"].as_array().unwrap();
    id(groups.iter().find(|group| group["content"] == content).unwrap()).to_owned()
}

/// Looks again and again, for a minute at most.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..3000 {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not within a minute: {what}");
}
