//! Certifications: access as it is, reviewed row by row.

mod by_filter;
mod crowd;
mod decisions;
mod endings;
mod faults;
mod filters;
mod pages;
mod reviewers;
mod scope;
mod shapes;
mod twice;

use aggregates::api_token::Role;
use serde_json::{Value, json};

use crate::support::people::{House, LOGINS};
use crate::support::reviews::{AWF, certification, certified, decided, row, workflow};
use crate::support::{Answer, Client, eventually, id};

const NOBODY: &str = "018f0000-0000-7000-8000-00000000dead";

/// A review of the ledger, in progress: who asks for it, and its id.
async fn review(house: &House) -> String {
    review_with(house, json!({})).await
}

/// The same of a workflow that says more.
async fn review_with(house: &House, more: Value) -> String {
    certified(&house.answers, &ledger_workflow(house, more).await).await
}

/// A workflow over the ledger; its id.
async fn ledger_workflow(house: &House, more: Value) -> String {
    let mut body = json!({"name": "Quarterly", "application_ids": [id(&house.ledger)]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    workflow(&house.answers, body).await
}

/// A client whose token stands for the person with this first name.
async fn client_of(house: &House, first_name: &str, role: Role) -> Client {
    let person = house.person(first_name).await;
    let body = json!({"name": format!("token of {first_name}"), "role": role.as_str(), "identityId": person});
    let answer = house.server.client.post("/api/tokens", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    house.server.client.with_secret(answer.json["secret"].as_str().unwrap())
}

fn path(review: &str) -> String {
    format!("{AWF}/certifications/{review}")
}

/// Waits until a certification has this state; itself then.
async fn reached(client: &Client, review: &str, state: &str) -> Value {
    eventually(&format!("the certification is in {state}"), async || {
        let shown = certification(client, review).await;
        (shown["state"] == state).then_some(shown)
    })
    .await
}

/// Decides about a row whatever stands against it.
async fn force(client: &Client, review: &str, row: &Value, change: Value) -> Answer {
    let mut value = change;
    value["result_id"] = row["result_id"].clone();
    client.post(&format!("{}/results:force_update", path(review)), json!({"value": value})).await
}

/// The decision of a row without what stands before each.
fn decision(row: &Value) -> &str {
    row["decision"].as_str().unwrap().trim_start_matches("RESULT_DECISION_")
}

/// What happened to a row, as `ACTION decision note`.
fn log(row: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().trim_start_matches("RESULT_DECISION_").to_owned();
    let entry = |entry: &Value| {
        let parts = [&entry["action"], &entry["decision_detail"]["decision"], &entry["note"]].map(text);
        parts.join(" ").trim().to_owned()
    };
    row["action_log"]["entries"].as_array().unwrap().iter().map(entry).collect()
}

/// Fields that break rules, with what is said of them; fails unless this is a 400 of Veza's kind.
#[track_caller]
fn violations(answer: &Answer) -> Vec<(&str, &str)> {
    assert_eq!((answer.status, &answer.json["code"]), (400, &json!("InvalidArgument")), "{}", answer.text);
    let found = answer.json["details"][0]["field_violations"].as_array().unwrap();
    found.iter().map(|one| (one["field"].as_str().unwrap(), one["description"].as_str().unwrap())).collect()
}

/// The only field that breaks a rule.
#[track_caller]
fn violation(answer: &Answer) -> (&str, &str) {
    let mut all = violations(answer);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// A rule said no; what it said.
#[track_caller]
fn refusal(answer: &Answer) -> &str {
    assert_eq!((answer.status, &answer.json["code"]), (409, &json!("Aborted")), "{}", answer.text);
    answer.json["message"].as_str().unwrap()
}

/// The access request that a row's rejection opened.
fn request_of(row: &Value) -> Value {
    assert!(row["access_request_id"].is_string(), "{row:#}");
    json!({"id": row["access_request_id"]})
}

#[tokio::test]
async fn a_rejected_grant_is_taken_away_and_the_import_that_shows_it_marks_the_row_fixed() {
    let house = House::open().await;
    let client = &house.answers;
    let review = review(&house).await;
    let found = row(client, &review, "ann", "book").await;
    decided(client, &review, &found, json!({"decision": "REJECTED", "notes": "No longer a clerk"})).await;
    let found = row(client, &review, "ann", "book").await;
    assert_eq!(decision(&found), "REJECTED");
    let request = request_of(&found);
    let detail = house.request(&request).await;
    assert_eq!((&detail["status"], &detail["action"]), (&json!("Open"), &json!("Remove")), "{detail:#}");
    // An import that still shows it proves nothing.
    house.access(LOGINS, crate::support::people::RIGHTS).await;
    let import = house.access(LOGINS, "login,right\nann,read\nbob,read\n").await;
    house.settled(&request, "Completed").await;
    let found = row(client, &review, "ann", "book").await;
    assert_eq!(decision(&found), "FIXED", "{found:#}");
    let proof = found["action_log"]["entries"].as_array().unwrap().last().unwrap();
    assert_eq!(proof["evidence"]["application_import_id"], import["id"], "{proof:#}");
    let shown = certification(client, &review).await;
    assert_eq!((&shown["fixed_count"], &shown["total_complete_count"]), (&json!(1), &json!(1)), "{shown:#}");
    house.close().await;
}
