//! What is wrong is told when it is saved, in Veza's words, and nothing is changed by it.

use insta::assert_json_snapshot;
use reqwest::Method;
use serde_json::{Value, json};

use super::{AUTOMATIONS, NOBODY, create, rejects, violation, violations, whole_of};
use crate::support::{TestServer, whole};

fn filtered(filter: &str, mutable_filter: &str) -> Value {
    let mut body = rejects("Reject A");
    body["criteria"] = json!({"filter": filter, "mutable_filter": mutable_filter});
    body
}

#[tokio::test]
async fn a_filter_that_can_not_be_is_refused_when_it_is_saved() {
    let server = TestServer::start().await;
    let id = create(&server.client, rejects("Known")).await;
    let head = server.head().await;
    let long = format!("source.name eq \"{}\"", "x".repeat(1 << 20));
    let deep = format!("{}source.name pr{}", "(".repeat(10_000), ")".repeat(10_000));
    for (filter, said) in [
        ("source.nam eq \"A\"", "character 1: found source.nam, expected an attribute; the nearest is source.name"),
        ("source.name like \"A\"", "character 13: found like, expected one of eq, ne, co, sw, ew, gt, ge, lt, le, pr"),
        (
            "source.is_active gt false",
            "character 18: found gt, expected eq, ne or pr, since source.is_active is true or false",
        ),
        ("source.name eq \"A", "character 16: found"),
        ("source.last_login_at lt \"15.03.2026\"", "expected a date (2026-03-15)"),
        (
            "previous.decision eq \"RESULT_DECISION_ACCEPTED\"",
            "character 1: found previous.decision, expected source, destination or grant: previous.* belongs in mutable_filter",
        ),
        (&long, "character 65537"),
        (&deep, "character 65"),
    ] {
        let about = &filter[..filter.len().min(60)];
        let (field, message) = violation(&server.client.post(AUTOMATIONS, filtered(filter, "")).await);
        assert_eq!((field.as_str(), message.contains(said)), ("criteria.filter", true), "{about}: {message}");
        assert!(message.len() < 1000, "{about}: {message}");
        let replaced = server.client.put(AUTOMATIONS, whole_of(&id, filtered(filter, ""))).await;
        assert_eq!(violation(&replaced), ("value.criteria.filter".to_owned(), message), "{about}");
    }
    for (filter, said) in [
        ("source.name sw \"A\"", "character 1: found source.name, expected previous: source.* belongs in filter"),
        (
            "previous.decision eq \"APPROVED\"",
            "character 22: found \"APPROVED\", expected one of RESULT_DECISION_UNKNOWN",
        ),
        ("previous.signed_off_state eq \"DONE\"", "expected one of UNKNOWN, NOT_SIGNED_OFF, SIGNED_OFF"),
        ("previous.notes gt 5", "previous.notes"),
    ] {
        let (field, message) = violation(&server.client.post(AUTOMATIONS, filtered("", filter)).await);
        assert_eq!((field.as_str(), message.contains(said)), ("criteria.mutable_filter", true), "{filter}: {message}");
    }
    assert_eq!(violation(&server.client.post(AUTOMATIONS, filtered("", " ")).await).0, "criteria");
    assert_eq!(server.head().await, head);
    assert_json_snapshot!(
        "unknown_attribute",
        whole(&server.client.post(AUTOMATIONS, filtered("source.departmnt eq \"Sales\"", "")).await)
    );
    server.stop().await;
}

#[tokio::test]
async fn custom_attributes_of_feeds_are_filterable() {
    let server = TestServer::start().await;
    for (number, filter) in [
        "grant.attributes.limit gt 10000",
        "source.attributes.\"Cost Centre\" ne \"4711\"",
        "source.identity.attributes.badge pr",
        "destination.attributes.risk eq \"high\" and not (source.identity.department eq \"IT\")",
    ]
    .into_iter()
    .enumerate()
    {
        let mut body = filtered(filter, "previous[signed_off_state eq \"SIGNED_OFF\"]");
        body["name"] = json!(format!("Rule {number}"));
        let id = create(&server.client, body).await;
        let shown = server.client.get(&format!("{AUTOMATIONS}/{id}")).await.json;
        assert_eq!(shown["value"]["criteria"]["filter"], filter);
    }
    server.stop().await;
}

#[tokio::test]
async fn actions_are_read_by_number_and_by_word_and_shown_by_their_short_word() {
    let server = TestServer::start().await;
    let mut number = 0;
    for (said, shown) in [
        (json!({"decision": 1}), ("NONE", "UNKNOWN_SIGNED_OFF")),
        (json!({"decision": "NONE", "signed_off_state": 0}), ("NONE", "UNKNOWN_SIGNED_OFF")),
        (json!({"decision": 4, "signed_off_state": "UNKNOWN"}), ("FIXED", "UNKNOWN_SIGNED_OFF")),
        (json!({"decision": "RESULT_DECISION_FIXED", "signed_off_state": 2}), ("FIXED", "SIGNED_OFF")),
        (json!({"decision": 0, "signed_off_state": "NOT_SIGNED_OFF"}), ("UNKNOWN", "NOT_SIGNED_OFF")),
        (json!({"decision": null, "signed_off_state": 1}), ("UNKNOWN", "NOT_SIGNED_OFF")),
        (json!({"decision": "UNKNOWN", "notes": "Seen"}), ("UNKNOWN", "UNKNOWN_SIGNED_OFF")),
    ] {
        number += 1;
        let mut body = rejects(&format!("Rule {number}"));
        body["action"] = said.clone();
        let id = create(&server.client, body).await;
        let action = server.client.get(&format!("{AUTOMATIONS}/{id}")).await.json["value"]["action"].clone();
        assert_eq!((&action["decision"], &action["signed_off_state"]), (&json!(shown.0), &json!(shown.1)), "{said}");
        assert_eq!(action["reviewer_assignment"], Value::Null);
    }
    server.stop().await;
}

