//! Which automations a certification runs (rulings 27, 28).

use serde_json::{Value, json};

use super::{attach, decisions, fields, quarterly, rule, words};
use crate::support::people::House;
use crate::support::reviews::{AWF, certification, certified, certify, runs};

const NOBODY: &str = "018f0000-0000-7000-8000-00000000dead";

fn rejects(name: &str, account: &str) -> Value {
    rule(name, &format!("source.name eq \"{account}\""), "", json!({"decision": "REJECTED"}))
}

const NONE: [(&str, &str); 3] = [("ann book", "NONE"), ("ann read", "NONE"), ("bob read", "NONE")];
const BOB: [(&str, &str); 3] = [("ann book", "NONE"), ("ann read", "NONE"), ("bob read", "REJECTED")];

/// Says of the workflow which automations its certifications name.
async fn workflow_names(house: &House, workflow: &str, automations: &[&str]) -> crate::support::Answer {
    let path = format!("{AWF}/workflows/{workflow}");
    let body = json!({"name": "Quarterly", "application_ids": [house.ledger["id"]], "automation_ids": automations});
    house.answers.put(&path, body).await
}

#[tokio::test]
async fn one_that_is_enabled_by_default_runs_always() {
    let (house, workflow) = quarterly().await;
    let client = &house.answers;
    let rule = attach(client, &workflow, rejects("Reject Bob", "bob"), false).await;
    let review = certified(client, &workflow).await;
    assert_eq!(decisions(client, &review).await, words(&BOB));
    assert_eq!(certification(client, &review).await["automation_ids"], json!([rule]));
    house.close().await;
}

#[tokio::test]
async fn one_that_is_optional_runs_only_when_the_certification_names_it() {
    let (house, workflow) = quarterly().await;
    let client = &house.answers;
    let rule = attach(client, &workflow, rejects("Reject Bob", "bob"), true).await;
    let review = certified(client, &workflow).await;
    assert_eq!(decisions(client, &review).await, words(&NONE));
    assert_eq!(runs(client, &review).await, Vec::<Value>::new());
    let review = certify(client, json!({"workflow_id": workflow, "automation_ids": [rule, rule]})).await;
    assert_eq!(decisions(client, &review).await, words(&BOB));
    assert_eq!(runs(client, &review).await.len(), 1);
    house.close().await;
}

#[tokio::test]
async fn one_that_is_optional_runs_when_the_workflow_names_it() {
    let (house, workflow) = quarterly().await;
    let client = &house.answers;
    let rule = attach(client, &workflow, rejects("Reject Bob", "bob"), true).await;
    assert_eq!(workflow_names(&house, &workflow, &[&rule]).await.status, 200);
    let review = certified(client, &workflow).await;
    assert_eq!(decisions(client, &review).await, words(&BOB));
    house.close().await;
}

#[tokio::test]
async fn naming_one_that_is_not_attached_is_refused() {
    let (house, workflow) = quarterly().await;
    let client = &house.answers;
    let elsewhere = crate::support::reviews::workflow(client, json!({"name": "Elsewhere"})).await;
    let other = attach(client, &elsewhere, rejects("Reject Bob", "bob"), false).await;
    let head = house.server.head().await;
    for unattached in [other.as_str(), NOBODY] {
        let body = json!({"workflow_id": workflow, "automation_ids": [unattached]});
        assert_eq!(fields(&client.post(&format!("{AWF}/certifications"), body).await), ["automation_ids"]);
        let answer = workflow_names(&house, &workflow, &[unattached]).await;
        assert!(fields(&answer)[0].starts_with("automation_ids"), "{}", answer.text);
    }
    assert_eq!(house.server.head().await, head);
    house.close().await;
}

#[tokio::test]
async fn what_was_detached_does_not_run() {
    let (house, workflow) = quarterly().await;
    let client = &house.answers;
    let rule = attach(client, &workflow, rejects("Reject Bob", "bob"), false).await;
    let answer = client.post(&format!("{AWF}/automations:detach"), json!({"id": rule, "workflow_id": workflow})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let review = certified(client, &workflow).await;
    assert_eq!(decisions(client, &review).await, words(&NONE));
    house.close().await;
}
