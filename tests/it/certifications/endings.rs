//! How certifications end, and what can still be done then (rulings 37).

use aggregates::api_token::Role;
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{client_of, decision, force, ledger_workflow, log, path, reached, refusal, request_of, review, violation};
use crate::support::Answer;
use crate::support::people::{House, LOGINS, RIGHTS};
use crate::support::reviews::{AWF, certification, certified, certify, complete, decide, decided, row};

const LESS: &str = "login,right\nann,read\nbob,read\n";
const IN_GRACE: &str = "In the grace period a rejected row can be marked FIXED, and nothing else be changed";
const OVER: &str = "The certification has ended";

async fn rejected(house: &House, review: &str) -> Value {
    let found = row(&house.asks, review, "ann", "book").await;
    decided(&house.asks, review, &found, json!({"decision": "REJECTED"})).await;
    row(&house.asks, review, "ann", "book").await
}

async fn stands(house: &House, review: &str) -> String {
    decision(&row(&house.asks, review, "ann", "book").await).to_owned()
}

#[tokio::test]
async fn nothing_is_decided_in_a_completed_certification() {
    let house = House::open().await;
    let review = review(&house).await;
    let found = row(&house.answers, &review, "ann", "book").await;
    complete(&house.asks, &review).await;
    let shown = certification(&house.asks, &review).await;
    assert_eq!(
        (&shown["state"], &shown["completed_by"]["name"]),
        (&json!("CERT_STATE_COMPLETED"), &json!("HR system"))
    );
    let head = house.server.head().await;
    let again = house.asks.post(&format!("{}:complete", path(&review)), json!({})).await;
    assert_eq!(
        refusal(&again),
        "Completing is possible in CERT_STATE_IN_PROGRESS; the certification is in CERT_STATE_COMPLETED"
    );
    assert_eq!(refusal(&decide(&house.asks, &review, &found, json!({"decision": 2})).await), IN_GRACE);
    assert_eq!(decide(&house.asks, &review, &found, json!({"decision": 4})).await.status, 409, "it isn't rejected");
    let all = house.asks.post(&format!("{}/results:decide", path(&review)), json!({"decision": 2})).await;
    assert_eq!(
        refusal(&all),
        "Rows are decided in CERT_STATE_IN_PROGRESS; the certification is in CERT_STATE_COMPLETED"
    );
    assert_eq!(house.server.head().await, head);
    let unknown = house.asks.post(&format!("{}:complete", path(super::NOBODY)), json!({})).await;
    assert_eq!((unknown.status, &unknown.json["code"]), (404, &json!("NotFound")));
    house.close().await;
}

#[tokio::test]
async fn in_its_grace_period_a_rejected_row_is_marked_fixed_by_hand() {
    let house = House::open().await;
    let review = review(&house).await;
    let found = rejected(&house, &review).await;
    let fixed = json!({"decision": "FIXED", "notes": "Taken away by phone"});
    let early = decide(&house.asks, &review, &found, fixed.clone()).await;
    assert_eq!(refusal(&early), "A row is FIXED when an import shows it, or by hand in the grace period");
    decided(&house.asks, &review, &found, json!({"signed_off_state": "SIGNED_OFF"})).await;
    complete(&house.asks, &review).await;
    house.server.clock.advance(TimeDelta::days(7) - TimeDelta::seconds(1));
    for change in [
        json!({"decision": 2}),
        json!({"notes": "Late"}),
        json!({"decision": 4, "signed_off_state": 1}),
        json!({"decision": 4, "reviewers": [{"email": "dan@example.com"}]}),
    ] {
        assert_eq!(refusal(&decide(&house.asks, &review, &found, change).await), IN_GRACE);
    }
    decided(&house.asks, &review, &found, fixed).await;
    let now = row(&house.asks, &review, "ann", "book").await;
    assert_eq!((decision(&now), &now["notes"]), ("FIXED", &json!("Taken away by phone")));
    assert_eq!(log(&now).last().unwrap(), "DECISION FIXED Taken away by phone");
    // The access request goes on until an import shows it.
    assert_eq!(house.request(&request_of(&now)).await["status"], "Open");
    house.access(LOGINS, LESS).await;
    house.settled(&request_of(&now), "Completed").await;
    house.close().await;
}

