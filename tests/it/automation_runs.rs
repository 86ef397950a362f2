//! Runs of automations: "Error handling and conflicts" of seed 004, and rulings 27-28 and 32-36, each in its own words.

mod built_in;
mod conflicts;
mod failures;
mod history;
mod preview;
mod undo;
mod which;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::people::House;
use crate::support::reviews::{AWF, automation, certified, rows, run, runs, workflow};
use crate::support::{Answer, Client, id};

/// A house with a workflow about its ledger: rows are `ann book`, `ann read` and `bob read`.
async fn quarterly() -> (House, String) {
    let house = House::open().await;
    let made = workflow(&house.answers, json!({"name": "Quarterly", "application_ids": [id(&house.ledger)]})).await;
    (house, made)
}

/// An automation that runs when it is named, attached to nothing.
#[expect(clippy::needless_pass_by_value, reason = "shorter where it is used")]
fn rule(name: &str, filter: &str, mutable_filter: &str, action: Value) -> Value {
    json!({
        "name": name,
        "attachment_behavior": {"attach_to_new_workflows": false, "opt_in": true},
        "criteria": {"filter": filter, "mutable_filter": mutable_filter},
        "action": action,
    })
}

/// Makes an automation and lets each certification of a workflow run it, or those that name it.
async fn attach(client: &Client, workflow: &str, body: Value, opt_in: bool) -> String {
    let made = automation(client, body).await;
    let attachment = json!({"id": made, "workflow_id": workflow, "opt_in": opt_in});
    let answer = client.post(&format!("{AWF}/automations:attach"), attachment).await;
    assert_eq!((answer.status, &answer.json), (200, &json!({})), "{}", answer.text);
    made
}

/// An automation that each certification of a workflow runs.
async fn always(client: &Client, workflow: &str, name: &str, filter: &str, action: Value) -> String {
    attach(client, workflow, rule(name, filter, "", action), false).await
}

/// Rows by `account right`.
async fn by_name(client: &Client, certification: &str) -> BTreeMap<String, Value> {
    let name = |row: &Value| {
        let name = |part: &str| row[part]["name"].as_str().unwrap().to_owned();
        format!("{} {}", name("source"), name("destination"))
    };
    rows(client, certification).await.into_iter().map(|row| (name(&row), row)).collect()
}

/// Short decisions of rows by `account right`; `*` = signed off.
async fn decisions(client: &Client, certification: &str) -> BTreeMap<String, String> {
    let word = |row: Value| {
        let decision = row["decision"].as_str().unwrap().trim_start_matches("RESULT_DECISION_").to_owned();
        if row["signed_off_state"] == "SIGNED_OFF" { decision + "*" } else { decision }
    };
    by_name(client, certification).await.into_iter().map(|(name, row)| (name, word(row))).collect()
}

fn words(all: &[(&str, &str)]) -> BTreeMap<String, String> {
    all.iter().map(|(name, word)| ((*name).to_owned(), (*word).to_owned())).collect()
}

/// The only run of a certification.
async fn only_run(client: &Client, certification: &str) -> Value {
    let mut all = runs(client, certification).await;
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

/// What a run did, by `account right`: outcome, and fields in conflict.
async fn outcomes(client: &Client, certification: &str, run_id: &Value) -> BTreeMap<String, String> {
    let names = by_name(client, certification).await;
    let name = |result: &Value| names.iter().find(|(_, row)| row["result_id"] == *result).unwrap().0.clone();
    let found = run(client, run_id.as_str().unwrap()).await;
    assert_eq!(found["has_more"], false);
    let outcome = |entry: &Value| {
        let mut all = vec![entry["outcome"].as_str().unwrap().to_owned()];
        all.extend(entry["conflicts"].as_array().unwrap().iter().map(|field| field.as_str().unwrap().to_owned()));
        (name(&entry["result_id"]), all.join(" "))
    };
    found["log"].as_array().unwrap().iter().map(outcome).collect()
}

/// What automations of a run did: matched, changed, conflicting, skipped.
fn counts(run: &Value) -> BTreeMap<String, [i64; 4]> {
    let count = |of: &Value| {
        let name = of["name"].as_str().unwrap().to_owned();
        (name, ["matched", "changed", "conflicting", "skipped"].map(|count| of[count].as_i64().unwrap()))
    };
    run["automations"].as_array().unwrap().iter().map(count).collect()
}

fn counted(all: &[(&str, [i64; 4])]) -> BTreeMap<String, [i64; 4]> {
    all.iter().map(|(name, counts)| ((*name).to_owned(), *counts)).collect()
}

/// Fields that break rules; fails unless this is a 400 of Veza's kind.
#[track_caller]
fn fields(answer: &Answer) -> Vec<&str> {
    assert_eq!((answer.status, &answer.json["code"]), (400, &json!("InvalidArgument")), "{}", answer.text);
    let found = answer.json["details"][0]["field_violations"].as_array().unwrap();
    found.iter().map(|one| one["field"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_automation_that_rejects_opens_an_access_request_for_each_of_its_rows() {
    let (house, workflow) = quarterly().await;
    let client = &house.answers;
    always(client, &workflow, "Reject Ann", r#"source.name eq "ANN""#, json!({"decision": "REJECTED"})).await;
    let review = certified(client, &workflow).await;
    let expected = [("ann book", "REJECTED"), ("ann read", "REJECTED"), ("bob read", "NONE")];
    assert_eq!(decisions(client, &review).await, words(&expected));
    let found = by_name(client, &review).await;
    assert_eq!(found["bob read"]["access_request_id"], Value::Null);
    let run = only_run(client, &review).await;
    for name in ["ann book", "ann read"] {
        let row = &found[name];
        assert_eq!(row["automation_run_id"], run["id"], "{row:#}");
        let request = house.request(&json!({"id": row["access_request_id"]})).await;
        assert_eq!((&request["status"], &request["action"]), (&json!("Open"), &json!("Remove")), "{request:#}");
    }
    let ann = house.person("Ann").await;
    assert_eq!(house.requests(&ann).await.len(), 2);
    house.close().await;
}

#[tokio::test]
async fn a_run_of_no_matching_rows_is_complete_and_says_so() {
    let (house, workflow) = quarterly().await;
    let client = &house.answers;
    always(client, &workflow, "Nobody", r#"source.name eq "zoe""#, json!({"decision": "REJECTED"})).await;
    let review = certified(client, &workflow).await;
    let run = only_run(client, &review).await;
    assert_eq!(
        (&run["status"], &run["message"], &run["kind"]),
        (&json!("COMPLETED"), &Value::Null, &json!("automations"))
    );
    assert_eq!(counts(&run), counted(&[("Nobody", [0, 0, 0, 0])]));
    assert_eq!(outcomes(client, &review, &run["id"]).await, words(&[]));
    house.close().await;
}
