//! The two automations that are always there (contracts §3.3, rulings 39).

use serde_json::{Value, json};

use super::{always, by_name, counted, counts, decisions, fields, only_run, quarterly, words};
use crate::support::Client;
use crate::support::people::STAFF;
use crate::support::reviews::{AWF, certified, certify, complete, decided, runs};

/// Ids of the built-in ones: what approves, what rejects.
async fn built_ins(client: &Client) -> [String; 2] {
    let listed = client.get(&format!("{AWF}/automations")).await.json;
    let id = |at: usize| listed["values"][at]["id"].as_str().unwrap().to_owned();
    [id(0), id(1)]
}

#[tokio::test]
async fn they_are_listed_first_are_optional_and_cannot_be_changed() {
    let (house, workflow) = quarterly().await;
    let client = &house.answers;
    always(client, &workflow, "Mine", "source.name pr", json!({"decision": "ACCEPTED"})).await;
    let listed = client.get(&format!("{AWF}/automations")).await.json["values"].clone();
    let names: Vec<&str> = listed.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["Approve previously approved and unchanged", "Reject previously rejected and unchanged", "Mine"]
    );
    let head = house.server.head().await;
    for built_in in &listed.as_array().unwrap()[..2] {
        assert_eq!(built_in["attachment_behavior"], json!({"attach_to_new_workflows": true, "opt_in": true}));
        let id = built_in["id"].as_str().unwrap();
        assert_eq!(client.get(&format!("{AWF}/automations/{id}")).await.json["value"], *built_in);
        let one = json!({"id": id, "workflow_id": workflow, "opt_in": false});
        for answer in [
            client.put(&format!("{AWF}/automations"), json!({"value": built_in})).await,
            client.delete(&format!("{AWF}/automations/{id}")).await,
            client.post(&format!("{AWF}/automations:attach"), one.clone()).await,
            client.post(&format!("{AWF}/automations:attach"), json!({"id": id, "all": true})).await,
            client.post(&format!("{AWF}/automations:detach"), one).await,
        ] {
            assert!(fields(&answer)[0].ends_with("id"), "{}", answer.text);
        }
    }
    assert_eq!(house.server.head().await, head);
    house.close().await;
}

#[tokio::test]
async fn they_run_where_they_are_named_and_decide_again_what_is_unchanged() {
    let (house, workflow) = quarterly().await;
    let client = &house.answers;
    let before = certified(client, &workflow).await;
    assert_eq!(runs(client, &before).await, Vec::<Value>::new());
    let rows = by_name(client, &before).await;
    decided(client, &before, &rows["ann book"], json!({"decision": "ACCEPTED"})).await;
    decided(client, &before, &rows["ann read"], json!({"decision": "REJECTED"})).await;
    decided(client, &before, &rows["bob read"], json!({"decision": "ACCEPTED"})).await;
    complete(client, &before).await;
    // Bob has moved, so his access isn't what was approved.
    house.staff(&STAFF.replace("bob@example.com,Clerk", "bob@example.com,Cashier")).await;
    let [approve, reject] = built_ins(client).await;
    let unnamed = certified(client, &workflow).await;
    assert_eq!(runs(client, &unnamed).await, Vec::<Value>::new());
    let review = certify(client, json!({"workflow_id": workflow, "automation_ids": [approve, reject]})).await;
    let expected = [("ann book", "ACCEPTED"), ("ann read", "REJECTED"), ("bob read", "NONE")];
    assert_eq!(decisions(client, &review).await, words(&expected));
    let expected = [
        ("Approve previously approved and unchanged", [1, 1, 0, 0]),
        ("Reject previously rejected and unchanged", [1, 1, 0, 0]),
    ];
    assert_eq!(counts(&only_run(client, &review).await), counted(&expected));
    // A workflow may name them for all of its certifications.
    let path = format!("{AWF}/workflows/{workflow}");
    let body = json!({"name": "Quarterly", "application_ids": [house.ledger["id"]], "automation_ids": [reject]});
    assert_eq!(client.put(&path, body).await.status, 200);
    let review = certified(client, &workflow).await;
    let expected = [("ann book", "NONE"), ("ann read", "REJECTED"), ("bob read", "NONE")];
    assert_eq!(decisions(client, &review).await, words(&expected));
    house.close().await;
}