#[tokio::test]
async fn when_the_grace_period_is_over_a_row_stays_as_it_is() {
    let house = House::open().await;
    let review = review(&house).await;
    let found = rejected(&house, &review).await;
    complete(&house.asks, &review).await;
    house.server.clock.advance(TimeDelta::days(7));
    assert_eq!(refusal(&decide(&house.asks, &review, &found, json!({"decision": "FIXED"})).await), OVER);
    assert_eq!(refusal(&force(&house.answers, &review, &found, json!({"decision": "ACCEPTED"})).await), OVER);
    // An import completes the access request nevertheless.
    house.access(LOGINS, LESS).await;
    house.settled(&request_of(&found), "Completed").await;
    assert_eq!(stands(&house, &review).await, "REJECTED");
    house.close().await;
}

#[tokio::test]
async fn an_import_marks_a_row_fixed_in_the_grace_period_too() {
    let house = House::open().await;
    let review = review(&house).await;
    let found = rejected(&house, &review).await;
    decided(&house.asks, &review, &found, json!({"signed_off_state": "SIGNED_OFF"})).await;
    complete(&house.asks, &review).await;
    house.server.clock.advance(TimeDelta::days(6));
    house.access(LOGINS, RIGHTS).await;
    assert_eq!(stands(&house, &review).await, "REJECTED");
    house.access(LOGINS, LESS).await;
    house.settled(&request_of(&found), "Completed").await;
    let now = row(&house.asks, &review, "ann", "book").await;
    assert_eq!((decision(&now), &now["signed_off_state"]), ("FIXED", &json!("SIGNED_OFF")));
    assert!(now["action_log"]["entries"][2]["evidence"]["number"].is_number(), "{now:#}");
    house.close().await;
}

#[tokio::test]
async fn in_the_grace_period_an_administrator_changes_what_is_not_signed_off() {
    let house = House::open().await;
    let review = review(&house).await;
    let found = rejected(&house, &review).await;
    let signed = row(&house.asks, &review, "bob", "read").await;
    decided(&house.asks, &review, &signed, json!({"decision": "ACCEPTED", "signed_off_state": "SIGNED_OFF"})).await;
    complete(&house.asks, &review).await;
    let forced = |answer: Answer| assert_eq!((answer.status, &answer.json), (200, &json!({})), "{}", answer.text);
    forced(force(&house.answers, &review, &found, json!({"decision": "ACCEPTED", "notes": "Asked again"})).await);
    assert_eq!(stands(&house, &review).await, "ACCEPTED");
    assert_eq!(house.request(&request_of(&found)).await["status"], "Canceled");
    let reject = json!({"decision": "REJECTED"});
    assert_eq!(force(&house.answers, &review, &signed, reject.clone()).await.status, 409);
    forced(force(&house.answers, &review, &signed, json!({"signed_off_state": "NOT_SIGNED_OFF"})).await);
    forced(force(&house.answers, &review, &signed, reject).await);
    let shown = certification(&house.asks, &review).await;
    let counts = ["accepted_count", "rejected_count", "signed_off_count"].map(|name| &shown[name]);
    assert_eq!(counts, [1, 1, 0]);
    house.close().await;
}

#[tokio::test]
async fn a_certification_expires_by_itself() {
    let house = House::open().await;
    let made = ledger_workflow(&house, json!({})).await;
    let due = json!({"workflow_id": made, "due_date": "2026-03-20T17:00:00+01:00"});
    let review = certify(&house.asks, due).await;
    let found = rejected(&house, &review).await;
    assert_eq!(certification(&house.asks, &review).await["due_date"], "2026-03-20T16:00:00Z");
    house.server.clock.advance(TimeDelta::days(5) + TimeDelta::hours(4));
    let shown = reached(&house.asks, &review, "CERT_STATE_EXPIRED").await;
    assert_eq!(
        (&shown["completed_at"], &shown["completed_by"]["name"]),
        (&json!("2026-03-20T16:00:00Z"), &json!("due dates"))
    );
    assert_eq!(refusal(&decide(&house.asks, &review, &found, json!({"decision": 2})).await), IN_GRACE);
    assert_eq!(house.asks.post(&format!("{}:complete", path(&review)), json!({})).await.status, 409);
    // Its grace period begins there.
    house.server.clock.advance(TimeDelta::days(6));
    decided(&house.asks, &review, &found, json!({"decision": "FIXED"})).await;
    // The next one remembers it.
    let next = certify(&house.asks, json!({"workflow_id": made})).await;
    assert_eq!(certification(&house.asks, &next).await["history_certification_id"], json!(review));
    house.close().await;
}

