//! Access requests: asked for, approved, carried out, proven.

use chrono::TimeDelta;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::support::people::{House, LOGINS, RIGHTS};
use crate::support::{id, stable, whole};

const NOBODY: &str = "018f0000-0000-7000-8000-00000000dead";

async fn wanted(house: &House, action: &str, who: &str, entitlements: &[&str]) -> Value {
    json!({"action": action, "identityId": house.person(who).await, "applicationId": id(&house.ledger), "entitlements": entitlements})
}

async fn ask(house: &House, body: Value) -> Value {
    let answer = house.asks.post("/api/access-requests", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json
}

#[tokio::test]
async fn access_is_asked_for_approved_carried_out_and_proven() {
    let house = House::open().await;
    let mut body = wanted(&house, "Add", "Bob", &["book"]).await;
    body["comment"] = json!("Covers for Ann");
    let asked = house.asks.post("/api/access-requests", body).await;
    assert_json_snapshot!("access_requested", whole(&asked));
    assert_eq!(asked.headers["location"], format!("/api/access-requests/{}", id(&asked.json)));
    let own = house.asks.post(&format!("/api/access-requests/{}/approve", id(&asked.json)), json!({})).await;
    assert_json_snapshot!("access_own_request", whole(&own));
    assert_eq!(house.carry(&asked.json, "approve").await["provisioningStatus"], "Provisioning");
    let path = format!("/api/access-requests/{}", id(&asked.json));
    let failed = house.answers.post(&format!("{path}/fail"), json!({"comment": "No licence left"})).await;
    assert_eq!((&failed.json["status"], &failed.json["provisioningStatus"]), (&json!("Open"), &json!("Failed")));
    assert_eq!(house.carry(&asked.json, "provision").await["status"], "Resolved");
    let import = house.access(LOGINS, &format!("{RIGHTS}bob,book\n")).await;
    let proven = house.settled(&asked.json, "Completed").await;
    assert_json_snapshot!("access_proven", stable(&proven));
    assert_eq!(proven["evidence"]["number"], import["number"]);
    for step in ["approve", "provision", "verify", "cancel", "reset"] {
        let answer = house.answers.post(&format!("{path}/{step}"), json!({})).await;
        assert_eq!(answer.status, 409, "{step}: {}", answer.text);
    }
    house.close().await;
}

#[tokio::test]
async fn every_field_that_breaks_a_rule_is_told() {
    let house = House::open().await;
    let head = house.server.head().await;
    assert_json_snapshot!("access_empty", whole(&house.asks.post("/api/access-requests", json!({})).await));
    let wrong = json!({"action": "Grant", "identityId": "ann", "applicationId": NOBODY, "entitlements": ["x"], "neededOn": "soon"});
    assert_json_snapshot!("access_wrong", whole(&house.asks.post("/api/access-requests", wrong).await));
    for (body, field, message) in [
        (wanted(&house, "Add", "Ann", &["read"]).await, "entitlements[0]", "holds \"read\" already"),
        (wanted(&house, "Remove", "Bob", &["read", "book"]).await, "entitlements[1]", "doesn't hold \"book\""),
        (wanted(&house, "Add", "Bob", &["fly"]).await, "entitlements[0]", "no entitlement \"fly\""),
        (wanted(&house, "Add", "Bob", &["book", "book"]).await, "entitlements[1]", "named twice"),
    ] {
        let answer = house.asks.post("/api/access-requests", body).await;
        let (found, said) = answer.violation();
        assert_eq!((found, said.contains(message)), (field, true), "{said}");
    }
    assert_eq!(house.server.head().await, head);
    assert_eq!(house.asks.get(&format!("/api/access-requests/{NOBODY}")).await.status, 404);
    let unknown = house.answers.post(&format!("/api/access-requests/{NOBODY}/approve"), json!({})).await;
    assert_eq!(unknown.status, 404, "{}", unknown.text);
    house.close().await;
}

#[tokio::test]
async fn an_applications_responders_answer_for_it() {
    let house = House::open().await;
    let (bob, cleo) = (house.person("Bob").await, house.person("Cleo").await);
    let path = format!("/api/applications/{}", id(&house.ledger));
    let known = house.asks.get(&path).await.json;
    let mut body =
        json!({"name": known["name"], "connector": {"type": "file", "fileGroups": known["connector"]["fileGroups"]}});
    body["responders"] = json!([NOBODY]);
    assert_eq!(house.asks.put(&path, body.clone()).await.violation().0, "responders[0]");
    body["responders"] = json!([cleo]);
    let changed = house.asks.put(&path, body).await;
    assert_eq!((changed.status, &changed.json["responders"]), (200, &json!([cleo])), "{}", changed.text);
    assert_eq!(house.answers.put("/api/settings", json!({"defaultResponders": [bob]})).await.status, 200);
    let asked = ask(&house, wanted(&house, "Remove", "Ann", &["read"]).await).await;
    let required: Vec<&Value> =
        asked["responseRequirements"].as_array().unwrap().iter().map(|one| &one["responder"]["id"]).collect();
    assert_eq!(required, [&json!(cleo)]);
    house.close().await;
}

#[tokio::test]
async fn what_is_needed_later_waits_and_lists_find_it() {
    let house = House::open().await;
    let mut body = wanted(&house, "Suspend", "Ann", &["read"]).await;
    body["neededOn"] = json!("2026-03-20");
    let later = ask(&house, body).await;
    let now = ask(&house, wanted(&house, "Change", "Bob", &["read"]).await).await;
    assert_eq!(house.carry(&later, "approve").await["status"], "Scheduled");
    let numbers = async |query: &str| -> Vec<i64> {
        let answer = house.asks.get(&format!("/api/access-requests{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json["items"].as_array().unwrap().iter().map(|item| item["number"].as_i64().unwrap()).collect()
    };
    assert_json_snapshot!("access_requests", whole(&house.asks.get("/api/access-requests").await));
    assert_eq!(numbers("").await, [2, 1]);
    assert_eq!(numbers("?status=scheduled").await, [1]);
    assert_eq!(numbers("?type=CHANGE").await, [2]);
    assert_eq!(numbers(&format!("?applicationId={}", id(&house.hr))).await, Vec::<i64>::new());
    assert_eq!(numbers(&format!("?identityId={}", house.person("Bob").await)).await, [2]);
    let wrong = house.asks.get("/api/access-requests?type=Grant").await;
    assert_eq!(
        wrong.violation(),
        ("type", "\"Grant\" is not allowed; allowed are Add, Change, Remove, Suspend, Restore")
    );
    house.server.clock.advance(TimeDelta::days(5));
    house.settled(&later, "Open").await;
    assert_eq!(house.carry(&now, "reject").await["status"], "Canceled");
    house.close().await;
}
