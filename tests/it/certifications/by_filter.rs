//! Decisions about all rows that filters mean (rulings 38).

use aggregates::api_token::Role;
use futures_util::future::join_all;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use super::crowd::{PEOPLE, RIGHTS, crowd, numbers, walk};
use super::{client_of, decision, path, review, review_with};
use crate::support::people::House;
use crate::support::reviews::{AWF, certification, certified, complete, decided, row, rows, runs};
use crate::support::{Answer, Client, eventually, whole};

async fn decide_all(client: &Client, review: &str, body: Value) -> Answer {
    client.post(&format!("{}/results:decide", path(review)), body).await
}

/// Matched, changed and skipped rows; fails unless it is done.
#[track_caller]
fn counts(answer: &Answer) -> [u64; 3] {
    assert_eq!((answer.status, &answer.json["status"]), (200, &json!("COMPLETED")), "{}", answer.text);
    ["matched", "changed", "skipped"].map(|name| answer.json[name].as_u64().unwrap())
}

#[tokio::test]
async fn rows_that_a_filter_means_are_decided_at_once_and_a_dry_run_tells_which() {
    let house = House::open().await;
    let (client, review) = (&house.asks, review(&house).await);
    let mut body = json!({"filter": "destination.name eq \"read\"", "mutable_filter": "decision eq \"NONE\"",
                          "decision": "REJECTED", "notes": "Nobody reads", "dry_run": true});
    let head = house.server.head().await;
    assert_json_snapshot!("dry_run", whole(&decide_all(client, &review, body.clone()).await));
    assert_eq!(house.server.head().await, head);
    assert_eq!(runs(client, &review).await.len(), 0);
    body["dry_run"] = json!(false);
    let done = decide_all(client, &review, body.clone()).await;
    assert_json_snapshot!("decided_by_filter", whole(&done));
    let run = &runs(client, &review).await[0];
    assert_eq!(
        (&run["id"], &run["kind"], &run["status"]),
        (&done.json["run_id"], &json!("decision"), &json!("COMPLETED"))
    );
    assert_eq!(
        run["automations"][0],
        json!({"id": null, "name": "results:decide", "matched": 2, "changed": 2, "conflicting": 0, "skipped": 0})
    );
    for (source, destination, stands) in
        [("ann", "read", "REJECTED"), ("bob", "read", "REJECTED"), ("ann", "book", "NONE")]
    {
        let row = row(client, &review, source, destination).await;
        assert_eq!(decision(&row), stands);
        if stands == "REJECTED" {
            let entry = &row["action_log"]["entries"][0];
            assert_eq!((&entry["automation_run_id"], &entry["note"]), (&done.json["run_id"], &json!("Nobody reads")));
            assert_eq!(entry["user"]["name"], "HR system");
            let request = house.request(&super::request_of(&row)).await;
            assert_eq!((&request["status"], &request["reporter"]["name"]), (&json!("Open"), &json!("HR system")));
        }
    }
    // Nothing is left that it means.
    assert_eq!(counts(&decide_all(client, &review, body).await), [0, 0, 0]);
    house.close().await;
}

#[tokio::test]
async fn both_filters_must_match() {
    let house = House::open().await;
    let client = &house.asks;
    let review = certified(client, &crowd(&house).await).await;
    let sales = "source.identity.department eq \"sales\"";
    let even = "destination.key eq \"right0\" or destination.key eq \"right4\"";
    let all = (PEOPLE * RIGHTS) as u64;
    assert_eq!(counts(&decide_all(client, &review, json!({"notes": "Seen"})).await), [all, all, 0]);
    let meant = numbers(&walk(client, &review, sales, 2000, false).await).len() as u64;
    assert!(meant > 100 && meant < all, "{meant}");
    assert_eq!(counts(&decide_all(client, &review, json!({"filter": sales, "decision": 2})).await), [meant, meant, 0]);
    // The same again changes nothing.
    assert_eq!(counts(&decide_all(client, &review, json!({"filter": sales, "decision": 2})).await), [meant, 0, 0]);
    let open = json!({"filter": even, "mutable_filter": "decision eq \"NONE\" and notes eq \"seen\"", "decision": "ACCEPTED", "signed_off_state": 2});
    let expected = numbers(&walk(client, &review, &format!("({even}) and not ({sales})"), 2000, false).await);
    assert_eq!(counts(&decide_all(client, &review, open).await), [expected.len() as u64, expected.len() as u64, 0]);
    assert_eq!(numbers(&walk(client, &review, "signed_off_state eq \"SIGNED_OFF\"", 2000, false).await), expected);
    // Signed off is signed off.
    let signed = expected.len() as u64;
    assert_eq!(counts(&decide_all(client, &review, json!({"decision": "NONE"})).await), [all, meant, signed]);
    let shown = certification(client, &review).await;
    assert_eq!((&shown["accepted_count"], &shown["signed_off_count"]), (&json!(signed), &json!(signed)));
    house.close().await;
}

