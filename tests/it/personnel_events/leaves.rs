//! Leaves of absence: suspended, and restored when the return is known; and how the clock starts what was planned.

use aggregates::ballot::{Answer, Voter};
use aggregates::party::Party;
use aggregates::personnel_event::{PersonnelEvent, PersonnelEventCommand as Command, Stage};
use chrono::TimeDelta;
use insta::assert_json_snapshot;
use muniment::journal::CommandError;
use serde_json::json;

use crate::support::people::{House, LOGINS, RIGHTS};
use crate::support::{TestServer, eventually, id, stable};

#[tokio::test]
async fn access_is_suspended_while_the_return_is_unknown_and_restored_when_it_comes() {
    let house = House::open().await;
    let ann = house.person("Ann").await;
    let event = house.ask("leave-of-absence", json!({"identityId": ann, "effectiveDate": "2026-03-15"})).await;
    assert_json_snapshot!("leave_requested", stable(&event));
    house.approve(&event).await;
    let [suspend] = &house.requests(&ann).await[..] else { panic!("not one request") };
    assert_eq!((&suspend["action"], &suspend["status"]), (&json!("Suspend"), &json!("Open")));
    // Switched off is suspended, though the grants stay.
    house.access(&LOGINS.replace("ann,ann@example.com,yes", "ann,ann@example.com,no"), RIGHTS).await;
    house.settled(suspend, "Completed").await;
    let snoozed = house.reached(&event, "Snoozed").await;
    assert_json_snapshot!("leave_snoozed", stable(&snoozed));
    let early = house.try_step(&event, "reschedule", json!({"endDate": "2026-03-01"})).await;
    assert_eq!(early.violation(), ("endDate", "End date must be after effective date"));
    let late = house.try_step(&event, "reschedule", json!({"effectiveDate": "2026-03-20"})).await;
    assert_eq!(late.status, 409, "{}", late.text);
    let answer = house.try_step(&event, "reschedule", json!({"endDate": "2026-04-01"})).await;
    assert_eq!((answer.status, &answer.json["status"]), (200, &json!("Scheduled")), "{}", answer.text);
    house.server.clock.advance(TimeDelta::days(17));
    house.reached(&event, "Open").await;
    let restore = &house.requests(&ann).await[0];
    assert_eq!((&restore["action"], &restore["status"]), (&json!("Restore"), &json!("Open")));
    // Access that is back was asked for: no finding.
    house.access(LOGINS, RIGHTS).await;
    house.settled(restore, "Completed").await;
    house.reached(&event, "Completed").await;
    assert_eq!(house.request(suspend).await["isFinding"], false);
    house.close().await;
}

#[tokio::test]
async fn what_is_planned_starts_by_itself_once_among_many_servers() {
    let house = House::open().await;
    let second = house.server.start_beside().await;
    assert_eq!(house.answers.put("/api/settings", json!({"timezone": "America/New_York"})).await.status, 200);
    let (ann, bob) = (house.person("Ann").await, house.person("Bob").await);
    let body = |who: &str| json!({"identityId": who, "effectiveDate": "2026-03-20"});
    let (approved, waiting) = (house.ask("offboard", body(&ann)).await, house.ask("offboard", body(&bob)).await);
    // Midnight in New York, by summer time.
    assert_eq!((&approved["neededOn"], &approved["status"]), (&json!("2026-03-20T04:00:00Z"), &json!("Scheduled")));
    assert_eq!(house.approve(&approved).await["status"], "Scheduled");
    assert!(house.requests(&ann).await.is_empty(), "nothing happens before its day");
    house.server.clock.advance(TimeDelta::hours(24 * 4 + 15));
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    assert_eq!(house.event(&approved).await["status"], "Scheduled", "an hour is missing");
    house.server.clock.advance(TimeDelta::hours(1));
    house.reached(&approved, "Open").await;
    house.reached(&waiting, "Pending").await;
    assert_eq!(house.requests(&ann).await.len(), 1);
    let started: i64 =
        sqlx::query_scalar("SELECT count(*) FROM journal.events WHERE event_type = 'PersonnelStageStarted'")
            .fetch_one(&house.server.server.app.pool)
            .await
            .unwrap();
    assert_eq!(started, 1);
    second.stop().await;
    house.close().await;
}

#[tokio::test]
async fn what_a_server_began_and_did_not_end_is_ended_by_whoever_looks() {
    let house = House::open().await;
    let journal = &house.server.server.app.journal;
    let (ann, dan) = (house.person("Ann").await, house.person("Dan").await);
    let body = |who: &str| json!({"identityId": who, "effectiveDate": "2026-03-15"});
    let (approved, begun) = (house.ask("offboard", body(&ann)).await, house.ask("offboard", body(&dan)).await);
    let at = "2026-03-15T12:00:00Z".parse().unwrap();
    let answer = || {
        let party = Party { actor_id: "security".to_owned(), name: "Security".to_owned(), identity_id: None };
        Command::Answer {
            stage: Stage::Approval,
            voter: Voter { party, is_administrator: true, responder: None, departed: Vec::new() },
            answer: Answer::Approved,
            comment: None,
            new_identity: uuid::Uuid::nil(),
            at,
        }
    };
    // The server dies after the approval; another one after the beginning of a stage that has nothing to do.
    let carry_out = async |event: &serde_json::Value, command: Command| {
        journal.execute::<PersonnelEvent>(id(event), command, None, TestServer::context()).await.unwrap();
    };
    carry_out(&approved, answer()).await;
    carry_out(&begun, answer()).await;
    let started = journal
        .execute::<PersonnelEvent>(id(&begun), Command::Start { requests: Vec::new(), at }, None, TestServer::context())
        .await;
    // Unless the worker was quicker.
    assert!(matches!(started, Ok(_) | Err(CommandError::Refused(_))), "{started:?}");
    house.reached(&begun, "Completed").await;
    eventually("what the approval means is asked for", async || (!house.requests(&ann).await.is_empty()).then_some(()))
        .await;
    house.reached(&approved, "Open").await;
    assert_eq!(house.requests(&ann).await.len(), 1);
    house.close().await;
}

#[tokio::test]
async fn what_was_taken_during_a_leave_does_not_come_back_with_the_person() {
    let house = House::open().await;
    let ann = house.person("Ann").await;
    let body = json!({"identityId": ann, "effectiveDate": "2026-03-15", "endDate": "2026-04-01"});
    let event = house.ask("leave-of-absence", body).await;
    house.approve(&event).await;
    let off = LOGINS.replace("ann,ann@example.com,yes", "ann,ann@example.com,no");
    house.access(&off, RIGHTS).await;
    house.reached(&event, "Scheduled").await;
    let taken =
        json!({"action": "Remove", "identityId": ann, "applicationId": id(&house.ledger), "entitlements": ["book"]});
    let taken = house.asks.post("/api/access-requests", taken).await.json;
    house.carry(&taken, "approve").await;
    house.server.clock.advance(TimeDelta::days(17));
    house.reached(&event, "Open").await;
    let restore = house.request(&house.requests(&ann).await[0]).await;
    let keys: Vec<&str> =
        restore["privileges"].as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap()).collect();
    assert_eq!((&restore["action"], keys), (&json!("Restore"), vec!["read"]));
    house.close().await;
}
