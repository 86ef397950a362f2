//! Certifications: access as it is, reviewed row by row.

use serde_json::json;

use crate::support::id;
use crate::support::people::{House, LOGINS};
use crate::support::reviews::{AWF, certification, certified, complete, decide, decided, row, rows, workflow};

#[tokio::test]
async fn a_rejected_grant_is_taken_away_and_the_import_that_shows_it_marks_the_row_fixed() {
    let house = House::open().await;
    let client = &house.answers;
    let made = workflow(client, json!({"name": "Quarterly", "application_ids": [id(&house.ledger)]})).await;
    let review = certified(client, &made).await;
    let shown = certification(client, &review).await;
    assert_eq!(shown["completeness"]["rows_in_feeds"], 3, "{shown:#}");
    assert_eq!(shown["completeness"]["in_scope"], 3, "{shown:#}");
    assert_eq!(rows(client, &review).await.len(), 3);
    let found = row(client, &review, "ann", "book").await;
    decided(client, &review, &found, json!({"decision": "REJECTED", "notes": "No longer a clerk"})).await;
    let found = row(client, &review, "ann", "book").await;
    assert_eq!(found["decision"], "RESULT_DECISION_REJECTED");
    let request = json!({"id": found["access_request_id"]});
    let detail = house.request(&request).await;
    assert_eq!((&detail["status"], &detail["action"]), (&json!("Open"), &json!("Remove")), "{detail:#}");
    house.access(LOGINS, "login,right\nann,read\nbob,read\n").await;
    house.settled(&request, "Completed").await;
    let found = row(client, &review, "ann", "book").await;
    assert_eq!(found["decision"], "RESULT_DECISION_FIXED", "{found:#}");
    complete(client, &review).await;
    let other = row(client, &review, "bob", "read").await;
    assert_eq!(decide(client, &review, &other, json!({"decision": 2})).await.status, 409);
    assert_eq!(client.post(&format!("{AWF}/certifications/{review}:complete"), json!({})).await.status, 409);
    println!("{:#}", certification(client, &review).await);
    println!("{found:#}");
    house.close().await;
}
