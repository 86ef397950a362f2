//! Workflows of access reviews: which access is reviewed, and by whom.

use aggregates::api_token::Role;
use insta::assert_json_snapshot;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::people::House;
use crate::support::{Answer, Client, TestServer, id, whole};

const WORKFLOWS: &str = "/api/preview/awf/workflows";
const AUTOMATIONS: &str = "/api/preview/awf/automations";
const NOBODY: &str = "018f0000-0000-7000-8000-00000000dead";

/// Fields that break rules; fails unless this is a 400 of Veza's kind.
#[track_caller]
fn fields(answer: &Answer) -> Vec<&str> {
    assert_eq!((answer.status, &answer.json["code"]), (400, &json!("InvalidArgument")), "{}", answer.text);
    let found = answer.json["details"][0]["field_violations"].as_array().unwrap();
    found.iter().map(|one| one["field"].as_str().unwrap()).collect()
}

async fn create(client: &Client, body: Value) -> String {
    let answer = client.post(WORKFLOWS, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json["workflow_id"].as_str().unwrap().to_owned()
}

/// An automation for every workflow, to be named.
async fn optional(client: &Client, name: &str) -> String {
    let body = json!({"name": name, "attachment_behavior": {"attach_to_new_workflows": true, "opt_in": true},
                      "criteria": {"filter": "source.name sw \"A\""}, "action": {"decision": 3}});
    let answer = client.post(AUTOMATIONS, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_workflow_is_made_shown_changed_and_deleted() {
    let house = House::open().await;
    let (ann, cleo) = (house.person("Ann").await, house.person("Cleo").await);
    let rule = optional(&house.answers, "Reject A").await;
    let body = json!({
        "name": "Quarterly", "description": "Each quarter", "notes": "Look twice", "application_ids": [id(&house.ledger)],
        "filter": "source.is_active eq true", "reviewers": [{"user_type": "local", "id": cleo}, {"email": "BOB@example.com"}],
        "owner": {"id": cleo}, "automation_ids": [rule], "unknown": true,
    });
    let created = house.asks.post(WORKFLOWS, body.clone()).await;
    assert_json_snapshot!("workflow_created", whole(&created));
    let path = format!("{WORKFLOWS}/{}", created.json["workflow_id"].as_str().unwrap());
    assert_json_snapshot!("workflow", whole(&house.asks.get(&path).await));
    assert_json_snapshot!("workflows", whole(&house.asks.get(WORKFLOWS).await));
    let mut changed = body.clone();
    changed["reviewers"] = json!([{"id": ann}]);
    assert_json_snapshot!("workflow_updated", whole(&house.asks.put(&path, changed.clone()).await));
    let shown = house.asks.get(&path).await.json;
    assert_eq!(shown["value"]["reviewers"][0]["name"], "Ann Archer");
    let head = house.server.head().await;
    assert_eq!(house.asks.put(&path, changed.clone()).await.status, 200);
    assert_eq!(house.server.head().await, head);
    let stale = house.asks.request(Method::PUT, &path).header("If-Match", "\"1\"").json(&body);
    assert_eq!(house.asks.send(stale).await.status, 412);
    let current = house.asks.request(Method::PUT, &path).header("If-Match", "\"2\"").json(&body);
    assert_eq!(house.asks.send(current).await.headers["etag"], "\"3\"");
    assert_json_snapshot!("workflow_deleted", whole(&house.asks.delete(&path).await));
    assert_json_snapshot!("workflow_gone", whole(&house.asks.get(&path).await));
    for answer in [house.asks.delete(&path).await, house.asks.put(&path, body.clone()).await] {
        assert_eq!(answer.status, 404, "{}", answer.text);
    }
    assert_eq!(house.asks.get(WORKFLOWS).await.json, json!({"values": []}));
    // Its name is free again.
    create(&house.asks, body).await;
    house.close().await;
}

#[tokio::test]
async fn what_a_workflow_does_not_say_is_everything_and_nobody() {
    let server = TestServer::start().await;
    let made = create(&server.client, json!({"name": " Plain "})).await;
    let shown = server.client.get(&format!("{WORKFLOWS}/{made}")).await.json["value"].clone();
    assert_eq!((&shown["name"], &shown["filter"], &shown["owner"]), (&json!("Plain"), &json!(""), &Value::Null));
    assert_eq!((&shown["application_ids"], &shown["reviewers"]), (&json!([]), &json!([])));
    assert_eq!(shown["creator"]["user_type"], "TOKEN");
    server.stop().await;
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let house = House::open().await;
    create(&house.asks, json!({"name": "Quarterly"})).await;
    let head = house.server.head().await;
    assert_json_snapshot!("workflow_empty", whole(&house.asks.post(WORKFLOWS, json!({})).await));
    let wrong = json!({"name": "x".repeat(257), "filter": "source.identity.departmnt eq \"Sales\"",
        "application_ids": [NOBODY, id(&house.ledger), id(&house.ledger)], "reviewers": [{"id": NOBODY}],
        "owner": {"id": NOBODY}, "automation_ids": [NOBODY]});
    assert_json_snapshot!("workflow_wrong", whole(&house.asks.post(WORKFLOWS, wrong).await));
    let long = format!("source.name eq \"{}\"", "x".repeat(1 << 20));
    for (body, field) in [
        (json!({"name": "quarterly"}), "name"),
        (json!({"name": "Other", "filter": "previous.notes pr"}), "filter"),
        (json!({"name": "Other", "filter": "source.is_active gt true"}), "filter"),
        (json!({"name": "Other", "filter": "source.name eq \"A"}), "filter"),
        (json!({"name": "Other", "filter": long}), "filter"),
        (json!({"name": "Other", "filter": "(".repeat(10_000)}), "filter"),
        (json!({"name": "Other", "reviewers": [{"id": "ann"}]}), "reviewers[0].id"),
        (json!({"name": "Other", "reviewers": [{"email": "nobody@example.com"}]}), "reviewers[0].email"),
        (json!({"name": "Other", "reviewers": [{"email": "\u{0}"}]}), "reviewers[0].email"),
        (json!({"name": "Other", "owner": {}}), "owner"),
        (json!({"name": "Other", "application_ids": ["ledger"]}), "application_ids[0]"),
    ] {
        assert_eq!(fields(&house.asks.post(WORKFLOWS, body.clone()).await), [field]);
    }
    assert_eq!(fields(&house.asks.get(&format!("{WORKFLOWS}/quarterly")).await), ["id"]);
    assert_eq!(house.server.head().await, head);
    house.close().await;
}

#[tokio::test]
async fn an_archived_application_may_stay_but_is_not_named_anew() {
    let house = House::open().await;
    let body = json!({"name": "Quarterly", "application_ids": [id(&house.ledger)]});
    let made = create(&house.asks, body.clone()).await;
    let archive = format!("/api/applications/{}/archive", id(&house.ledger));
    assert_eq!(house.asks.post(&archive, json!({})).await.status, 200);
    let mut described = body.clone();
    described["description"] = json!("Each quarter");
    assert_eq!(house.asks.put(&format!("{WORKFLOWS}/{made}"), described).await.status, 200);
    let mut another = body;
    another["name"] = json!("Another");
    assert_eq!(fields(&house.asks.post(WORKFLOWS, another).await), ["application_ids[0]"]);
    house.close().await;
}

#[tokio::test]
async fn a_workflow_names_only_automations_that_are_attached_to_it() {
    let server = TestServer::start().await;
    let client = &server.client;
    let rule = optional(client, "Rule").await;
    let path = format!("{WORKFLOWS}/{}", create(client, json!({"name": "One", "automation_ids": [rule]})).await);
    let named = async || client.get(&path).await.json["value"]["automation_ids"].clone();
    assert_eq!(named().await, json!([rule]));
    // Detached or deleted, it is named no more.
    let workflow = path.rsplit('/').next().unwrap();
    let detach = json!({"id": rule, "workflow_id": workflow});
    assert_eq!(client.post(&format!("{AUTOMATIONS}:detach"), detach.clone()).await.status, 200);
    assert_eq!(named().await, json!([]));
    let again = json!({"name": "One", "automation_ids": [rule]});
    assert_eq!(fields(&client.put(&path, again.clone()).await), ["automation_ids[0]"]);
    assert_eq!(client.post(&format!("{AUTOMATIONS}:attach"), detach).await.status, 200);
    assert_eq!(client.put(&path, again).await.status, 200);
    assert_eq!(client.delete(&format!("{AUTOMATIONS}/{rule}")).await.status, 200);
    assert_eq!(named().await, json!([]));
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn deleting_a_workflow_detaches_every_automation_from_it() {
    let server = TestServer::start().await;
    let client = &server.client;
    optional(client, "Rule").await;
    let (one, two) = (create(client, json!({"name": "One"})).await, create(client, json!({"name": "Two"})).await);
    assert_eq!(client.delete(&format!("{WORKFLOWS}/{one}")).await.text, "{}");
    let detached = client.get("/api/events?eventType=AutomationDetached").await.json;
    assert_eq!(detached["items"][0]["data"], json!({"workflowId": one}));
    assert_eq!(client.get(&format!("{AUTOMATIONS}:attached/{one}")).await.status, 404);
    let left = client.get(&format!("{AUTOMATIONS}:attached/{two}")).await.json;
    // With the two that are built in.
    assert_eq!(left["values"].as_array().unwrap().len(), 3);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn operators_make_workflows_and_readers_see_them() {
    let server = TestServer::start().await;
    let operator = server.client_as("operator", Role::Operator).await;
    let reader = server.client_as("reader", Role::Reader).await;
    let made = create(&operator, json!({"name": "One"})).await;
    assert_eq!(reader.get(&format!("{WORKFLOWS}/{made}")).await.status, 200);
    for answer in [
        reader.post(WORKFLOWS, json!({"name": "Two"})).await,
        reader.put(&format!("{WORKFLOWS}/{made}"), json!({"name": "Two"})).await,
        reader.delete(&format!("{WORKFLOWS}/{made}")).await,
    ] {
        assert_eq!((answer.status, &answer.json["code"]), (403, &json!("PermissionDenied")), "{}", answer.text);
    }
    server.stop().await;
}
