//! Decisions about single rows, from the first to the sign-off (rulings 32, 37).

use aggregates::api_token::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::{NOBODY, client_of, decision, force, log, path, refusal, request_of, review, violation, violations};
use crate::support::id;
use crate::support::people::{House, LOGINS};
use crate::support::reviews::{certification, decide, decided, row, rows};

const SIGNED_OFF: &str = "The row is signed off; an administrator can undo that with results:force_update";

#[tokio::test]
async fn a_later_decision_replaces_an_earlier_one_until_the_sign_off() {
    let house = House::open().await;
    let (client, review) = (&house.asks, review(&house).await);
    let found = row(client, &review, "ann", "book").await;
    decided(client, &review, &found, json!({"decision": "ACCEPTED", "notes": "Needed"})).await;
    decided(client, &review, &found, json!({"decision": "REJECTED", "notes": "Not needed"})).await;
    decided(client, &review, &found, json!({"decision": "NONE"})).await;
    decided(client, &review, &found, json!({"decision": "ACCEPTED", "signed_off_state": "SIGNED_OFF"})).await;
    let signed = row(client, &review, "ann", "book").await;
    let whole = ["DECISION ACCEPTED Needed", "DECISION REJECTED Not needed", "DECISION NONE", "DECISION ACCEPTED"];
    assert_eq!(log(&signed), whole);
    assert_eq!((decision(&signed), &signed["notes"]), ("ACCEPTED", &json!("Not needed")));
    assert_eq!(
        (&signed["signed_off_state"], &signed["signed_off_by"]["name"]),
        (&json!("SIGNED_OFF"), &json!("HR system"))
    );
    let head = house.server.head().await;
    for change in [
        json!({"decision": "REJECTED"}),
        json!({"notes": "Late"}),
        json!({"signed_off_state": "NOT_SIGNED_OFF"}),
        json!({"reviewers": [{"email": "dan@example.com"}]}),
    ] {
        assert_eq!(refusal(&decide(client, &review, &found, change).await), SIGNED_OFF);
    }
    // What is so already is no change.
    decided(client, &review, &found, json!({"decision": "ACCEPTED", "signed_off_state": "SIGNED_OFF"})).await;
    assert_eq!(house.server.head().await, head);
    let shown = certification(client, &review).await;
    let counts =
        ["total_complete_count", "accepted_count", "rejected_count", "signed_off_count"].map(|name| &shown[name]);
    assert_eq!(counts, [1, 1, 0, 1]);
    house.close().await;
}

#[tokio::test]
async fn an_administrator_undoes_a_sign_off() {
    let house = House::open().await;
    let review = review(&house).await;
    let found = row(&house.asks, &review, "ann", "book").await;
    decided(&house.asks, &review, &found, json!({"decision": "ACCEPTED", "signed_off_state": 2})).await;
    let undo = json!({"signed_off_state": "NOT_SIGNED_OFF"});
    let refused = force(&house.asks, &review, &found, undo.clone()).await;
    assert_eq!((refused.status, &refused.json["code"]), (403, &json!("PermissionDenied")), "{}", refused.text);
    let forced = force(&house.answers, &review, &found, undo).await;
    assert_eq!((forced.status, &forced.json), (200, &json!({})), "{}", forced.text);
    let open = row(&house.asks, &review, "ann", "book").await;
    assert_eq!(
        (&open["signed_off_state"], &open["signed_off_at"], &open["signed_off_by"]),
        (&json!("NOT_SIGNED_OFF"), &Value::Null, &Value::Null)
    );
    assert_eq!((decision(&open), &open["action_log"]["entries"][1]["is_forced"]), ("ACCEPTED", &json!(true)));
    decided(&house.asks, &review, &found, json!({"decision": "REJECTED"})).await;
    // Or decides and leaves it signed off.
    decided(&house.asks, &review, &found, json!({"signed_off_state": 2})).await;
    assert_eq!(force(&house.answers, &review, &found, json!({"decision": 2})).await.status, 200);
    let signed = row(&house.asks, &review, "ann", "book").await;
    assert_eq!((decision(&signed), &signed["signed_off_state"]), ("ACCEPTED", &json!("SIGNED_OFF")));
    assert_eq!(house.request(&request_of(&open_rejection(&signed))).await["status"], "Canceled");
    house.close().await;
}

