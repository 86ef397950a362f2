//! The audit trail: what happened, in order, and who did it.

use chrono::TimeDelta;
use insta::assert_json_snapshot;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bodies::{ACCOUNTS, GRANTS, grants_only, payments};
use crate::support::{TestServer, id, whole};

fn positions(page: &Value) -> Vec<i64> {
    page["items"].as_array().unwrap().iter().map(|event| event["position"].as_i64().unwrap()).collect()
}

async fn page(server: &TestServer, query: &str) -> Value {
    let answer = server.client.get(&format!("/api/events{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text);
    answer.json
}

#[tokio::test]
async fn the_trail_of_an_import_is_shown_whole() {
    let server = TestServer::start().await;
    let app = server.create(grants_only("Payroll")).await;
    server.import(&app, "grants", "user,permission\nann,read\nann,write\n").await;
    assert_json_snapshot!("events_page", whole(&server.client.get("/api/events").await));
    server.stop().await;
}

#[tokio::test]
async fn every_event_names_its_actor_its_request_and_what_it_follows_from() {
    let server = TestServer::start().await;
    let app = server.create(grants_only("Payroll")).await;
    let import = server.import(&app, "grants", GRANTS).await;
    let trail = page(&server, "?limit=1000").await;
    let events = trail["items"].as_array().unwrap();
    assert_eq!(positions(&trail), (1..=server.head().await).collect::<Vec<_>>());
    let staged = events.iter().find(|event| event["eventType"] == "ImportStaged").unwrap();
    for event in events {
        assert!(["token", "system"].contains(&event["actor"]["type"].as_str().unwrap()), "{event}");
        assert_eq!(event["correlationId"].as_str().unwrap().len(), 32, "{event}");
        let is_of_import = event["data"]["import"] == import["id"] || event["aggregateId"] == import["id"];
        if is_of_import && event != staged {
            // A worker's work is the staging token's, and follows from the staging.
            assert_eq!(
                (&event["actor"], &event["correlationId"]),
                (&staged["actor"], &staged["correlationId"]),
                "{event}"
            );
            assert_eq!(event["causationId"], staged["position"], "{event}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn the_trail_of_one_account_is_asked_for_by_its_id() {
    let server = TestServer::start().await;
    let app = server.create(payments("Payments")).await;
    server.import_all(&app, &[("accounts", ACCOUNTS), ("grants", GRANTS)]).await;
    let account = server.items(&format!("/api/applications/{}/accounts", id(&app))).await[0].clone();
    server
        .import_all(
            &app,
            &[("accounts", "login,full name,mail,number,active,last login,kind,cost centre\nbatch,B,,,,,,\n")],
        )
        .await;
    let trail = page(&server, &format!("?aggregateId={}", id(&account))).await;
    let types: Vec<&str> =
        trail["items"].as_array().unwrap().iter().map(|event| event["eventType"].as_str().unwrap()).collect();
    assert_eq!(types, ["AccountAdded", "AccountAccessChanged", "AccountAccessChanged", "AccountRemoved"]);
    let sequences: Vec<i64> =
        trail["items"].as_array().unwrap().iter().map(|event| event["sequence"].as_i64().unwrap()).collect();
    assert_eq!(sequences, [1, 2, 3, 4]);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_reader_that_goes_on_from_next_position_sees_every_event_once() {
    let server = TestServer::start().await;
    let app = server.create(grants_only("Payroll")).await;
    server.import(&app, "grants", GRANTS).await;
    for filter in ["", "&aggregateType=account", "&eventType=ImportFinished", "&actor=nobody"] {
        for limit in [1, 2, 7] {
            let (mut seen, mut after) = (Vec::new(), 0);
            loop {
                let next = page(&server, &format!("?afterPosition={after}&limit={limit}{filter}")).await;
                assert!(next["items"].as_array().unwrap().len() <= limit);
                seen.extend(positions(&next));
                let position = next["nextPosition"].as_i64().unwrap();
                assert!(position >= after);
                if position == after {
                    break;
                }
                after = position;
            }
            assert_eq!(after, server.head().await, "the end is the head, whatever matched");
            assert_eq!(seen, positions(&page(&server, &format!("?limit=1000{filter}")).await));
        }
    }
    let beyond = page(&server, "?afterPosition=9223372036854775807").await;
    assert_eq!(beyond["items"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn events_are_filtered_by_type_actor_and_time() {
    let server = TestServer::start().await;
    let app = server.create(grants_only("One")).await;
    server.clock.advance(TimeDelta::hours(1));
    let other = server.client_as("other", aggregates::api_token::Role::Operator).await;
    let theirs = other.post("/api/applications", grants_only("Two")).await.json;
    let created = page(&server, "?eventType=ApplicationCreated").await;
    assert_eq!(created["items"].as_array().unwrap().len(), 2);
    let actor = created["items"][1]["actor"]["id"].as_str().unwrap();
    let of = |page: &Value| {
        page["items"].as_array().unwrap().iter().map(|event| event["aggregateId"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(of(&page(&server, &format!("?actor={actor}")).await), [theirs["id"].clone()]);
    let late = "&aggregateType=application";
    assert_eq!(of(&page(&server, &format!("?since=2026-03-15T12:30:00Z{late}")).await), [theirs["id"].clone()]);
    assert_eq!(of(&page(&server, &format!("?since=2026-03-15T13:00:00Z{late}")).await), [theirs["id"].clone()]);
    assert_eq!(of(&page(&server, &format!("?until=2026-03-15T13:00:00Z{late}")).await), [app["id"].clone()]);
    assert_eq!(of(&page(&server, &format!("?since=2026-03-15&until=2026-03-16{late}")).await).len(), 2);
    assert_eq!(of(&page(&server, &format!("?since=2027-01-01{late}")).await).len(), 0);
    server.stop().await;
}

#[tokio::test]
async fn a_filter_that_cannot_mean_anything_is_refused() {
    let server = TestServer::start().await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=many", "limit"),
        ("afterPosition=-1", "afterPosition"),
        ("afterPosition=x", "afterPosition"),
        ("aggregateType=Application", "aggregateType"),
        ("aggregateType=application-import", "aggregateType"),
        ("eventType=application_created", "eventType"),
        ("since=yesterday", "since"),
        ("until=2026-02-30", "until"),
        ("actor=%00", "actor"),
    ] {
        let answer = server.client.get(&format!("/api/events?{query}")).await;
        assert_eq!(answer.violation().0, field, "{query}");
    }
    assert_json_snapshot!("events_unknown_type", whole(&server.client.get("/api/events?eventType=Nothing").await));
    server.stop().await;
}

#[tokio::test]
async fn as_ndjson_the_trail_is_one_event_a_line_up_to_the_head() {
    let server = TestServer::start().await;
    let app = server.create(grants_only("Payroll")).await;
    server.import(&app, "grants", GRANTS).await;
    let stream = async |query: &str| {
        let request = server.client.request(Method::GET, &format!("/api/events{query}"));
        let answer = server.client.send(request.header("Accept", "application/x-ndjson")).await;
        assert_eq!((answer.status, answer.headers["content-type"].to_str().unwrap()), (200, "application/x-ndjson"));
        answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>()
    };
    let whole = page(&server, "?limit=1000").await;
    assert_eq!(json!(stream("").await), whole["items"]);
    assert_eq!(stream("?limit=3&afterPosition=2").await.len(), 3);
    assert_eq!(stream("?eventType=ApplicationCreated").await.len(), 1);
    assert_eq!(stream("?afterPosition=1000000").await.len(), 0);
    server.stop().await;
}

#[tokio::test]
async fn an_actor_keeps_the_name_it_had_then() {
    let server = TestServer::start().await;
    let made = server.client.post("/api/tokens", json!({"name": "Nightly"})).await.json;
    let nightly = server.client.with_secret(made["secret"].as_str().unwrap());
    let first = nightly.post("/api/applications", grants_only("One")).await.json;
    server.client.delete(&format!("/api/tokens/{}", id(&made))).await;
    let again = server.client.post("/api/tokens", json!({"name": "nightly"})).await.json;
    assert_eq!(again["name"], "nightly");
    let events = page(&server, &format!("?actor={}", id(&made))).await;
    assert_eq!(
        (&events["items"][0]["actor"]["name"], &events["items"][0]["aggregateId"]),
        (&json!("Nightly"), &first["id"])
    );
    server.stop().await;
}
