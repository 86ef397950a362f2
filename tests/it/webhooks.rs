//! Webhooks: events go where subscriptions ask for them, to real receivers on loopback that the configuration allows.

mod addresses;
mod attempts;
mod connections;
mod deliveries;
mod faults;
mod secrets;
mod switching;

use muniment::app::Config;
use serde_json::Value;

use crate::support::bodies::grants_only;
use crate::support::configuration::file;
use crate::support::receiver::verify;
use crate::support::{TestServer, cluster, eventually, id};

/// What signs, unless a test says otherwise.
const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// A server that may call loopback.
async fn open() -> TestServer {
    TestServer::start_with(cluster::database().await, loopback()).await
}

fn loopback() -> Config {
    Config { webhook_networks: vec!["127.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()], ..Config::default() }
}

/// Imports subscriptions; the results.
async fn subscribe(server: &TestServer, subscriptions: &[Value]) -> Value {
    let (job, results) = server.import_config("/sp-config/import", &file(subscriptions), None).await;
    assert_eq!(job["status"], "COMPLETE", "{results}");
    results
}

/// Makes applications, and with each an `ApplicationCreated`.
async fn make(server: &TestServer, names: &[&str]) {
    for name in names {
        server.create(grants_only(name)).await;
    }
}

/// A webhook as `/api/webhooks` shows it.
async fn shown(server: &TestServer, object_id: &str) -> Value {
    let all = server.items("/api/webhooks").await;
    all.into_iter().find(|webhook| webhook["objectId"] == object_id).unwrap()
}

/// Its attempts, the latest first.
async fn attempts(server: &TestServer, object_id: &str) -> Vec<Value> {
    let webhook = shown(server, object_id).await;
    server.items(&format!("/api/webhooks/{}/deliveries", id(&webhook))).await
}

/// Waits until so many attempts were made; they, the latest first.
async fn attempted(server: &TestServer, object_id: &str, count: usize) -> Vec<Value> {
    eventually(&format!("{count} attempts of {object_id}"), async || {
        let made = attempts(server, object_id).await;
        (made.len() >= count).then_some(made)
    })
    .await
}

/// The names of the applications that messages tell of.
fn names(received: &[crate::support::receiver::Received]) -> Vec<String> {
    let name = |body: Value| body["data"]["data"]["definition"]["name"].as_str().unwrap().to_owned();
    received.iter().map(|request| name(request.json())).collect()
}

#[test]
fn the_tests_verify_as_the_reference_does() {
    let (secret, body) = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", br#"{"test": 2432232314}"#);
    let signed: (&str, &str, &[u8]) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body);
    assert!(verify(secret, signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    assert!(!verify(secret, ("msg_other", signed.1, signed.2), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
}
