//! What is wrong is told, with where it stands, and nothing is changed by it.

use reqwest::Method;
use serde_json::{Value, json};

use super::{NOBODY, ledger_workflow, path, review, violation, violations};
use crate::support::Answer;
use crate::support::people::House;
use crate::support::reviews::AWF;

/// Filters that can't be, each with a part of what is said of it.
fn broken() -> Vec<(String, &'static str)> {
    let told = [
        ("source.nam eq \"A\"", "character 1: found source.nam, expected an attribute; the nearest is source.name"),
        ("source.name like \"A\"", "character 13: found like, expected one of eq, ne, co, sw, ew, gt, ge, lt, le, pr"),
        (
            "source.is_active gt false",
            "character 18: found gt, expected eq, ne or pr, since source.is_active is true or false",
        ),
        ("source.name eq \"A", "character 16: found"),
        ("source.name eq \"A\" and", "character 23: found"),
        ("source.name eq \"A\" )", "character 20: found )"),
    ];
    let mut all: Vec<(String, &str)> = told.map(|(filter, said)| (filter.to_owned(), said)).into();
    all.push((
        format!("source.name eq \"{}\"", "x".repeat(1 << 20)),
        "character 65537: found 1048593 characters, expected at most 65536",
    ));
    all.push((format!("{}source.name pr{}", "(".repeat(10_000), ")".repeat(10_000)), "character 65"));
    all
}

#[tokio::test]
async fn a_filter_that_can_not_be_is_refused_with_where_it_breaks() {
    let house = House::open().await;
    let review = review(&house).await;
    let (client, results) = (&house.answers, format!("{}/results", path(&review)));
    let head = house.server.head().await;
    let say = |answer: &Answer, field: &str, said: &str| {
        let (found, message) = violation(answer);
        assert_eq!((found, message.contains(said)), (field, true), "{said}: {message}");
        assert!(message.len() < 1000, "{message}");
    };
    for (filter, said) in broken() {
        let body = json!({"filter": filter, "decision": "ACCEPTED", "dry_run": true});
        say(&client.post(&format!("{results}:decide"), body).await, "filter", said);
        // A URL of a megabyte is no URL.
        if filter.len() < 30_000 {
            say(&client.send(client.request(Method::GET, &results).query(&[("filter", filter)])).await, "filter", said);
        }
    }
    for (filter, said) in [
        ("source.name pr", "source.* belongs in filter"),
        ("decision eq \"APPROVED\"", "character 13: found \"APPROVED\", expected one of RESULT_DECISION_UNKNOWN"),
        ("signed_off_state eq \"yes\"", "expected one of UNKNOWN, NOT_SIGNED_OFF, SIGNED_OFF"),
        ("previous.decision eq \"REJECTED", "character 22: found"),
        (&"(".repeat(10_000), "character 65"),
    ] {
        let body = json!({"mutable_filter": filter, "decision": "ACCEPTED"});
        say(&client.post(&format!("{results}:decide"), body).await, "mutable_filter", said);
    }
    for filter in ["decision eq \"ACCEPTED\"", "previous.notes pr"] {
        let body = json!({"filter": filter, "decision": "ACCEPTED"});
        say(&client.post(&format!("{results}:decide"), body).await, "filter", "character 1");
    }
    // Both are told at once.
    let both =
        client.post(&format!("{results}:decide"), json!({"filter": "x", "mutable_filter": "y", "decision": 2})).await;
    assert_eq!(violations(&both).iter().map(|(field, _)| *field).collect::<Vec<_>>(), ["filter", "mutable_filter"]);
    let nul = json!({"filter": "source.name eq \"a\\u0000b\"", "mutable_filter": "notes co \"\\u0000\"", "decision": 2, "dry_run": true});
    let answer = client.post(&format!("{results}:decide"), nul).await;
    let said: Vec<(&str, &str)> = violations(&answer);
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(house.server.head().await, head);
    house.close().await;
}

#[tokio::test]
async fn a_body_may_have_two_megabytes() {
    let house = House::open().await;
    let review = review(&house).await;
    for (path, body) in [
        (format!("{}/results:decide", path(&review)), json!({"filter": "x".repeat(2 << 20), "decision": 2})),
        (format!("{AWF}/certifications"), json!({"workflow_id": NOBODY, "notes": "x".repeat(2 << 20)})),
    ] {
        let answer = house.answers.post(&path, body).await;
        assert_eq!((answer.status, &answer.json["code"]), (413, &json!("InvalidArgument")), "{}", answer.text);
    }
    house.close().await;
}

