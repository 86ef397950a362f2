//! Movers: suggestions from those who work there already, and the way back.

use chrono::TimeDelta;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::support::people::{House, LOGINS, RIGHTS, STAFF};
use crate::support::{id, stable};

/// Dan moves from IT to Sales.
const DAN: &str = "dan,dan@example.com,yes\n";

async fn moves(house: &House, end: Option<&str>) -> (String, Value) {
    house.access(&format!("{LOGINS}{DAN}"), &format!("{RIGHTS}dan,operate\n")).await;
    let dan = house.person("Dan").await;
    let mut body = json!({"identityId": dan, "effectiveDate": "2026-03-15",
                          "identity": {"title": "Clerk", "department": "Sales"}});
    if let Some(end) = end {
        body["endDate"] = json!(end);
    }
    let event = house.ask("role-transition", body).await;
    (dan, event)
}

/// The person's requests by action.
async fn by_action(house: &House, person: &str, action: &str) -> Vec<Value> {
    house.requests(person).await.into_iter().filter(|request| request["action"] == action).collect()
}

#[tokio::test]
async fn what_others_there_hold_is_suggested_and_what_none_of_them_holds_is_to_go() {
    let house = House::open().await;
    let (dan, event) = moves(&house, None).await;
    let open = house.approve(&event).await;
    assert_json_snapshot!("transition_open", stable(&open));
    let (add, remove) = (by_action(&house, &dan, "Add").await, by_action(&house, &dan, "Remove").await);
    assert_json_snapshot!("transition_add", stable(&house.request(&add[0]).await));
    assert_json_snapshot!("transition_remove", stable(&house.request(&remove[0]).await));
    assert_eq!((add.len(), remove.len()), (1, 1));
    // A suggestion is one: it can be refused.
    assert_eq!(house.carry(&remove[0], "reject").await["status"], "Canceled");
    assert_eq!(house.event(&event).await["status"], "Open");
    house.carry(&add[0], "approve").await;
    house.access(&format!("{LOGINS}{DAN}"), &format!("{RIGHTS}dan,operate\ndan,read\ndan,book\n")).await;
    house.reached(&event, "Completed").await;
    house.close().await;
}

#[tokio::test]
async fn the_new_role_holds_until_a_feed_speaks_of_the_person_again() {
    let house = House::open().await;
    let (dan, event) = moves(&house, None).await;
    house.approve(&event).await;
    let title = async || house.asks.get(&format!("/api/identities/{dan}")).await.json["title"].clone();
    assert_eq!(title().await, "Clerk");
    // The same feed says nothing new.
    house.staff(STAFF).await;
    assert_eq!(title().await, "Clerk");
    house
        .staff(&STAFF.replace("Dan,Dyer,dan@example.com,Admin,IT", "Dan,Dyer,dan@example.com,Senior Clerk,Sales"))
        .await;
    assert_eq!(title().await, "Senior Clerk");
    house.close().await;
}

#[tokio::test]
async fn a_move_for_a_time_is_undone_at_its_end() {
    let house = House::open().await;
    let (dan, event) = moves(&house, Some("2026-03-31")).await;
    house.approve(&event).await;
    for request in house.requests(&dan).await {
        house.carry(&request, "approve").await;
        house.carry(&request, "provision").await;
    }
    assert_eq!(house.event(&event).await["status"], "Scheduled");
    house.access(&format!("{LOGINS}{DAN}"), &format!("{RIGHTS}dan,read\ndan,book\n")).await;
    house.server.clock.advance(TimeDelta::days(16));
    let back = house.reached(&event, "Open").await;
    assert_eq!(house.asks.get(&format!("/api/identities/{dan}")).await.json["title"], "Admin");
    let out = back["stages"].as_array().unwrap().iter().find(|stage| stage["name"] == "Transition Out").unwrap();
    let made: Vec<&Value> = out["accessRequests"].as_array().unwrap().iter().collect();
    let actions: Vec<&str> = made.iter().map(|request| request["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["Add", "Remove"]);
    let keys = async |request: &Value| -> Vec<String> {
        let detail = house.request(request).await;
        detail["privileges"].as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        (keys(made[0]).await, keys(made[1]).await),
        (vec!["operate".to_owned()], vec!["book".to_owned(), "read".to_owned()])
    );
    house.access(&format!("{LOGINS}{DAN}"), &format!("{RIGHTS}dan,operate\n")).await;
    let done = house.reached(&event, "Completed").await;
    assert_eq!(id(&done), id(&event));
    house.close().await;
}

#[tokio::test]
async fn a_move_that_is_canceled_changes_nothing_about_the_person() {
    let house = House::open().await;
    let (dan, event) = moves(&house, None).await;
    assert_json_snapshot!("transition_requested", stable(&event));
    house.approve(&event).await;
    assert_eq!(house.asks.get(&format!("/api/identities/{dan}")).await.json["title"], "Clerk");
    house.step(&event, "cancel").await;
    assert_eq!(house.asks.get(&format!("/api/identities/{dan}")).await.json["title"], "Admin");
    for request in house.requests(&dan).await {
        assert_eq!(request["status"], "Canceled");
    }
    house.close().await;
}
