//! Reversing a run (`:undo`).

use aggregates::api_token::Role;
use serde_json::{Value, json};

use super::{always, by_name, decisions, only_run, quarterly, words};
use crate::support::reviews::{AWF, certified, complete, decided, run_is, runs};
use crate::support::{Answer, Client};

async fn undo(client: &Client, run: &Value) -> Answer {
    client.post(&format!("{AWF}/automation_runs/{}:undo", run["id"].as_str().unwrap()), json!({})).await
}

#[tokio::test]
async fn undoing_restores_rows_that_nobody_touched_since_and_withdraws_their_access_requests() {
    let (house, workflow) = quarterly().await;
    let client = &house.answers;
    let reject = json!({"decision": "REJECTED", "signed_off_state": "NOT_SIGNED_OFF", "notes": "All"});
    always(client, &workflow, "Reject all", "source.name pr", reject).await;
    let review = certified(client, &workflow).await;
    let run = only_run(client, &review).await;
    let before = by_name(client, &review).await;
    decided(client, &review, &before["bob read"], json!({"notes": "I'd keep this"})).await;
    let answer = undo(client, &run).await;
    assert_eq!((answer.status, &answer.json), (200, &json!({})), "{}", answer.text);
    let undone = run_is(client, run["id"].as_str().unwrap(), "UNDONE").await;
    assert_eq!((&undone["reversed"], &undone["kept"]), (&json!(2), &json!(1)));
    assert_ne!(undone["undone_at"], Value::Null);
    let expected = [("ann book", "NONE"), ("ann read", "NONE"), ("bob read", "REJECTED")];
    assert_eq!(decisions(client, &review).await, words(&expected));
    let after = by_name(client, &review).await;
    for name in ["ann book", "ann read"] {
        let row = &after[name];
        assert_eq!(
            (&row["notes"], &row["access_request_id"], &row["automation_run_id"]),
            (&json!(""), &Value::Null, &Value::Null)
        );
        let request = house.request(&json!({"id": before[name]["access_request_id"]})).await;
        assert_eq!(request["status"], "Canceled", "{request:#}");
        let entries = row["action_log"]["entries"].as_array().unwrap();
        assert_eq!((entries.len(), &entries[1]["is_undone"]), (2, &json!(true)), "{row:#}");
    }
    let kept = house.request(&json!({"id": after["bob read"]["access_request_id"]})).await;
    assert_eq!(kept["status"], "Open", "{kept:#}");
    let again = undo(client, &run).await;
    assert_eq!(again.status, 409, "{}", again.text);
    house.close().await;
}

#[tokio::test]
async fn what_was_before_a_run_is_what_is_restored() {
    let (house, workflow) = quarterly().await;
    let client = &house.answers;
    let review = certified(client, &workflow).await;
    let rows = by_name(client, &review).await;
    decided(client, &review, &rows["ann book"], json!({"decision": "REJECTED", "notes": "Hers"})).await;
    let answer =
        client.post(&format!("{AWF}/certifications/{review}/results:decide"), json!({"decision": "ACCEPTED"})).await;
    assert_eq!((answer.status, &answer.json["changed"]), (200, &json!(3)), "{}", answer.text);
    let run = only_run(client, &review).await;
    assert_eq!(run["kind"], "decision");
    assert_eq!(undo(client, &run).await.status, 200);
    let undone = run_is(client, run["id"].as_str().unwrap(), "UNDONE").await;
    assert_eq!((&undone["reversed"], &undone["kept"]), (&json!(3), &json!(0)));
    let expected = [("ann book", "REJECTED"), ("ann read", "NONE"), ("bob read", "NONE")];
    assert_eq!(decisions(client, &review).await, words(&expected));
    let row = by_name(client, &review).await.remove("ann book").unwrap();
    assert_eq!(row["notes"], "Hers");
    // What is rejected again is to be taken away again.
    let request = house.request(&json!({"id": row["access_request_id"]})).await;
    assert_eq!(request["status"], "Open", "{request:#}");
    house.close().await;
}

#[tokio::test]
async fn a_run_is_not_undone_once_the_certification_is_completed() {
    let (house, workflow) = quarterly().await;
    let client = &house.answers;
    always(client, &workflow, "Reject all", "source.name pr", json!({"decision": "REJECTED"})).await;
    let review = certified(client, &workflow).await;
    let run = only_run(client, &review).await;
    complete(client, &review).await;
    let head = house.server.head().await;
    let answer = undo(client, &run).await;
    assert_eq!(answer.status, 409, "{}", answer.text);
    assert_eq!(house.server.head().await, head);
    assert_eq!(decisions(client, &review).await["bob read"], "REJECTED");
    house.close().await;
}

#[tokio::test]
async fn a_run_is_undone_by_who_began_it_and_by_administrators() {
    let (house, workflow) = quarterly().await;
    always(&house.answers, &workflow, "Reject all", "source.name pr", json!({"decision": "REJECTED"})).await;
    // An operator makes the certification, which begins the run.
    let review = certified(&house.asks, &workflow).await;
    let run = only_run(&house.asks, &review).await;
    let other = house.server.client_as("Other", Role::Operator).await;
    let auditor = house.server.client_as("Auditor", Role::Auditor).await;
    for client in [&other, &auditor] {
        let answer = undo(client, &run).await;
        assert_eq!((answer.status, &answer.json["code"]), (403, &json!("PermissionDenied")), "{}", answer.text);
    }
    assert_eq!(undo(&house.asks, &run).await.status, 200);
    run_is(&house.asks, run["id"].as_str().unwrap(), "UNDONE").await;
    let answer =
        house.asks.post(&format!("{AWF}/certifications/{review}/results:decide"), json!({"decision": 2})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let second = runs(&house.asks, &review).await.remove(1);
    assert_eq!(undo(&other, &second).await.status, 403);
    assert_eq!(undo(&house.answers, &second).await.status, 200);
    run_is(&house.asks, second["id"].as_str().unwrap(), "UNDONE").await;
    house.close().await;
}

#[tokio::test]
async fn an_unknown_run_is_not_found() {
    let (house, _) = quarterly().await;
    let nobody = json!({"id": "018f0000-0000-7000-8000-00000000dead"});
    assert_eq!(undo(&house.answers, &nobody).await.status, 404);
    house.close().await;
}