#[tokio::test]
async fn what_becomes_of_rows_must_be_said_and_possible() {
    let house = House::open().await;
    let review = review(&house).await;
    let path = format!("{}/results:decide", path(&review));
    let head = house.server.head().await;
    for (body, field) in [
        (json!({}), "decision"),
        (json!({"decision": "UNKNOWN", "signed_off_state": 0, "notes": ""}), "decision"),
        (json!({"decision": "FIXED"}), "decision"),
        (json!({"decision": 4, "notes": "By hand"}), "decision"),
        (json!({"decision": "APPROVED"}), "decision"),
        (json!({"decision": 7}), "decision"),
        (json!({"decision": {}}), "decision"),
        (json!({"decision": 2, "signed_off_state": "DONE"}), "signed_off_state"),
        (json!({"notes": "x".repeat(4001)}), "notes"),
        (json!({"notes": "\u{0}"}), "notes"),
        (json!({"decision": 2, "dry_run": "yes"}), "dry_run"),
        (json!({"decision": 2, "filter": 5}), "filter"),
    ] {
        assert_eq!(violation(&house.answers.post(&path, body.clone()).await).0, field, "{body}");
    }
    let gone = format!("{AWF}/certifications/{NOBODY}/results:decide");
    assert_eq!(house.answers.post(&gone, json!({"decision": 2})).await.status, 404);
    assert_eq!(violation(&house.answers.post(&gone.replace(NOBODY, "x"), json!({"decision": 2})).await).0, "id");
    assert_eq!(house.server.head().await, head);
    house.close().await;
}

#[tokio::test]
async fn a_certification_that_can_not_be_is_not_made() {
    let house = House::open().await;
    let made = ledger_workflow(&house, json!({})).await;
    let head = house.server.head().await;
    let rule = json!({"name": "Rule", "attachment_behavior": {"attach_to_new_workflows": false, "opt_in": true},
                      "criteria": {"filter": "source.name pr"}, "action": {"decision": 2}});
    let rule = crate::support::reviews::automation(&house.answers, rule).await;
    let wrong: [(Value, &str); 11] = [
        (json!({}), "workflow_id"),
        (json!({"workflow_id": "quarterly"}), "workflow_id"),
        (json!({"workflow_id": made, "name": "x".repeat(257)}), "name"),
        (json!({"workflow_id": made, "name": "\u{0}"}), "name"),
        (json!({"workflow_id": made, "notes": "x".repeat(4001)}), "notes"),
        (json!({"workflow_id": made, "automation_ids": [rule]}), "automation_ids"),
        (json!({"workflow_id": made, "automation_ids": ["rule"]}), "automation_ids[0]"),
        (json!({"workflow_id": made, "data_source": "0"}), "data_source"),
        (json!({"workflow_id": made, "reviewer_assignment": {"reviewers": [{}]}}), "reviewer_assignment.reviewers[0]"),
        (
            json!({"workflow_id": made, "reviewer_assignment": {"users_manager": 1}}),
            "reviewer_assignment.users_manager",
        ),
        (json!({"workflow_id": made, "due_date": "2026-02-30"}), "due_date"),
    ];
    for (body, field) in wrong {
        let answer = house.answers.post(&format!("{AWF}/certifications"), body.clone()).await;
        assert_eq!(violation(&answer).0, field, "{body}");
    }
    assert_eq!(house.server.events_after(head, &["certification"]).await, 0);
    assert_eq!(violation(&house.answers.get(&format!("{AWF}/certifications")).await).0, "workflow_id");
    assert_eq!(violation(&house.answers.get(&format!("{AWF}/certifications?workflow_id=x")).await).0, "workflow_id");
    let verb = house.answers.post(&format!("{}:finish", path(NOBODY)), json!({})).await;
    assert_eq!(verb.status, 404, "{}", verb.text);
    house.close().await;
}

#[tokio::test]
async fn a_body_of_another_kind_is_refused() {
    let house = House::open().await;
    let review = review(&house).await;
    let results = format!("{}/results", path(&review));
    let head = house.server.head().await;
    for (method, path) in [
        (Method::POST, format!("{AWF}/certifications")),
        (Method::PUT, results.clone()),
        (Method::POST, format!("{results}:force_update")),
        (Method::POST, format!("{results}:decide")),
    ] {
        let send = async |kind: &str, body: &'static str| {
            let request = house.answers.request(method.clone(), &path).header("Content-Type", kind);
            house.answers.send(request.body(body)).await
        };
        let plain = send("text/plain", "{}").await;
        assert_eq!((plain.status, &plain.json["code"]), (415, &json!("InvalidArgument")), "{path}: {}", plain.text);
        for body in
            ["", "{", "null", "[]", "\"ACCEPTED\"", "{\"value\": [1]}", "{\"value\": {\"result_id\": 0.5}}", "{} {}"]
        {
            let answer = send("application/json; charset=utf-8", body).await;
            assert!(!violations(&answer).is_empty(), "{path} {body}: {}", answer.text);
        }
    }
    let wrong_method = house.answers.delete(&results).await;
    assert_eq!((wrong_method.status, &wrong_method.json["code"]), (405, &json!("Unimplemented")));
    assert_eq!(house.answers.anonymous().get(&results).await.json["code"], "Unauthenticated");
    assert_eq!(house.server.head().await, head);
    house.close().await;
}