#[tokio::test]
async fn previous_decisions_are_meant_only_where_there_were_any() {
    let house = House::open().await;
    let client = &house.asks;
    let made = super::ledger_workflow(&house, json!({"filter": "destination.name eq \"read\""})).await;
    let before = certified(client, &made).await;
    decided(
        client,
        &before,
        &row(client, &before, "ann", "read").await,
        json!({"decision": "ACCEPTED", "notes": "Needs it"}),
    )
    .await;
    complete(client, &before).await;
    let workflow = format!("{}/workflows/{made}", crate::support::reviews::AWF);
    assert_eq!(
        client
            .put(&workflow, json!({"name": "Quarterly", "application_ids": [crate::support::id(&house.ledger)]}))
            .await
            .status,
        200
    );
    let review = certified(client, &made).await;
    for (mutable_filter, matched) in [
        ("previous.decision eq \"ACCEPTED\"", 1),
        ("previous.decision ne \"ACCEPTED\"", 1),
        ("not (previous.decision eq \"ACCEPTED\")", 1),
        ("previous.notes pr", 1),
        ("not (previous.notes pr) or previous.notes pr", 2),
        ("decision eq \"NONE\"", 3),
        ("", 3),
    ] {
        let body = json!({"mutable_filter": mutable_filter, "decision": 2, "dry_run": true});
        let answer = decide_all(client, &review, body).await;
        assert_eq!((answer.status, &answer.json["matched"]), (200, &json!(matched)), "{mutable_filter}");
    }
    house.close().await;
}

#[tokio::test]
async fn rows_that_are_not_theirs_are_left_alone() {
    let house = House::open().await;
    let more =
        json!({"reviewers": [{"email": "bob@example.com"}], "fallback_reviewers": [{"email": "ann@example.com"}]});
    let review = review_with(&house, more).await;
    let (as_ann, as_bob) =
        (client_of(&house, "Ann", Role::Operator).await, client_of(&house, "Bob", Role::Administrator).await);
    let accept = json!({"decision": "ACCEPTED"});
    let mut dry = accept.clone();
    dry["dry_run"] = json!(true);
    let answer = decide_all(&as_ann, &review, dry).await;
    assert_eq!((&answer.json["matched"], &answer.json["skipped"]), (&json!(3), &json!(2)), "{}", answer.text);
    // Ann reviews Bob's, Bob reviews Ann's; somebody else's token none.
    assert_eq!(counts(&decide_all(&as_ann, &review, accept.clone()).await), [3, 1, 2]);
    assert_eq!(decision(&row(&as_ann, &review, "bob", "read").await), "ACCEPTED");
    assert_eq!(counts(&decide_all(&house.asks, &review, json!({"decision": "REJECTED"})).await), [3, 0, 3]);
    // An administrator decides for every reviewer, but not about their own access.
    assert_eq!(counts(&decide_all(&as_bob, &review, json!({"decision": "REJECTED"})).await), [3, 2, 1]);
    let stand = [("ann", "book", "REJECTED"), ("ann", "read", "REJECTED"), ("bob", "read", "ACCEPTED")];
    for (source, destination, stands) in stand {
        assert_eq!(decision(&row(&as_ann, &review, source, destination).await), stands);
    }
    let skipped: Vec<Value> =
        runs(&house.answers, &review).await.iter().map(|run| run["automations"][0]["skipped"].clone()).collect();
    assert_eq!(skipped, [2, 3, 1]);
    house.close().await;
}

