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
use serde_json::Value;
use uuid::Uuid;

use super::client::Client;
use super::clock::TestClock;
use super::cluster;

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
        let clock = TestClock::new();
        let shared = std::env::temp_dir().join(format!("muniment-shared-{}", new_secret().unwrap()));
        std::fs::create_dir_all(&shared).unwrap();
        let rate_limit = if config.rate_limit == Config::default().rate_limit { 0 } else { config.rate_limit };
        let config = Config { shared_dirs: vec![shared.clone()], rate_limit, ..config };
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
        let context = Context::of(Actor::system("test"), "0".repeat(32));
        // Not from the clock: ids of tokens must not shift the ids that snapshots show.
        let id = Uuid::from_u128(0xF000 + count as u128);
        app.journal.create::<ApiToken>(id, command, context).await.unwrap();
        self.client.with_secret(secret)
    }

    /// Waits until an import has ended; its detail.
    pub async fn ended(&self, import: &Value) -> Value {
        let path = format!("/api/application-imports/{}", import["id"].as_str().unwrap());
        for _ in 0..2400 {
            let answer = self.client.get(&path).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            if matches!(answer.json["status"].as_str(), Some("Finished" | "Failed" | "Canceled")) {
                return answer.json;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the import has not ended within a minute");
    }

    /// Uploads one file to an application's group of that content and waits for its end.
    pub async fn import(&self, application: &Value, content: &str, csv: &str) -> Value {
        self.import_all(application, &[(content, csv)]).await
    }

    /// Uploads files to an application and waits for the import's end.
    pub async fn import_all(&self, application: &Value, files: &[(&str, &str)]) -> Value {
        let parts: Vec<(String, String, Vec<u8>)> = files
            .iter()
            .map(|(content, csv)| (group(application, content), format!("{content}.csv"), csv.as_bytes().to_vec()))
            .collect();
        let answer = self.client.upload(application["id"].as_str().unwrap(), parts).await;
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

/// The id of an application's file group of that content.
pub fn group(application: &Value, content: &str) -> String {
    let groups = application["connector"]["fileGroups"].as_array().unwrap();
    groups.iter().find(|group| group["content"] == content).unwrap()["id"].as_str().unwrap().to_owned()
}
