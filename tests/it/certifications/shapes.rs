//! What certifications and their rows look like on the wire (contracts §3.4).

use insta::assert_json_snapshot;
use reqwest::Method;
use serde_json::{Value, json};

use super::{NOBODY, client_of, ledger_workflow, path, reached, review};
use crate::support::people::House;
use crate::support::reviews::{AWF, certified, complete, decided, row};
use crate::support::{Answer, stable, whole};
use aggregates::api_token::Role;

/// A page in the order of its names: the order of ids is chance.
fn in_order(mut answer: Answer) -> Value {
    let name = |row: &Value| (row["source"]["name"].to_string(), row["destination"]["name"].to_string());
    let rows = answer.json["values"].as_array_mut().unwrap();
    rows.sort_by_key(name);
    for (number, row) in rows.iter_mut().enumerate() {
        row["result_id"] = json!(number);
    }
    whole(&answer)
}

/// An access request; the number of its row is chance.
async fn request_shown(house: &House, request: &Value) -> Value {
    let mut shown = house.request(request).await;
    assert!(shown["relatedItems"][0]["resultId"].is_number(), "{shown:#}");
    shown["relatedItems"][0]["resultId"] = json!(0);
    shown
}

#[tokio::test]
async fn a_certification_is_made_searched_reviewed_and_completed() {
    let house = House::open().await;
    let (asks, cleo) = (&house.asks, house.person("Cleo").await);
    let more = json!({"notes": "Look twice", "filter": "source.is_active eq true", "reviewers": [{"id": cleo}]});
    let made = ledger_workflow(&house, more).await;
    let hold = house.server.hold("work.leases").await;
    let body = json!({"workflow_id": made, "data_source": 0, "due_date": "2026-04-01", "unknown": true});
    let created = asks.post(&format!("{AWF}/certifications"), body).await;
    assert_json_snapshot!("created", whole(&created));
    let review = created.json["certification_id"].as_str().unwrap();
    assert_json_snapshot!("searching", whole(&asks.get(&path(review)).await));
    hold.release().await;
    reached(asks, review, "CERT_STATE_IN_PROGRESS").await;
    assert_json_snapshot!("in_progress", whole(&asks.get(&path(review)).await));
    assert_json_snapshot!("list", whole(&asks.get(&format!("{AWF}/certifications?workflow_id={made}")).await));
    let page = asks.get(&format!("{}/results?page_size=2", path(review))).await;
    assert_eq!((&page.json["has_more"], page.json["values"].as_array().unwrap().len()), (&json!(true), 2));
    assert_json_snapshot!("results", in_order(asks.get(&format!("{}/results", path(review))).await));
    let as_cleo = client_of(&house, "Cleo", Role::Operator).await;
    let found = row(asks, review, "bob", "read").await;
    decided(&as_cleo, review, &found, json!({"decision": "ACCEPTED", "signed_off_state": "SIGNED_OFF"})).await;
    let completed = asks.post(&format!("{}:complete", path(review)), json!({})).await;
    assert_json_snapshot!("complete", whole(&completed));
    assert_json_snapshot!("completed", whole(&asks.get(&path(review)).await));
    house.close().await;
}

#[tokio::test]
async fn a_row_tells_what_is_and_was_decided_about_it() {
    let house = House::open().await;
    let as_cleo = client_of(&house, "Cleo", Role::Administrator).await;
    let review = review(&house).await;
    let found = row(&as_cleo, &review, "ann", "book").await;
    let one = format!("{}/results/{}", path(&review), found["result_id"]);
    let put = async |change: Value| {
        let mut value = change;
        value["result_id"] = found["result_id"].clone();
        as_cleo.put(&format!("{}/results", path(&review)), json!({"value": value})).await
    };
    assert_json_snapshot!("decided", whole(&put(json!({"decision": "REJECTED", "notes": "Too much"})).await));
    let shown = as_cleo.get(&one).await;
    let request = json!({"id": shown.json["value"]["access_request_id"]});
    assert_json_snapshot!("rejected_request", stable(&request_shown(&house, &request).await));
    house.server.clock.advance(chrono::TimeDelta::minutes(1));
    let reviewers = json!([{"email": "dan@example.com"}]);
    assert_eq!(
        put(json!({"decision": 2, "notes": "Needed", "signed_off_state": 2, "reviewers": reviewers})).await.status,
        200
    );
    let value = json!({"result_id": found["result_id"], "signed_off_state": "NOT_SIGNED_OFF", "notification_status": "SUCCEED"});
    let forced = as_cleo.post(&format!("{}/results:force_update", path(&review)), json!({"value": value})).await;
    assert_json_snapshot!("forced", whole(&forced));
    let mut shown = as_cleo.get(&one).await;
    shown.json["value"]["result_id"] = json!(0);
    assert_json_snapshot!("row", whole(&shown));
    assert_json_snapshot!("withdrawn_request", stable(&request_shown(&house, &request).await));
    house.close().await;
}

#[tokio::test]
async fn what_is_wrong_is_told_in_vezas_words() {
    let house = House::open().await;
    let client = &house.answers;
    let wrong = json!({"workflow_id": NOBODY});
    assert_json_snapshot!("no_workflow", whole(&client.post(&format!("{AWF}/certifications"), wrong).await));
    let made = ledger_workflow(&house, json!({})).await;
    let wrong = json!({"workflow_id": made, "name": "x".repeat(257), "notes": "x".repeat(4001), "due_date": "2026-03-15",
        "reviewer_assignment": {"reviewers": [{"id": NOBODY}], "fallback_reviewers": [{"id": NOBODY}]}, "automation_ids": [NOBODY]});
    assert_json_snapshot!("create_wrong", whole(&client.post(&format!("{AWF}/certifications"), wrong).await));
    assert_json_snapshot!("no_certification", whole(&client.get(&path(NOBODY)).await));
    let review = certified(client, &made).await;
    assert_json_snapshot!("no_row", whole(&client.get(&format!("{}/results/3", path(&review))).await));
    let found = row(client, &review, "ann", "book").await;
    let results = format!("{}/results", path(&review));
    let body = json!({"value": {"result_id": found["result_id"], "decision": "APPROVED", "signed_off_state": 3}});
    assert_json_snapshot!("decision_wrong", whole(&client.put(&results, body).await));
    let body = json!({"value": {"result_id": found["result_id"], "decision": "ACCEPTED"}});
    let stale = client.request(Method::PUT, &results).header("If-Match", "\"1\"").json(&body);
    assert_json_snapshot!("stale", whole(&client.send(stale).await));
    complete(client, &review).await;
    assert_json_snapshot!("ended", whole(&client.put(&results, body).await));
    house.close().await;
}
