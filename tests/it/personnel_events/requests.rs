//! What can be asked for, and what is wrong with what can't.

use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::support::people::{House, STAFF};
use crate::support::{id, whole};

const NOBODY: &str = "018f0000-0000-7000-8000-00000000dead";

#[tokio::test]
async fn every_field_that_breaks_a_rule_is_told_at_once() {
    let house = House::open().await;
    let head = house.server.head().await;
    let empty = house.asks.post("/api/personnel-events/onboard", json!({})).await;
    assert_json_snapshot!("onboard_empty", whole(&empty));
    let long = "x".repeat(257);
    let wrong = json!({
        "identity": {"firstName": long, "lastName": " ", "email": long, "supervisorId": "boss", "company": long,
                     "division": long, "department": "x".repeat(129), "office": long, "title": long,
                     "identityType": "Robot", "customField1": "no", "customField11": "none", "shoeSize": "44"},
        "effectiveDate": "2026-02-30", "endDate": "soon", "comment": "x".repeat(4001)
    });
    let wrong = house.asks.post("/api/personnel-events/onboard", wrong).await;
    assert_json_snapshot!("onboard_wrong", whole(&wrong));
    for kind in ["offboard", "role-transition", "leave-of-absence"] {
        let empty = house.asks.post(&format!("/api/personnel-events/{kind}"), json!({})).await;
        assert_json_snapshot!(format!("{kind}_empty"), whole(&empty));
    }
    let ann = house.person("Ann").await;
    let violation = async |kind: &str, body: Value| {
        let answer = house.asks.post(&format!("/api/personnel-events/{kind}"), body).await;
        let (field, message) = answer.violation();
        (field.to_owned(), message.to_owned())
    };
    for (kind, body, field, message) in [
        ("offboard", json!({"identityId": NOBODY, "effectiveDate": "2026-03-15"}), "identityId", "not found"),
        ("offboard", json!({"identityId": "ann", "effectiveDate": "2026-03-15"}), "identityId", "is not a guid"),
        (
            "offboard",
            json!({"identityId": ann, "effectiveDate": "2026-03-14"}),
            "effectiveDate",
            "must be today or later",
        ),
        (
            "offboard",
            json!({"identityId": ann, "effectiveDate": "2026-03-15", "endDate": "2026-04-01"}),
            "endDate",
            "unknown",
        ),
        (
            "leave-of-absence",
            json!({"identityId": ann, "effectiveDate": "2026-03-20", "endDate": "2026-03-20"}),
            "endDate",
            "must be after effective date",
        ),
    ] {
        let found = violation(kind, body).await;
        assert_eq!(found.0, field, "{found:?}");
        assert!(found.1.to_lowercase().contains(message), "{found:?}");
    }
    let supervised = |supervisor: &str| json!({"identityId": ann, "effectiveDate": "2026-03-15", "identity": {"supervisorId": supervisor}});
    assert!(violation("role-transition", supervised(NOBODY)).await.1.contains("not found"));
    assert!(violation("role-transition", supervised(&ann)).await.1.contains("circle"));
    let cleo = house.person("Cleo").await;
    let body = json!({"identityId": cleo, "effectiveDate": "2026-03-15", "identity": {"supervisorId": ann}});
    let (field, message) = violation("role-transition", body).await;
    assert_eq!(field, "identity.supervisorId");
    assert!(message.contains("circle"), "Ann reports to Cleo: {message}");
    assert_eq!(house.server.head().await, head, "nothing was appended");
    house.close().await;
}

