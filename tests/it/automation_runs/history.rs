//! The certification before: which it is, which rows are the same, and filters over it (rulings 33, 34).

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{attach, by_name, only_run, quarterly, rule};
use crate::support::people::{House, LOGINS, RIGHTS, STAFF};
use crate::support::reviews::{AWF, certification, certified, certify, complete, decided, run, workflow};
use crate::support::{Client, bodies, eventually, id};

/// Of each row by `account right`: whether there was the same, and whether nothing has changed about it.
async fn sameness(client: &Client, certification: &str) -> BTreeMap<String, (bool, bool)> {
    let said = |row: Value| (row["previous_result_id"].is_u64(), row["is_unchanged"] == true);
    by_name(client, certification).await.into_iter().map(|(name, row)| (name, said(row))).collect()
}

fn so(all: &[(&str, bool, bool)]) -> BTreeMap<String, (bool, bool)> {
    all.iter().map(|(name, is_same, is_unchanged)| ((*name).to_owned(), (*is_same, *is_unchanged))).collect()
}

#[tokio::test]
async fn a_row_is_the_same_when_entities_and_relationship_are_equal_and_unchanged_when_nothing_but_times_differs() {
    let (house, workflow) = quarterly().await;
    let client = &house.answers;
    let first = certified(client, &workflow).await;
    let expected = [("ann book", false, false), ("ann read", false, false), ("bob read", false, false)];
    assert_eq!(sameness(client, &first).await, so(&expected));
    let numbers = by_name(client, &first).await;
    complete(client, &first).await;
    // Another title; and a row that wasn't there.
    house.staff(&STAFF.replace("bob@example.com,Clerk", "bob@example.com,Cashier")).await;
    house.access(LOGINS, &format!("{RIGHTS}cleo,read\n")).await;
    let second = certified(client, &workflow).await;
    assert_eq!(certification(client, &second).await["history_certification_id"], json!(first));
    let expected =
        [("ann book", true, true), ("ann read", true, true), ("bob read", true, false), ("cleo read", false, false)];
    assert_eq!(sameness(client, &second).await, so(&expected));
    for (name, row) in by_name(client, &second).await {
        let before = numbers.get(&name).map_or(Value::Null, |row| row["result_id"].clone());
        assert_eq!(row["previous_result_id"], before, "{name}");
    }
    // What was taken away and given again is the same grant of another time.
    complete(client, &second).await;
    house.access(LOGINS, "login,right\nann,read\nbob,read\ncleo,read\n").await;
    house.access(LOGINS, &format!("{RIGHTS}cleo,read\n")).await;
    let third = certified(client, &workflow).await;
    let expected =
        [("ann book", true, true), ("ann read", true, true), ("bob read", true, true), ("cleo read", true, true)];
    assert_eq!(sameness(client, &third).await, so(&expected));
    house.close().await;
}

/// Another ledger, whose grants have limits.
async fn limits(house: &House) -> Value {
    let logins = json!({"name": "Logins", "content": "accounts", "columns": {"key": "login", "email": "mail"}});
    let rights = json!({"name": "Rights", "content": "grants",
                        "columns": {"account": "login", "entitlement": "right", "limit": "limit"}});
    let made = house.server.create(bodies::application("Limits", &[logins, rights])).await;
    granted(house, &made, "login,right,limit\nann,book,100\nbob,book,100\n").await;
    made
}

async fn granted(house: &House, application: &Value, rights: &str) {
    let import = house.server.import_all(application, &[("accounts", LOGINS), ("grants", rights)]).await;
    assert_eq!(import["status"], "Finished", "{import}");
}

#[tokio::test]
async fn a_changed_attribute_of_the_grant_is_another_row() {
    let house = House::open().await;
    let client = &house.answers;
    let limits = limits(&house).await;
    let made = workflow(client, json!({"name": "Limits", "application_ids": [id(&limits)]})).await;
    let first = certified(client, &made).await;
    let row = by_name(client, &first).await.remove("bob book").unwrap();
    assert_eq!(row["grant"]["attributes"], json!({"limit": "100"}));
    complete(client, &first).await;
    granted(&house, &limits, "login,right,limit\nann,book,100\nbob,book,5000\n").await;
    let second = certified(client, &made).await;
    let expected = [("ann book", true, true), ("bob book", false, false)];
    assert_eq!(sameness(client, &second).await, so(&expected));
    house.close().await;
}

#[tokio::test]
async fn equal_entities_of_another_data_source_are_not_the_same() {
    let (house, workflow) = quarterly().await;
    let client = &house.answers;
    let first = certified(client, &workflow).await;
    complete(client, &first).await;
    let logins = json!({"name": "Logins", "content": "accounts",
                        "columns": {"key": "login", "email": "mail", "isActive": "active"}});
    let rights =
        json!({"name": "Rights", "content": "grants", "columns": {"account": "login", "entitlement": "right"}});
    let copy = house.server.create(bodies::application("Ledger, copied", &[logins, rights])).await;
    granted(&house, &copy, RIGHTS).await;
    let body = json!({"name": "Quarterly", "application_ids": [id(&copy)]});
    assert_eq!(client.put(&format!("{AWF}/workflows/{workflow}"), body).await.status, 200);
    let second = certified(client, &workflow).await;
    let expected = [("ann book", false, false), ("ann read", false, false), ("bob read", false, false)];
    assert_eq!(sameness(client, &second).await, so(&expected));
    house.close().await;
}