#[tokio::test]
async fn a_run_shows_what_it_did_to_each_row() {
    let house = House::open().await;
    let (client, review) = (&house.asks, review(&house).await);
    decided(client, &review, &row(client, &review, "ann", "book").await, json!({"decision": "ACCEPTED"})).await;
    decided(
        client,
        &review,
        &row(client, &review, "ann", "read").await,
        json!({"decision": "REJECTED", "signed_off_state": 2}),
    )
    .await;
    let done = decide_all(client, &review, json!({"decision": "ACCEPTED"})).await;
    assert_eq!(counts(&done), [3, 1, 1]);
    let run = client.get(&format!("/api/preview/awf/automation_runs/{}", done.json["run_id"].as_str().unwrap())).await;
    assert_eq!((run.status, &run.json["has_more"]), (200, &json!(false)), "{}", run.text);
    let outcomes: Vec<(i64, &str)> = run.json["log"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["result_id"].as_i64().unwrap(), entry["outcome"].as_str().unwrap()))
        .collect();
    let mut expected: Vec<(i64, &str)> = rows(client, &review)
        .await
        .iter()
        .map(|row| {
            let outcome = match (row["source"]["name"].as_str().unwrap(), row["destination"]["name"].as_str().unwrap())
            {
                ("ann", "book") => "UNCHANGED",
                ("ann", "read") => "SKIPPED",
                _ => "CHANGED",
            };
            (row["result_id"].as_i64().unwrap(), outcome)
        })
        .collect();
    expected.sort_unstable();
    assert_eq!(outcomes, expected);
    house.close().await;
}

#[tokio::test]
async fn what_takes_longer_than_twenty_seconds_goes_on_until_the_certification_ends() {
    let house = House::open().await;
    let (client, review) = (&house.asks, review(&house).await);
    let hold = house.server.hold("work.leases").await;
    let ask = || async {
        client.post_keyed(&format!("{}/results:decide", path(&review)), "all", json!({"decision": 3})).await
    };
    let going_on = ask().await;
    assert_json_snapshot!("going_on", whole(&going_on));
    let again = ask().await;
    assert_eq!((again.status, &again.text), (202, &going_on.text));
    assert_eq!(runs(client, &review).await[0]["status"], "RUNNING");
    complete(client, &review).await;
    hold.release().await;
    let run = eventually("the run stops", async || {
        let run = runs(client, &review).await[0].clone();
        (run["status"] != "RUNNING").then_some(run)
    })
    .await;
    assert_eq!((&run["status"], &run["message"]), (&json!("ERROR"), &json!("The certification ended before the run")));
    assert!(rows(client, &review).await.iter().all(|row| decision(row) == "NONE"));
    house.close().await;
}

#[tokio::test]
async fn what_a_run_rejects_another_run_takes_back() {
    let house = House::open().await;
    let client = &house.asks;
    let review = certified(client, &crowd(&house).await).await;
    let all = (PEOPLE * RIGHTS) as u64;
    let statuses = async |status: &str| {
        let answer = client.get(&format!("/api/access-requests?status={status}")).await;
        answer.json["totalCount"].as_u64().unwrap()
    };
    let reject = json!({"decision": "REJECTED", "notes": "All of it"});
    assert_eq!(counts(&decide_all(client, &review, reject).await), [all, all, 0]);
    assert_eq!((statuses("Open").await, statuses("Canceled").await), (all, 0));
    // Some are canceled by hand: that stands in nobody's way.
    let by_hand = walk(client, &review, "destination.key eq \"right0\"", 5, false).await;
    for row in &by_hand[..3] {
        house.carry(&super::request_of(row), "cancel").await;
    }
    let accept = json!({"decision": "ACCEPTED", "notes": " "});
    assert_eq!(counts(&decide_all(client, &review, accept).await), [all, all, 0]);
    assert_eq!((statuses("Open").await, statuses("Canceled").await), (0, all));
    let left = walk(client, &review, "notes pr or decision ne \"ACCEPTED\"", 2000, false).await;
    assert_eq!(numbers(&left), Vec::<i64>::new());
    house.close().await;
}

#[tokio::test]
async fn what_was_said_of_each_row_stays_when_all_are_decided_and_when_that_is_undone() {
    let house = House::open().await;
    let client = &house.asks;
    let review = certified(client, &crowd(&house).await).await;
    let before = rows(client, &review).await;
    let said = |row: &Value| format!("About {}", row["result_id"]);
    join_all(before.iter().map(|row| decided(client, &review, row, json!({"notes": said(row)})))).await;
    let all = (PEOPLE * RIGHTS) as u64;
    assert_eq!(counts(&decide_all(client, &review, json!({"decision": "ACCEPTED"})).await), [all, all, 0]);
    let run = runs(client, &review).await[0].clone();
    let stand = async |expected: &str| {
        for row in rows(client, &review).await {
            assert_eq!((decision(&row), &row["notes"]), (expected, &json!(said(&row))));
        }
    };
    stand("ACCEPTED").await;
    let undo = client.post(&format!("{AWF}/automation_runs/{}:undo", run["id"].as_str().unwrap()), json!({})).await;
    assert_eq!(undo.status, 200, "{}", undo.text);
    eventually("it is undone", async || (runs(client, &review).await[0]["status"] == "UNDONE").then_some(())).await;
    stand("NONE").await;
    house.close().await;
}