#[tokio::test]
async fn what_stands_against_an_event_is_named() {
    let house = House::open().await;
    let ann = house.person("Ann").await;
    let body = |date: &str| json!({"identityId": ann, "effectiveDate": date});
    let leave = house.ask("leave-of-absence", body("2026-04-01")).await;
    let offboard = house.asks.post("/api/personnel-events/offboard", body("2026-05-01")).await;
    assert_json_snapshot!("clash", whole(&offboard));
    assert!(offboard.json["message"].as_str().unwrap().contains(id(&leave)));
    // A move is no leave; two moves are one too many.
    let moving = house.ask("role-transition", body("2026-03-20")).await;
    let again = house.asks.post("/api/personnel-events/role-transition", body("2026-06-01")).await;
    assert_eq!((again.status, again.json["message"].as_str().unwrap().contains(id(&moving))), (409, true));
    // A change of plans is an event.
    assert_eq!(house.step(&leave, "cancel").await["status"], "Canceled");
    let completed = house.try_step(&leave, "stages/provision/complete", json!({})).await;
    assert_eq!((completed.status, &completed.json["message"]), (409, &json!("The personnel event is Canceled")));
    assert_eq!(house.step(&moving, "cancel").await["status"], "Canceled");
    let offboard = house.ask("offboard", body("2026-03-15")).await;
    for (step, status) in [
        ("stages/verification/approve", 409),
        ("stages/provision/complete", 409),
        ("stages/transition-in/complete", 404),
        ("stages/party/approve", 404),
        ("stages/approval/complete", 409),
    ] {
        let answer = house.try_step(&offboard, step, json!({})).await;
        assert_eq!(answer.status, status, "{step}: {}", answer.text);
    }
    house.approve(&offboard).await;
    for request in house.requests(&ann).await {
        house.carry(&request, "provision").await;
        house.carry(&request, "verify").await;
    }
    house.reached(&offboard, "Completed").await;
    for step in ["stages/approval/approve", "stages/provision/complete", "cancel"] {
        let answer = house.try_step(&offboard, step, json!({})).await;
        assert_eq!(
            (answer.status, &answer.json["message"]),
            (409, &json!("The personnel event is Completed")),
            "{step}"
        );
    }
    house.server.clock.advance(chrono::TimeDelta::minutes(1));
    // Who left and was offboarded is not offboarded again, until there is somebody to offboard.
    house.staff(&STAFF.lines().filter(|line| !line.starts_with("e1")).collect::<Vec<_>>().join("\n")).await;
    let again = house.asks.post("/api/personnel-events/offboard", body("2026-03-15")).await;
    assert_eq!(again.status, 409, "{}", again.text);
    assert!(again.json["message"].as_str().unwrap().contains(id(&offboard)), "{}", again.text);
    house.staff(STAFF).await;
    // Here again, and gone again before anybody asked: that is another leaving.
    house.staff(&STAFF.lines().filter(|line| !line.starts_with("e1")).collect::<Vec<_>>().join("\n")).await;
    house.ask("offboard", body("2026-03-15")).await;
    house.close().await;
}

#[tokio::test]
async fn lists_are_filtered_and_say_what_a_filter_allows() {
    let house = House::open().await;
    let (ann, bob) = (house.person("Ann").await, house.person("Bob").await);
    house.ask("offboard", json!({"identityId": ann, "effectiveDate": "2026-04-15T00:00:00Z"})).await;
    house.ask("role-transition", json!({"identityId": bob, "effectiveDate": "2026-03-15"})).await;
    let joiner = json!({"firstName": "Eve", "lastName": "Ernst"});
    house.ask("onboard", json!({"identity": joiner, "effectiveDate": "2026-01-01"})).await;
    let numbers = async |query: &str| -> Vec<i64> {
        let answer = house.asks.get(&format!("/api/personnel-events{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json["items"].as_array().unwrap().iter().map(|item| item["number"].as_i64().unwrap()).collect()
    };
    assert_json_snapshot!("personnel_events", whole(&house.asks.get("/api/personnel-events").await));
    assert_eq!(numbers("").await, [1, 2, 3]);
    assert_eq!(numbers("?type=roletransition").await, [2]);
    assert_eq!(numbers("?type=Role%20Transition&status=PENDING").await, [2]);
    assert_eq!(numbers("?status=scheduled").await, [1]);
    assert_eq!(numbers(&format!("?identityId={ann}")).await, [1]);
    assert_eq!(numbers("?status=Snoozed").await, Vec::<i64>::new());
    assert_eq!(numbers("?page=2").await, Vec::<i64>::new());
    for (query, field, allowed) in [
        ("?type=Promotion", "type", "Onboard, Offboard, RoleTransition, Absence"),
        ("?status=Done", "status", "Pending, Open, Resolved, Completed, Canceled, Scheduled, Snoozed"),
        ("?identityId=ann", "identityId", "GUID"),
        ("?page=0", "page", "at least 1"),
    ] {
        let answer = house.asks.get(&format!("/api/personnel-events{query}")).await;
        let (found, message) = answer.violation();
        assert_eq!((found, message.contains(allowed)), (field, true), "{message}");
    }
    let unknown = house.asks.get(&format!("/api/personnel-events/{NOBODY}")).await;
    assert_json_snapshot!("personnel_event_unknown", whole(&unknown));
    house.close().await;
}