#[tokio::test]
async fn history_is_the_latest_completed_or_expired_certification_of_the_workflow_and_no_unfinished_one() {
    let (house, made) = quarterly().await;
    let client = &house.answers;
    let history = async |id: &str| certification(client, id).await["history_certification_id"].clone();
    let first = certified(client, &made).await;
    let beside = certified(client, &made).await;
    assert_eq!((history(&first).await, history(&beside).await), (Value::Null, Value::Null));
    complete(client, &first).await;
    let due = certify(client, json!({"workflow_id": made, "due_date": "2026-03-20"})).await;
    assert_eq!(history(&due).await, json!(first));
    house.server.clock.advance(TimeDelta::days(7));
    eventually("the certification expires", async || {
        (certification(client, &due).await["state"] == "CERT_STATE_EXPIRED").then_some(())
    })
    .await;
    let third = certified(client, &made).await;
    assert_eq!(history(&third).await, json!(due));
    // What ended last, whenever it began.
    complete(client, &beside).await;
    let fourth = certified(client, &made).await;
    assert_eq!(history(&fourth).await, json!(beside));
    let other = workflow(client, json!({"name": "Other"})).await;
    assert_eq!(history(&certified(client, &other).await).await, Value::Null);
    house.close().await;
}

const MUTABLE: [(&str, &[&str]); 9] = [
    (r#"previous.decision eq "RESULT_DECISION_ACCEPTED""#, &["ann book"]),
    (r#"previous.decision ne "accepted""#, &["ann read", "bob read"]),
    (r#"not (previous.decision eq "RESULT_DECISION_REJECTED")"#, &["ann book", "bob read"]),
    (r#"previous.decision eq "RESULT_DECISION_NONE""#, &["bob read"]),
    (r#"previous.decision eq "RESULT_DECISION_FIXED""#, &[]),
    (r#"previous.notes co "NEED""#, &["ann book"]),
    ("not (previous.notes pr)", &["ann read", "bob read"]),
    (r#"previous.signed_off_state eq "SIGNED_OFF""#, &["ann book"]),
    (r#"previous.signed_off_state eq "NOT_SIGNED_OFF""#, &["ann read", "bob read"]),
];

/// Which rows each of the filters meant, by its place.
async fn meant(client: &Client, certification: &str, automations: &[String]) -> Vec<Vec<String>> {
    let names = by_name(client, certification).await;
    let found = run(client, only_run(client, certification).await["id"].as_str().unwrap()).await;
    let mut meant = vec![Vec::new(); automations.len()];
    for (name, row) in &names {
        let entry = found["log"].as_array().unwrap().iter().find(|entry| entry["result_id"] == row["result_id"]);
        for id in entry.iter().flat_map(|entry| entry["automation_ids"].as_array().unwrap()) {
            meant[automations.iter().position(|known| id == known).unwrap()].push(name.clone());
        }
    }
    meant
}

#[tokio::test]
async fn mutable_filters_mean_what_was_decided_last_time_and_no_row_that_was_not_there() {
    let (house, workflow) = quarterly().await;
    let client = &house.answers;
    let mut automations = Vec::new();
    for (at, (filter, _)) in MUTABLE.iter().enumerate() {
        let body = rule(&format!("Rule {at}"), "", filter, json!({"notes": format!("Rule {at}")}));
        automations.push(attach(client, &workflow, body, false).await);
    }
    let both = rule("Both", r#"source.name eq "bob""#, r#"previous.decision ne "ACCEPTED""#, json!({"notes": "Both"}));
    automations.push(attach(client, &workflow, both, false).await);
    // Without history none of them means anything, not even under `not` and `ne`.
    let first = certified(client, &workflow).await;
    assert_eq!(meant(client, &first, &automations).await, vec![Vec::<String>::new(); automations.len()]);
    let rows = by_name(client, &first).await;
    let change = json!({"decision": "ACCEPTED", "notes": "Needed", "signed_off_state": "SIGNED_OFF"});
    decided(client, &first, &rows["ann book"], change).await;
    decided(client, &first, &rows["ann read"], json!({"decision": "REJECTED"})).await;
    complete(client, &first).await;
    house.access(LOGINS, &format!("{RIGHTS}cleo,read\n")).await;
    let second = certified(client, &workflow).await;
    let found = meant(client, &second, &automations).await;
    for ((filter, expected), found) in MUTABLE.iter().zip(&found) {
        assert_eq!(found, expected, "{filter}");
    }
    // Of both filters both must match.
    assert_eq!(found[MUTABLE.len()], ["bob read"]);
    house.close().await;
}