/// The access request that was opened, by what the log says.
fn open_rejection(row: &Value) -> Value {
    let entries = row["action_log"]["entries"].as_array().unwrap();
    let opened = entries.iter().find_map(|entry| entry["access_request_opened"].as_str());
    json!({"access_request_id": opened.unwrap()})
}

#[tokio::test]
async fn words_and_numbers_mean_the_same() {
    let house = House::open().await;
    let (client, review) = (&house.asks, review(&house).await);
    let found = row(client, &review, "bob", "read").await;
    for (said, stands) in [
        (json!("ACCEPTED"), "ACCEPTED"),
        (json!(3), "REJECTED"),
        (json!("RESULT_DECISION_ACCEPTED"), "ACCEPTED"),
        (json!("rejected"), "REJECTED"),
        (json!(0), "REJECTED"),
        (json!("RESULT_DECISION_UNKNOWN"), "REJECTED"),
        (json!(null), "REJECTED"),
        (json!(1), "NONE"),
        (json!(2), "ACCEPTED"),
        (json!("NONE"), "NONE"),
    ] {
        decided(client, &review, &found, json!({"decision": said})).await;
        assert_eq!(decision(&row(client, &review, "bob", "read").await), stands, "{said}");
    }
    for (said, stands) in [
        (json!("UNKNOWN"), "NOT_SIGNED_OFF"),
        (json!("UNKNOWN_SIGNED_OFF"), "NOT_SIGNED_OFF"),
        (json!(1), "NOT_SIGNED_OFF"),
        (json!(2), "SIGNED_OFF"),
    ] {
        decided(client, &review, &found, json!({"signed_off_state": said})).await;
        assert_eq!(row(client, &review, "bob", "read").await["signed_off_state"], stands, "{said}");
    }
    let other = row(client, &review, "ann", "read").await;
    let head = house.server.head().await;
    for (change, field) in [
        (json!({"decision": "APPROVED"}), "value.decision"),
        (json!({"decision": 5}), "value.decision"),
        (json!({"decision": -1}), "value.decision"),
        (json!({"decision": true}), "value.decision"),
        (json!({"decision": ["ACCEPTED"]}), "value.decision"),
        (json!({"signed_off_state": "DONE"}), "value.signed_off_state"),
        (json!({"signed_off_state": 3}), "value.signed_off_state"),
        (json!({"notes": "x".repeat(4001)}), "notes"),
        (json!({"notes": "a\u{0}b"}), "notes"),
        (json!({"notes": 5}), "value.notes"),
    ] {
        assert_eq!(violation(&decide(client, &review, &other, change).await).0, field);
    }
    let status = json!({"notification_status": "SENT"});
    let (field, message) = {
        let answer = force(&house.answers, &review, &other, status).await;
        let (field, message) = violation(&answer);
        (field.to_owned(), message.to_owned())
    };
    assert_eq!(field, "value.notification_status");
    assert!(message.ends_with("allowed are UNKNOWN (0), PENDING (1), SUCCEED (2), FAILED (3)"), "{message}");
    assert_eq!(house.server.head().await, head);
    house.close().await;
}

