//! Reviews over HTTP: workflows, certifications and what is decided in them.

use serde_json::{Value, json};

use super::client::{Answer, Client};
use super::eventually;

pub const AWF: &str = "/api/preview/awf";

/// Makes a workflow; its id.
pub async fn workflow(client: &Client, body: Value) -> String {
    let answer = client.post(&format!("{AWF}/workflows"), body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json["workflow_id"].as_str().unwrap().to_owned()
}

/// Makes an automation; its id.
pub async fn automation(client: &Client, body: Value) -> String {
    let answer = client.post(&format!("{AWF}/automations"), body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json["id"].as_str().unwrap().to_owned()
}

/// Makes a certification and waits until its rows are recorded and its automations have run; its id.
pub async fn certify(client: &Client, body: Value) -> String {
    let answer = client.post(&format!("{AWF}/certifications"), body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let id = answer.json["certification_id"].as_str().unwrap().to_owned();
    eventually("the certification is in progress", async || {
        let shown = certification(client, &id).await;
        let runs = runs(client, &id).await;
        let is_quiet = runs.iter().all(|run| run["status"] != "RUNNING");
        (shown["state"] == "CERT_STATE_IN_PROGRESS" && is_quiet).then_some(())
    })
    .await;
    id
}

/// A certification of a workflow that says nothing but who.
pub async fn certified(client: &Client, workflow: &str) -> String {
    certify(client, json!({"workflow_id": workflow})).await
}

pub async fn certification(client: &Client, id: &str) -> Value {
    client.get(&format!("{AWF}/certifications/{id}")).await.json["value"].clone()
}

/// The rows of a certification.
pub async fn rows(client: &Client, id: &str) -> Vec<Value> {
    let answer = client.get(&format!("{AWF}/certifications/{id}/results?page_size=2000")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json["values"].as_array().unwrap().clone()
}

/// The row of an account and an entitlement.
pub async fn row(client: &Client, id: &str, source: &str, destination: &str) -> Value {
    let rows = rows(client, id).await;
    let is_it = |row: &&Value| row["source"]["name"] == source && row["destination"]["name"] == destination;
    rows.iter().find(is_it).unwrap_or_else(|| panic!("no row of {source} and {destination}: {rows:#?}")).clone()
}

/// Decides about a row.
pub async fn decide(client: &Client, id: &str, row: &Value, change: Value) -> Answer {
    let mut value = change;
    value["result_id"] = row["result_id"].clone();
    client.put(&format!("{AWF}/certifications/{id}/results"), json!({"value": value})).await
}

/// Decides about a row, and may.
pub async fn decided(client: &Client, id: &str, row: &Value, change: Value) {
    let answer = decide(client, id, row, change).await;
    assert_eq!((answer.status, &answer.json), (200, &json!({})), "{}", answer.text);
}

pub async fn complete(client: &Client, id: &str) {
    let answer = client.post(&format!("{AWF}/certifications/{id}:complete"), json!({})).await;
    assert_eq!((answer.status, &answer.json), (200, &json!({})), "{}", answer.text);
}

/// The runs of a certification, the oldest first.
pub async fn runs(client: &Client, id: &str) -> Vec<Value> {
    let answer = client.get(&format!("{AWF}/certifications/{id}/automation_runs")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json["values"].as_array().unwrap().clone()
}

/// A run as it is, with its log.
pub async fn run(client: &Client, id: &str) -> Value {
    let answer = client.get(&format!("{AWF}/automation_runs/{id}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json
}

/// Waits until a run has this status; the run.
pub async fn run_is(client: &Client, id: &str, status: &str) -> Value {
    eventually(&format!("the run is {status}"), async || {
        let found = run(client, id).await;
        (found["value"]["status"] == status).then(|| found["value"].clone())
    })
    .await
}