#[tokio::test]
async fn what_is_completed_in_time_does_not_expire() {
    let house = House::open().await;
    let made = ledger_workflow(&house, json!({})).await;
    let head = house.server.head().await;
    for due in ["2026-03-15T12:00:00Z", "2026-03-14", "tomorrow", "\u{0}"] {
        let body = json!({"workflow_id": made, "due_date": due});
        let answer = house.asks.post(&format!("{AWF}/certifications"), body).await;
        assert_eq!(violation(&answer).0, "due_date", "{due}");
    }
    assert_eq!(house.server.head().await, head);
    let one = certify(&house.asks, json!({"workflow_id": made, "due_date": "2026-03-16"})).await;
    let two = certify(&house.asks, json!({"workflow_id": made, "due_date": "2026-03-16"})).await;
    complete(&house.asks, &one).await;
    house.server.clock.advance(TimeDelta::days(1));
    reached(&house.asks, &two, "CERT_STATE_EXPIRED").await;
    assert_eq!(certification(&house.asks, &one).await["state"], "CERT_STATE_COMPLETED");
    // The one that ended last is remembered.
    let next = certify(&house.asks, json!({"workflow_id": made})).await;
    assert_eq!(certification(&house.asks, &next).await["history_certification_id"], json!(two));
    let found = row(&house.asks, &next, "ann", "book").await;
    let before = row(&house.asks, &two, "ann", "book").await;
    assert_eq!((&found["previous_result_id"], &found["is_unchanged"]), (&before["result_id"], &json!(true)));
    house.close().await;
}

#[tokio::test]
async fn nothing_is_decided_while_rows_are_recorded() {
    let house = House::open().await;
    let made = ledger_workflow(&house, json!({})).await;
    let as_cleo = client_of(&house, "Cleo", Role::Operator).await;
    let hold = house.server.hold("work.leases").await;
    let created = as_cleo.post(&format!("{AWF}/certifications"), json!({"workflow_id": made})).await.json;
    let review = created["certification_id"].as_str().unwrap();
    let head = house.server.head().await;
    let row = json!({"result_id": 0});
    let searching = "The rows of the certification are still being recorded";
    assert_eq!(refusal(&decide(&as_cleo, review, &row, json!({"decision": 2})).await), searching);
    assert_eq!(refusal(&force(&house.answers, review, &row, json!({"decision": 2})).await), searching);
    let all = as_cleo.post(&format!("{}/results:decide", path(review)), json!({"decision": 2})).await;
    assert_eq!(
        refusal(&all),
        "Rows are decided in CERT_STATE_IN_PROGRESS; the certification is in CERT_STATE_SEARCHING"
    );
    let page = as_cleo.get(&format!("{}/results", path(review))).await.json;
    assert_eq!((&page["values"], &page["has_more"]), (&json!([]), &json!(false)));
    assert_eq!(house.server.head().await, head);
    hold.release().await;
    reached(&as_cleo, review, "CERT_STATE_IN_PROGRESS").await;
    assert_eq!(decide(&as_cleo, review, &row, json!({"decision": 2})).await.status, 200);
    house.close().await;
}

#[tokio::test]
async fn what_is_still_recorded_can_be_ended_and_is_nobodys_history() {
    let house = House::open().await;
    let client = &house.answers;
    let made = ledger_workflow(&house, json!({})).await;
    let hold = house.server.hold("work.leases").await;
    let created = client.post(&format!("{AWF}/certifications"), json!({"workflow_id": made})).await.json;
    let review = created["certification_id"].as_str().unwrap();
    complete(client, review).await;
    hold.release().await;
    let next = certified(client, &made).await;
    assert_eq!(certification(client, review).await["state"], "CERT_STATE_COMPLETED");
    assert_eq!(certification(client, &next).await["history_certification_id"], json!(null));
    house.close().await;
}