#[tokio::test]
async fn notes_are_replaced_left_alone_or_cleared() {
    let house = House::open().await;
    let (client, review) = (&house.asks, review(&house).await);
    let found = row(client, &review, "ann", "book").await;
    for (said, stands) in [
        (json!("First"), "First"),
        (json!(""), "First"),
        (json!(null), "First"),
        (json!("Zweite, längere"), "Zweite, längere"),
        (json!(" "), ""),
        (json!("x".repeat(4000)), &*"x".repeat(4000)),
    ] {
        decided(client, &review, &found, json!({"notes": said})).await;
        assert_eq!(row(client, &review, "ann", "book").await["notes"], stands);
    }
    let noted = row(client, &review, "ann", "book").await;
    let long = format!("NOTE_ADDED  {}", "x".repeat(4000));
    assert_eq!(log(&noted), ["NOTE_ADDED  First", "NOTE_ADDED  Zweite, längere", "NOTE_ADDED", &long]);
    assert_eq!(certification(client, &review).await["total_complete_count"], 0);
    house.close().await;
}

#[tokio::test]
async fn if_match_demands_that_the_row_is_as_it_was_read() {
    let house = House::open().await;
    let review = review(&house).await;
    let found = row(&house.asks, &review, "ann", "book").await;
    let one = format!("{}/results/{}", path(&review), found["result_id"]);
    let etag = async || house.asks.get(&one).await.headers["etag"].to_str().unwrap().to_owned();
    let put = async |etag: &str, decision: &str| {
        let body = json!({"value": {"result_id": found["result_id"], "decision": decision}});
        let request = house.asks.request(Method::PUT, &format!("{}/results", path(&review))).header("If-Match", etag);
        house.asks.send(request.json(&body)).await
    };
    assert_eq!(etag().await, "\"0\"", "nobody has touched it");
    let first = put("\"0\"", "ACCEPTED").await;
    assert_eq!((first.status, first.headers["etag"].to_str().unwrap()), (200, "\"1\""), "{}", first.text);
    let stale = put("\"0\"", "REJECTED").await;
    assert_eq!(
        (stale.status, &stale.json["message"]),
        (412, &json!("If-Match doesn't match: the current ETag is \"1\""))
    );
    assert_eq!(put("*", "REJECTED").await.status, 200);
    let current = etag().await;
    assert_eq!((current.as_str(), put(&current, "ACCEPTED").await.status), ("\"2\"", 200));
    let body = json!({"value": {"result_id": found["result_id"], "notes": "Forced"}});
    let forced = house.answers.request(Method::POST, &format!("{}/results:force_update", path(&review)));
    assert_eq!(house.answers.send(forced.header("If-Match", current).json(&body)).await.status, 412);
    let answer = put("yesterday's", "REJECTED").await;
    assert_eq!(violation(&answer).0, "If-Match");
    assert_eq!(decision(&row(&house.asks, &review, "ann", "book").await), "ACCEPTED");
    house.close().await;
}

#[tokio::test]
async fn a_rejection_opens_an_access_request_and_another_decision_withdraws_it() {
    let house = House::open().await;
    let as_cleo = client_of(&house, "Cleo", Role::Operator).await;
    let review = review(&house).await;
    let found = row(&as_cleo, &review, "ann", "book").await;
    let current = async || row(&as_cleo, &review, "ann", "book").await;
    decided(&as_cleo, &review, &found, json!({"decision": "REJECTED"})).await;
    let first = request_of(&current().await);
    let detail = house.request(&first).await;
    assert_eq!(
        (&detail["status"], &detail["target"]["affectedIdentity"]["id"]),
        (&json!("Open"), &found["source"]["identity"]["id"])
    );
    assert_eq!(
        (&detail["reporter"]["id"], &detail["application"]["id"]),
        (&json!(house.person("Cleo").await), &json!(id(&house.ledger)))
    );
    // Remarks don't change the decision.
    decided(&as_cleo, &review, &found, json!({"notes": "Really"})).await;
    assert_eq!(request_of(&current().await), first);
    decided(&as_cleo, &review, &found, json!({"decision": "ACCEPTED"})).await;
    assert_eq!(house.request(&first).await["status"], "Canceled");
    let accepted = current().await;
    assert_eq!(accepted["access_request_id"], Value::Null);
    assert_eq!(accepted["action_log"]["entries"][2]["access_request_withdrawn"], first["id"]);
    decided(&as_cleo, &review, &found, json!({"decision": "REJECTED"})).await;
    let second = request_of(&current().await);
    assert_ne!(first, second);
    assert_eq!(
        (house.request(&first).await["status"].clone(), house.request(&second).await["status"].clone()),
        (json!("Canceled"), json!("Open"))
    );
    decided(&as_cleo, &review, &found, json!({"decision": "NONE"})).await;
    assert_eq!(house.request(&second).await["status"], "Canceled");
    // What was withdrawn no import carries out.
    house.access(LOGINS, "login,right\nann,read\nbob,read\n").await;
    tokio::time::sleep(std::time::Duration::from_millis(1200)).await;
    assert_eq!((decision(&current().await), &house.request(&first).await["status"]), ("NONE", &json!("Canceled")));
    house.close().await;
}

