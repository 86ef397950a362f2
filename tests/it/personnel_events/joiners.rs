//! Joiners: an identity comes into being at approval, is joined by its feed, and gets what others like it have.

use chrono::TimeDelta;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::support::people::{House, LOGINS, RIGHTS, STAFF};
use crate::support::{id, stable, whole};

async fn joiner(house: &House) -> Value {
    let cleo = house.person("Cleo").await;
    let settings = json!({"customFields": ["customField2", "customField1"]});
    assert_eq!(house.answers.put("/api/settings", settings).await.status, 200);
    let identity = json!({"firstName": " Eve ", "lastName": "Ernst", "email": "eve@example.com", "title": "Clerk",
                          "department": "Sales", "supervisorId": cleo, "identityType": "ServiceAccount",
                          "customField1": "badge 7"});
    let answer = house
        .asks
        .post("/api/personnel-events/onboard", json!({"identity": identity, "effectiveDate": "2026-03-01"}))
        .await;
    assert_json_snapshot!("onboard_requested", whole(&answer));
    answer.json
}

#[tokio::test]
async fn an_identity_comes_into_being_when_it_is_approved() {
    let house = House::open().await;
    let before = house.server.items("/api/identities").await.len();
    let event = joiner(&house).await;
    assert_eq!(house.server.items("/api/identities").await.len(), before);
    let mut open = house.approve(&event).await;
    // Whoever comes first begins it: who approved, or the system on their behalf.
    let began = open["activity"][4]["actor"].take();
    assert!(began == open["activity"][3]["actor"] || began["id"] == "personnel events", "{began}");
    assert_json_snapshot!("onboard_open", stable(&open));
    let eve = id(&open["affectedIdentity"]).to_owned();
    let known = house.asks.get(&format!("/api/identities/{eve}")).await.json;
    assert_eq!((&known["status"], &known["supervisorName"]), (&json!("Active"), &json!("Carter, Cleo")));
    // Both clerks of Sales read, one of two books: both are suggested, and somebody must agree.
    let [suggested] = &house.requests(&eve).await[..] else { panic!("not one request") };
    let suggested = house.request(suggested).await;
    assert_json_snapshot!("onboard_suggestion", stable(&suggested));
    house.carry(&suggested, "approve").await;
    // She is here now: nobody else joins under her address.
    let body = json!({"identity": {"firstName": "E", "lastName": "E", "email": "Eve@Example.com"}, "effectiveDate": "2026-05-01"});
    let known = house.asks.post("/api/personnel-events/onboard", body).await;
    assert!(matches!(known.status, 400 | 409), "{}", known.text);
    // HR knows her later: the same person, by her address, and now HR's word counts.
    house.staff(&format!("{STAFF}e5,Eva,Ernst,EVE@example.com,Clerk,Sales,e3\n")).await;
    let joined = house.asks.get(&format!("/api/identities/{eve}")).await.json;
    assert_eq!((&joined["firstName"], &joined["type"]), (&json!("Eva"), &json!("Unknown")));
    assert_eq!(house.server.items("/api/identities").await.len(), before + 1);
    // The ledger shows what was asked for.
    house.carry(&suggested, "provision").await;
    let rights = format!("{RIGHTS}eve,read\neve,book\n");
    house.access(&format!("{LOGINS}eve,eve@example.com,yes\n"), &rights).await;
    let proven = house.settled(&suggested, "Completed").await;
    assert_eq!(proven["provisioningStatus"], "Verified");
    house.reached(&event, "Completed").await;
    // Once a feed named her, leaving the feed is leaving.
    house.staff(STAFF).await;
    assert_eq!(house.asks.get(&format!("/api/identities/{eve}")).await.json["status"], "Removed");
    house.close().await;
}

#[tokio::test]
async fn a_joiner_who_does_not_come_is_nobody() {
    let house = House::open().await;
    let event = joiner(&house).await;
    // The same address twice.
    let body = json!({"identity": {"firstName": "E", "lastName": "E", "email": "EVE@example.com"}, "effectiveDate": "2026-05-01"});
    let again = house.asks.post("/api/personnel-events/onboard", body).await;
    assert_eq!(
        (again.status, again.json["message"].as_str().unwrap().contains(id(&event))),
        (409, true),
        "{}",
        again.text
    );
    let open = house.approve(&event).await;
    let eve = id(&open["affectedIdentity"]).to_owned();
    // Who is still joining does nothing else.
    let body = json!({"identityId": eve, "effectiveDate": "2026-03-15"});
    assert_eq!(house.asks.post("/api/personnel-events/leave-of-absence", body).await.status, 409);
    let answer = house.try_step(&event, "cancel", json!({"comment": "Took another job"})).await;
    assert_json_snapshot!("onboard_canceled", whole(&answer));
    assert_eq!(house.asks.get(&format!("/api/identities/{eve}")).await.json["status"], "Removed");
    for request in house.requests(&eve).await {
        assert_eq!(request["status"], "Canceled");
    }
    house.close().await;
}

#[tokio::test]
async fn who_joins_for_a_time_loses_it_all_at_the_end() {
    let house = House::open().await;
    let body = json!({"identity": {"firstName": "Finn", "lastName": "Falk"}, "effectiveDate": "2026-03-10", "endDate": "2026-03-31"});
    let event = house.ask("onboard", body).await;
    let finn = id(&house.approve(&event).await["affectedIdentity"]).to_owned();
    // Nobody is like him, so nothing is suggested: somebody says when he has what he needs.
    let waiting = house.step(&event, "stages/provision/complete").await;
    assert_eq!(waiting["status"], "Scheduled");
    let names: Vec<(&str, &str)> = waiting["stages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stage| (stage["name"].as_str().unwrap(), stage["status"].as_str().unwrap()))
        .collect();
    let expected =
        [("Approval", "Completed"), ("Provision", "Completed"), ("Removal", "Scheduled"), ("Verification", "Pending")];
    assert_eq!(names, expected);
    house.server.clock.advance(TimeDelta::days(17));
    house.reached(&event, "Completed").await;
    assert_eq!(house.asks.get(&format!("/api/identities/{finn}")).await.json["status"], "Removed");
    house.close().await;
}

#[tokio::test]
async fn whoever_is_known_by_the_address_is_the_one_who_joins() {
    let house = House::open().await;
    // The feed is quicker than the approval.
    let event = joiner(&house).await;
    house.staff(&format!("{STAFF}e5,Eva,Ernst,eve@example.com,Clerk,Sales,e3\n")).await;
    let eve = house.person("Eva").await;
    assert_eq!(id(&house.approve(&event).await["affectedIdentity"]), eve);
    // Bob leaves the feed, and comes back by another onboarding: the same person, until the feed knows again.
    let bob = house.person("Bob").await;
    house.staff(&STAFF.lines().filter(|line| !line.starts_with("e2")).collect::<Vec<_>>().join("\n")).await;
    let body = json!({"identity": {"firstName": "Rob", "lastName": "Baker", "email": "BOB@example.com"}, "effectiveDate": "2026-03-15"});
    let back = house.approve(&house.ask("onboard", body).await).await;
    assert_eq!(id(&back["affectedIdentity"]), bob);
    let shown = async || house.asks.get(&format!("/api/identities/{bob}")).await.json;
    assert_eq!((&shown().await["status"], &shown().await["firstName"]), (&json!("Active"), &json!("Rob")));
    house.staff(STAFF).await;
    assert_eq!((&shown().await["status"], &shown().await["firstName"]), (&json!("Active"), &json!("Bob")));
    house.close().await;
}
