//! What an automation would do (`:preview`).

use serde_json::{Value, json};

use super::{attach, by_name, quarterly, rule};
use crate::support::Client;
use crate::support::people::STAFF;
use crate::support::reviews::{AWF, certified, complete, decided};

async fn preview(client: &Client, automation: &str, workflow: &str) -> Value {
    let path = format!("{AWF}/automations/{automation}:preview");
    let answer = client.post(&path, json!({"workflow_id": workflow})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json
}

/// Rows by `account right`, sorted.
fn names(rows: &Value) -> Vec<String> {
    let name = |row: &Value, part: &str| row[part]["name"].as_str().unwrap().to_owned();
    let all = rows.as_array().unwrap().iter();
    let mut names: Vec<String> =
        all.map(|row| format!("{} {}", name(row, "source"), name(row, "destination"))).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_preview_tells_what_would_be_meant_and_why_other_decided_rows_would_not_and_records_nothing() {
    let (house, workflow) = quarterly().await;
    let client = &house.answers;
    let bobs = rule("Bob's", r#"source.name eq "bob""#, r#"previous.decision eq "ACCEPTED""#, json!({"decision": 2}));
    let bobs = attach(client, &workflow, bobs, true).await;
    let all = rule("All", "source.is_active eq true", "", json!({"decision": "ACCEPTED"}));
    let all = attach(client, &workflow, all, true).await;
    // Nothing was decided before.
    let found = preview(client, &bobs, &workflow).await;
    let expected = json!({"rows": 3, "matched": 0, "examples": [], "history_certification_id": null, "missed": {},
                          "missed_examples": []});
    assert_eq!(found, expected);
    let found = preview(client, &all, &workflow).await;
    assert_eq!(
        (&found["matched"], names(&found["examples"])),
        (&json!(3), vec!["ann book".to_owned(), "ann read".to_owned(), "bob read".to_owned()])
    );
    let before = certified(client, &workflow).await;
    let rows = by_name(client, &before).await;
    decided(client, &before, &rows["ann book"], json!({"decision": "ACCEPTED"})).await;
    decided(client, &before, &rows["ann read"], json!({"decision": "REJECTED"})).await;
    decided(client, &before, &rows["bob read"], json!({"decision": "ACCEPTED"})).await;
    complete(client, &before).await;
    house.staff(&STAFF.replace("ann@example.com,Clerk", "ann@example.com,Head")).await;
    let head = house.server.head().await;
    let found = preview(client, &bobs, &workflow).await;
    assert_eq!(names(&found["examples"]), ["bob read"]);
    assert_eq!(found["history_certification_id"], json!(before));
    assert_eq!(found["missed"], json!({"FILTER_DOES_NOT_MATCH": 2}));
    // The built-in one that approves: Ann's title has changed, and a rejection is no approval.
    let listed = client.get(&format!("{AWF}/automations")).await.json;
    let found = preview(client, listed["values"][0]["id"].as_str().unwrap(), &workflow).await;
    assert_eq!((&found["rows"], &found["matched"]), (&json!(3), &json!(1)));
    assert_eq!(names(&found["examples"]), ["bob read"]);
    assert_eq!(found["missed"], json!({"CHANGED_SINCE": 1, "MUTABLE_FILTER_DOES_NOT_MATCH": 1}));
    let mut missed: Vec<(&str, &str, &str)> = found["missed_examples"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (&row["destination"]["name"], &row["previous_decision"], &row["reason"]))
        .map(|(name, decision, reason)| (name.as_str().unwrap(), decision.as_str().unwrap(), reason.as_str().unwrap()))
        .collect();
    missed.sort_unstable();
    let expected = [
        ("book", "RESULT_DECISION_ACCEPTED", "CHANGED_SINCE"),
        ("read", "RESULT_DECISION_REJECTED", "MUTABLE_FILTER_DOES_NOT_MATCH"),
    ];
    assert_eq!(missed, expected);
    assert_eq!(house.server.head().await, head);
    house.close().await;
}
