//! Automations: each sample of seed 004, and rulings 27 to 32 in their own words.

mod attachments;
mod faults;
mod samples;

use aggregates::api_token::Role;
use serde_json::{Value, json};

use crate::support::{Answer, Client, TestServer};

const AUTOMATIONS: &str = "/api/preview/awf/automations";
const ATTACH: &str = "/api/preview/awf/automations:attach";
const DETACH: &str = "/api/preview/awf/automations:detach";
const NOBODY: &str = "018f0000-0000-7000-8000-00000000dead";

/// An automation that rejects what begins with A.
fn rejects(name: &str) -> Value {
    json!({
        "name": name,
        "description": "",
        "priority": 0,
        "attachment_behavior": {"attach_to_new_workflows": false, "opt_in": false},
        "criteria": {"filter": "source.name sw \"A\"", "mutable_filter": ""},
        "action": {"decision": "REJECTED", "signed_off_state": "UNKNOWN_SIGNED_OFF", "notes": ""},
    })
}

/// The same for every workflow.
fn everywhere(name: &str, opt_in: bool) -> Value {
    let mut body = rejects(name);
    body["attachment_behavior"] = json!({"attach_to_new_workflows": true, "opt_in": opt_in});
    body
}

/// The body of a PUT.
fn whole_of(id: &str, mut body: Value) -> Value {
    body["id"] = json!(id);
    json!({"value": body})
}

async fn create(client: &Client, body: Value) -> String {
    let answer = client.post(AUTOMATIONS, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json["id"].as_str().unwrap().to_owned()
}

async fn workflow(client: &Client, name: &str) -> String {
    let answer = client.post("/api/preview/awf/workflows", json!({"name": name})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json["workflow_id"].as_str().unwrap().to_owned()
}

/// Carried out, and the answer is `{}`.
#[track_caller]
fn assert_empty(answer: &Answer) {
    assert_eq!((answer.status, answer.text.as_str()), (200, "{}"));
}

/// Names of the automations attached to a workflow, each with its `opt_in`; the built-in ones, which always are, aside.
async fn attached(client: &Client, workflow: &str) -> Vec<(String, bool)> {
    let answer = client.get(&format!("{AUTOMATIONS}:attached/{workflow}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let name = |one: &Value| one["automation"]["name"].as_str().unwrap().to_owned();
    let values = answer.json["values"].as_array().unwrap().clone();
    let all = values.iter().map(|one| (name(one), one["opt_in"].as_bool().unwrap()));
    let (built_in, made): (Vec<_>, Vec<_>) = all.partition(|(name, _)| name.ends_with("and unchanged"));
    assert_eq!(built_in.iter().map(|(_, opt_in)| *opt_in).collect::<Vec<bool>>(), [true, true]);
    made
}

/// Fields that break rules, with what is said of them; fails unless this is a 400 of Veza's kind.
#[track_caller]
fn violations(answer: &Answer) -> Vec<(String, String)> {
    assert_eq!((answer.status, &answer.json["code"]), (400, &json!("InvalidArgument")), "{}", answer.text);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let found = answer.json["details"][0]["field_violations"].as_array().unwrap().clone();
    found.iter().map(|one| (text(&one["field"]), text(&one["description"]))).collect()
}

/// The only field that breaks a rule.
#[track_caller]
fn violation(answer: &Answer) -> (String, String) {
    let mut all = violations(answer);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// Events of a type, by what they say.
async fn events(server: &TestServer, event_type: &str) -> Vec<Value> {
    let answer = server.client.get(&format!("/api/events?eventType={event_type}&limit=1000")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json["items"].as_array().unwrap().iter().map(|event| event["data"].clone()).collect()
}

#[tokio::test]
async fn only_administrators_change_automations_and_readers_do_not_see_them() {
    let server = TestServer::start().await;
    let id = create(&server.client, rejects("Reject A")).await;
    let head = server.head().await;
    for role in [Role::Reader, Role::Auditor, Role::Operator] {
        let client = server.client_as(role.as_str(), role).await;
        let head = server.head().await;
        let read = client.get(&format!("{AUTOMATIONS}/{id}")).await;
        assert_eq!(read.status, if role == Role::Reader { 403 } else { 200 }, "{}", read.text);
        for answer in [
            client.post(AUTOMATIONS, rejects("Another")).await,
            client.put(AUTOMATIONS, whole_of(&id, rejects("Another"))).await,
            client.delete(&format!("{AUTOMATIONS}/{id}")).await,
            client.post(ATTACH, json!({"id": id, "all": true})).await,
            client.post(DETACH, json!({"id": id, "workflow_id": NOBODY})).await,
        ] {
            assert_eq!((answer.status, &answer.json["code"]), (403, &json!("PermissionDenied")), "{}", answer.text);
        }
        assert_eq!(server.head().await, head);
    }
    assert!(server.head().await > head);
    server.stop().await;
}
