//! The samples of seed 004, in its order, placeholders replaced by valid values.

use insta::assert_json_snapshot;
use reqwest::Method;
use serde_json::{Value, json};

use super::{ATTACH, AUTOMATIONS, DETACH, NOBODY, create, events, rejects, whole_of, workflow};
use crate::support::{TestServer, whole};

/// The object of the schema, as it stands there.
fn sample() -> Value {
    json!({
        "id": "e48dd2c8-3633-463b-a477-0177a942b5a6",
        "name": "Reject and sign-off source names starting with A",
        "description": "Reject and sign-off source names that start with the letter A",
        "priority": 0,
        "attachment_behavior": {"attach_to_new_workflows": true, "opt_in": true},
        "criteria": {"filter": "source.name sw \"A\"", "mutable_filter": ""},
        "action": {
            "decision": "REJECTED",
            "signed_off_state": "SIGNED_OFF",
            "notes": "Rejected because the name started with A",
            "reviewer_assignment": null,
        },
    })
}

/// The body of the samples of Create and Update, with numbers and a reviewer assignment.
fn with_numbers() -> Value {
    let user = json!({"user_type": "string", "id": "string", "email": "string", "name": "string"});
    json!({
        "name": "string",
        "description": "string",
        "priority": 0,
        "attachment_behavior": {"attach_to_new_workflows": false, "opt_in": false},
        "criteria": {"filter": "source.is_active eq false", "mutable_filter": "previous.decision eq \"RESULT_DECISION_ACCEPTED\""},
        "action": {"decision": 2, "signed_off_state": 0, "notes": "string", "reviewer_assignment": {
            "users_manager": false, "resource_managers": false, "reviewers": [user], "fallback_reviewers": [user]}},
    })
}

#[tokio::test]
async fn each_operation_answers_as_documented() {
    let server = TestServer::start().await;
    let client = &server.client;
    assert_json_snapshot!("list_empty", whole(&client.get(AUTOMATIONS).await));
    let created = client.post(AUTOMATIONS, with_numbers()).await;
    assert_json_snapshot!("create", whole(&created));
    let id = created.json["id"].as_str().unwrap().to_owned();
    let path = format!("{AUTOMATIONS}/{id}");
    assert_json_snapshot!("get", whole(&client.get(&path).await));
    let mut body = with_numbers();
    body["action"]["decision"] = json!("RESULT_DECISION_REJECTED");
    assert_json_snapshot!("update", whole(&client.put(AUTOMATIONS, whole_of(&id, body)).await));
    create(client, sample()).await;
    assert_json_snapshot!("list", whole(&client.get(AUTOMATIONS).await));
    let quarterly = workflow(client, "Quarterly").await;
    let one = json!({"id": id, "workflow_id": quarterly, "all": false, "opt_in": false});
    assert_json_snapshot!("attach", whole(&client.post(ATTACH, one).await));
    assert_json_snapshot!("attached", whole(&client.get(&format!("{AUTOMATIONS}:attached/{quarterly}")).await));
    let one = json!({"id": id, "workflow_id": quarterly, "all": false});
    assert_json_snapshot!("detach", whole(&client.post(DETACH, one).await));
    assert_json_snapshot!("delete", whole(&client.delete(&path).await));
    assert_json_snapshot!("get_deleted", whole(&client.get(&path).await));
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn what_is_created_ignores_an_id_and_gives_its_own() {
    let server = TestServer::start().await;
    let id = create(&server.client, sample()).await;
    assert_ne!(id, sample()["id"]);
    let shown = server.client.get(&format!("{AUTOMATIONS}/{id}")).await.json["value"].clone();
    let mut expected = sample();
    expected["id"] = json!(id);
    assert_eq!(shown.to_string(), expected.to_string());
    let mut odd = rejects("Odd id");
    odd["id"] = json!(4711);
    create(&server.client, odd).await;
    server.stop().await;
}

#[tokio::test]
async fn an_update_is_an_event_with_old_and_new_and_the_same_again_is_none() {
    let server = TestServer::start().await;
    let id = create(&server.client, rejects("Reject A")).await;
    let body = whole_of(&id, rejects("Reject all A"));
    assert_eq!(server.client.put(AUTOMATIONS, body.clone()).await.status, 200);
    let updated = events(&server, "AutomationUpdated").await;
    let names = |event: &Value| (event["old"]["name"].clone(), event["new"]["name"].clone());
    assert_eq!(updated.iter().map(names).collect::<Vec<_>>(), [(json!("Reject A"), json!("Reject all A"))]);
    let head = server.head().await;
    assert_eq!(server.client.put(AUTOMATIONS, body.clone()).await.status, 200);
    assert_eq!(server.head().await, head);
    let stale = server.client.request(Method::PUT, AUTOMATIONS).header("If-Match", "\"1\"").json(&body);
    let stale = server.client.send(stale).await;
    assert_eq!((stale.status, &stale.json["code"]), (412, &json!("FailedPrecondition")), "{}", stale.text);
    server.stop().await;
}

#[tokio::test]
async fn requests_without_a_content_type_are_read_as_the_examples_send_them() {
    let server = TestServer::start().await;
    let id = create(&server.client, rejects("Reject A")).await;
    for (method, path, status) in [
        (Method::GET, AUTOMATIONS.to_owned(), 200),
        (Method::GET, format!("{AUTOMATIONS}/{id}"), 200),
        (Method::DELETE, format!("{AUTOMATIONS}/{id}"), 200),
        // The list of nobody's, as the seed's own example has it.
        (Method::GET, format!("{AUTOMATIONS}:attached/"), 404),
        (Method::GET, format!("{AUTOMATIONS}:attached/{NOBODY}"), 404),
    ] {
        let request = server.client.request(method, &path).header("accept", "application/json");
        let answer = server.client.send(request).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_created_automation_is_created_once_whoever_sends_it_again() {
    let server = TestServer::start().await;
    let first = server.client.post_keyed(AUTOMATIONS, "key", rejects("Reject A")).await;
    let again = server.client.post_keyed(AUTOMATIONS, "key", rejects("Reject A")).await;
    assert_eq!((first.status, again.status, &first.json), (200, 200, &again.json));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let other = server.client.post_keyed(AUTOMATIONS, "key", rejects("Reject B")).await;
    assert_eq!((other.status, &other.json["code"]), (422, &json!("FailedPrecondition")), "{}", other.text);
    server.stop().await;
}