#[tokio::test]
async fn an_access_request_tells_who_decided_whoever_remarked_upon_it_since() {
    let house = House::open().await;
    let as_cleo = client_of(&house, "Cleo", Role::Operator).await;
    let review = review(&house).await;
    let found = row(&as_cleo, &review, "ann", "book").await;
    decided(&as_cleo, &review, &found, json!({"decision": "REJECTED"})).await;
    let request = request_of(&row(&as_cleo, &review, "ann", "book").await);
    house.server.clock.advance(chrono::TimeDelta::hours(1));
    decided(&house.asks, &review, &found, json!({"notes": "I see"})).await;
    decided(&house.asks, &review, &found, json!({"reviewers": [{"email": "dan@example.com"}]})).await;
    decided(&house.answers, &review, &found, json!({"signed_off_state": "SIGNED_OFF"})).await;
    let item = async || house.request(&request).await["relatedItems"].as_array().unwrap().last().unwrap().clone();
    let shown = item().await;
    assert_eq!((&shown["decision"], &shown["decidedBy"]["name"]), (&json!("REJECTED"), &json!("token of Cleo")));
    assert_eq!(shown["decidedAt"], "2026-03-15T12:00:00Z");
    house.access(LOGINS, "login,right\nann,read\nbob,read\n").await;
    house.settled(&request, "Completed").await;
    let shown = item().await;
    assert_eq!((&shown["decision"], &shown["decidedAt"]), (&json!("FIXED"), &json!("2026-03-15T13:00:00Z")));
    house.close().await;
}

#[tokio::test]
async fn a_row_that_is_not_there_is_not_decided_about() {
    let house = House::open().await;
    let (client, review) = (&house.answers, review(&house).await);
    assert_eq!(rows(client, &review).await.len(), 3);
    for (result, status) in [
        (json!(3), 404),
        (json!(u32::MAX), 404),
        (json!(-1), 400),
        (json!(1_u64 << 32), 400),
        (json!("0"), 400),
        (json!(null), 400),
    ] {
        let answer = decide(client, &review, &json!({"result_id": result}), json!({"decision": 2})).await;
        assert_eq!(answer.status, status, "{result}: {}", answer.text);
        if status == 400 {
            assert_eq!(violation(&answer).0, "value.result_id", "{result}");
        }
    }
    let results = format!("{}/results", path(&review));
    assert_eq!(violation(&client.put(&results, json!({})).await).0, "value");
    let both = client.put(&results, json!({"value": {"decision": 9}})).await;
    assert_eq!(
        violations(&both).iter().map(|(field, _)| *field).collect::<Vec<_>>(),
        ["value.result_id", "value.decision"]
    );
    let one = json!({"result_id": 0});
    assert_eq!(decide(client, NOBODY, &one, json!({"decision": 2})).await.status, 404);
    assert_eq!(violation(&decide(client, "quarterly", &one, json!({"decision": 2})).await).0, "id");
    assert_eq!(violation(&client.get(&format!("{results}/first")).await).0, "result_id");
    assert_eq!(client.get(&format!("{results}/4294967295")).await.status, 404);
    house.close().await;
}
