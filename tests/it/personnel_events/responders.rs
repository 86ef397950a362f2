//! Who answers: all responders, for themselves or by an administrator, never for their own request.

use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::support::people::{House, STAFF};
use crate::support::{Client, id, stable, whole};

/// A client whose token stands for a person.
async fn token_of(house: &House, person: &str) -> Client {
    let body = json!({"name": format!("token of {person}"), "role": "operator", "identityId": person});
    let answer = house.server.client.post("/api/tokens", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    house.server.client.with_secret(answer.json["secret"].as_str().unwrap())
}

async fn respond(house: &House, responders: &[&String]) {
    let answer = house.answers.put("/api/settings", json!({"defaultResponders": responders})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

fn approval(event: &Value) -> String {
    format!("/api/personnel-events/{}/stages/approval", id(event))
}

#[tokio::test]
async fn all_responders_must_answer_and_an_answer_can_be_taken_back() {
    let house = House::open().await;
    let (ann, bob, cleo, dan) =
        (house.person("Ann").await, house.person("Bob").await, house.person("Cleo").await, house.person("Dan").await);
    respond(&house, &[&cleo, &bob]).await;
    let event = house.ask("offboard", json!({"identityId": ann, "effectiveDate": "2026-03-15"})).await;
    let path = approval(&event);
    let (as_cleo, as_bob, as_dan) =
        (token_of(&house, &cleo).await, token_of(&house, &bob).await, token_of(&house, &dan).await);
    assert_json_snapshot!("no_responder", whole(&as_dan.post(&format!("{path}/approve"), json!({})).await));
    let one = as_cleo.post(&format!("{path}/approve"), json!({"comment": "Handed over"})).await;
    assert_eq!((one.status, &one.json["status"]), (200, &json!("Pending")), "{}", one.text);
    assert_json_snapshot!("one_of_two", stable(&one.json["stages"][0]));
    assert_eq!(as_cleo.post(&format!("{path}/reject"), json!({})).await.status, 409, "one answer each");
    assert_eq!(as_bob.post(&format!("{path}/reset"), json!({})).await.status, 409, "not his");
    assert_eq!(
        as_cleo.post(&format!("{path}/reset"), json!({})).await.json["stages"][0]["responders"][0]["response"],
        Value::Null
    );
    // Bodiless, as scripts send it.
    let bare = as_cleo.send(as_cleo.request(reqwest::Method::POST, &format!("{path}/approve"))).await;
    assert_eq!(bare.status, 200, "{}", bare.text);
    let stranger = json!({"responderId": ann});
    assert_eq!(house.answers.post(&format!("{path}/approve"), stranger).await.violation().0, "responderId");
    let last = house.answers.post(&format!("{path}/approve"), json!({"responderId": bob})).await;
    assert_eq!((last.status, &last.json["status"]), (200, &json!("Open")), "{}", last.text);
    house.close().await;
}

#[tokio::test]
async fn nobody_answers_their_own_request_or_one_about_themselves() {
    let house = House::open().await;
    let (ann, cleo) = (house.person("Ann").await, house.person("Cleo").await);
    let own = house.ask("offboard", json!({"identityId": ann, "effectiveDate": "2026-03-15"})).await;
    let refused = house.asks.post(&format!("{}/approve", approval(&own)), json!({})).await;
    assert_json_snapshot!("own_request", whole(&refused));
    let as_ann = token_of(&house, &ann).await;
    let refused = as_ann.post(&format!("{}/approve", approval(&own)), json!({})).await;
    assert_json_snapshot!("own_person", whole(&refused));
    house.step(&own, "cancel").await;
    // A responder who asks is not waited for.
    respond(&house, &[&cleo]).await;
    let as_cleo = token_of(&house, &cleo).await;
    let body = json!({"identityId": ann, "effectiveDate": "2026-03-15"});
    let asked = as_cleo.post("/api/personnel-events/offboard", body).await.json;
    assert_eq!(asked["reporter"]["id"], json!(cleo));
    assert_eq!(as_cleo.post(&format!("{}/approve", approval(&asked)), json!({})).await.status, 409);
    assert_eq!(house.approve(&asked).await["status"], "Open");
    house.close().await;
}

#[tokio::test]
async fn a_responder_who_left_is_not_waited_for() {
    let house = House::open().await;
    let (ann, bob, cleo) = (house.person("Ann").await, house.person("Bob").await, house.person("Cleo").await);
    respond(&house, &[&bob, &cleo]).await;
    let event = house.ask("offboard", json!({"identityId": ann, "effectiveDate": "2026-03-15"})).await;
    let (as_bob, as_cleo) = (token_of(&house, &bob).await, token_of(&house, &cleo).await);
    house.staff(&STAFF.lines().filter(|line| !line.starts_with("e2")).collect::<Vec<_>>().join("\n")).await;
    let gone = as_bob.post(&format!("{}/approve", approval(&event)), json!({})).await;
    assert_json_snapshot!("responder_left", whole(&gone));
    let last = as_cleo.post(&format!("{}/approve", approval(&event)), json!({})).await;
    assert_eq!((last.status, &last.json["status"]), (200, &json!("Open")), "{}", last.text);
    let wrong = house.answers.put("/api/settings", json!({"defaultResponders": [bob, cleo, cleo]})).await;
    assert_json_snapshot!("settings_responders", whole(&wrong));
    house.close().await;
}

#[tokio::test]
async fn a_rejected_approval_cancels_and_a_rejected_verification_opens_the_work_again() {
    let house = House::open().await;
    let (ann, bob) = (house.person("Ann").await, house.person("Bob").await);
    let body = |who: &str| json!({"identityId": who, "effectiveDate": "2026-03-15"});
    let refused = house.ask("offboard", body(&ann)).await;
    let answer = house.try_step(&refused, "stages/approval/reject", json!({"comment": "She stays"})).await;
    assert_json_snapshot!("offboard_rejected", whole(&answer));
    let event = house.ask("offboard", body(&bob)).await;
    house.approve(&event).await;
    let open = house.try_step(&event, "stages/provision/complete", json!({})).await;
    assert_eq!((open.status, open.json["message"].as_str().unwrap().ends_with(": 1")), (409, true), "{}", open.text);
    let request = &house.requests(&bob).await[0];
    house.carry(request, "provision").await;
    assert_eq!(house.event(&event).await["status"], "Resolved");
    assert_eq!(house.step(&event, "stages/verification/reject").await["status"], "Open");
    // It doesn't close by itself now: somebody must say so.
    assert_eq!(house.step(&event, "stages/provision/complete").await["status"], "Resolved");
    assert_eq!(house.step(&event, "stages/verification/approve").await["status"], "Completed");
    house.close().await;
}

#[tokio::test]
async fn events_are_assigned_and_remarked_upon() {
    let house = House::open().await;
    let (ann, bob) = (house.person("Ann").await, house.person("Bob").await);
    let event = house.ask("offboard", json!({"identityId": ann, "effectiveDate": "2026-03-15"})).await;
    let assigned = house.try_step(&event, "assign", json!({"assigneeId": bob})).await;
    assert_eq!(assigned.json["assignee"], json!({"id": bob, "name": "Bob Baker"}));
    let nobody = house.try_step(&event, "assign", json!({"assigneeId": "018f0000-0000-7000-8000-00000000dead"})).await;
    assert_eq!(nobody.violation().0, "assigneeId");
    let empty = house.try_step(&event, "comments", json!({"comment": "  "})).await;
    assert_eq!(empty.violation(), ("comment", "Comment is required"));
    let said = house.try_step(&event, "comments", json!({"comment": " Badge is back "})).await;
    assert_eq!((said.status, &said.json["comments"][0]["text"]), (200, &json!("Badge is back")));
    house.step(&event, "cancel").await;
    assert_eq!(
        house.try_step(&event, "comments", json!({"comment": "Too late"})).await.status,
        200,
        "one may still talk"
    );
    assert_eq!(house.try_step(&event, "assign", json!({"assigneeId": null})).await.status, 409);
    house.close().await;
}