#[tokio::test]
async fn an_action_that_changes_nothing_or_that_nobody_knows_is_refused() {
    let server = TestServer::start().await;
    let head = server.head().await;
    for (action, field) in [
        (json!({}), "action"),
        (json!({"decision": 0, "signed_off_state": 0, "notes": ""}), "action"),
        (json!({"decision": "RESULT_DECISION_UNKNOWN", "signed_off_state": "UNKNOWN"}), "action"),
        (json!({"decision": "APPROVED"}), "action.decision"),
        (json!({"decision": 5}), "action.decision"),
        (json!({"decision": -1}), "action.decision"),
        (json!({"decision": 1.5}), "action.decision"),
        (json!({"decision": [2]}), "action.decision"),
        (json!({"decision": ""}), "action.decision"),
        (json!({"signed_off_state": 3}), "action.signed_off_state"),
        (json!({"signed_off_state": "DONE"}), "action.signed_off_state"),
        (json!({"notes": 7}), "action.notes"),
        (json!({"decision": 2, "notes": "x".repeat(4001)}), "action.notes"),
    ] {
        let mut body = rejects("Reject A");
        body["action"] = action.clone();
        assert_eq!(violation(&server.client.post(AUTOMATIONS, body).await).0, field, "{action}");
    }
    assert_eq!(server.head().await, head);
    server.stop().await;
}

#[tokio::test]
async fn an_update_needs_the_whole_object_and_names_all_that_is_missing() {
    let server = TestServer::start().await;
    let id = create(&server.client, rejects("Reject A")).await;
    let head = server.head().await;
    assert_json_snapshot!("update_empty", whole(&server.client.put(AUTOMATIONS, json!({"value": {}})).await));
    assert_eq!(violation(&server.client.put(AUTOMATIONS, json!({})).await).0, "value");
    assert_eq!(violation(&server.client.put(AUTOMATIONS, rejects("Unwrapped")).await).0, "value");
    for missing in ["id", "name", "attachment_behavior", "criteria", "action"] {
        let mut body = whole_of(&id, rejects("Reject A"));
        body["value"].as_object_mut().unwrap().remove(missing);
        let fields: Vec<String> =
            violations(&server.client.put(AUTOMATIONS, body).await).into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, [format!("value.{missing}")]);
    }
    let malformed = server.client.put(AUTOMATIONS, whole_of("string", rejects("Reject A"))).await;
    assert_eq!(violation(&malformed), ("value.id".to_owned(), "\"string\" is not a GUID".to_owned()));
    let unknown = server.client.put(AUTOMATIONS, whole_of(NOBODY, rejects("Reject A"))).await;
    assert_eq!((unknown.status, &unknown.json["details"][0]["resource"]), (404, &json!(NOBODY)), "{}", unknown.text);
    assert_eq!(server.head().await, head);
    server.stop().await;
}

#[tokio::test]
async fn a_name_is_unique_whatever_its_case_and_unknown_fields_are_ignored() {
    let server = TestServer::start().await;
    let mut body = rejects("Reject A");
    body["display_style"] = json!("HIGHLIGHT");
    body["action"]["highlight_color"] = json!("#FF6B35");
    create(&server.client, body).await;
    let other = create(&server.client, rejects("Other")).await;
    let taken = server.client.post(AUTOMATIONS, rejects(" reject a ")).await;
    assert_eq!(violation(&taken), ("name".to_owned(), "Automation with the same name already exists".to_owned()));
    let taken = server.client.put(AUTOMATIONS, whole_of(&other, rejects("REJECT A"))).await;
    assert_eq!(violation(&taken).0, "value.name");
    server.stop().await;
}

#[tokio::test]
async fn every_error_beneath_these_paths_is_in_vezas_dialect() {
    let server = TestServer::start().await;
    let client = &server.client;
    assert_json_snapshot!("anonymous", whole(&client.anonymous().get(AUTOMATIONS).await));
    assert_json_snapshot!("malformed_id", whole(&client.get(&format!("{AUTOMATIONS}/string")).await));
    assert_json_snapshot!("unknown_route", whole(&client.get("/api/preview/awf/nothing").await));
    assert_json_snapshot!("unknown_verb", whole(&client.post(&format!("{AUTOMATIONS}:enable"), json!({})).await));
    assert_json_snapshot!("wrong_method", whole(&client.delete(AUTOMATIONS).await));
    let text = client.request(Method::POST, AUTOMATIONS).header("content-type", "text/plain").body("{}");
    assert_json_snapshot!("unsupported_media_type", whole(&client.send(text).await));
    let broken = client.request(Method::POST, AUTOMATIONS).header("content-type", "application/json").body("{");
    assert_json_snapshot!("not_json", whole(&client.send(broken).await));
    let large = json!({"name": "x".repeat(3 << 20)});
    let large = client.post(AUTOMATIONS, large).await;
    assert_eq!((large.status, &large.json["code"]), (413, &json!("InvalidArgument")), "{}", large.text);
    let problem = client.anonymous().request(Method::GET, AUTOMATIONS).header("accept", "application/problem+json");
    assert_eq!(client.send(problem).await.headers["content-type"], "application/problem+json");
    // And nowhere else.
    assert_eq!(client.get("/api/preview/awfully").await.json["error"], "not_found");
    server.stop().await;
}
