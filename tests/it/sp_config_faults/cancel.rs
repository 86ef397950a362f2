//! Imports that are cancelled.

use std::time::{Duration, Instant};

use aggregates::config_object::{ObjectType, stream};
use serde_json::{Value, json};

use super::house::{Chance, House, SECRET, ended, export, many, same, send};
use crate::support::configuration::object;
use crate::support::process::{Serving, wait_until};
use crate::support::{Answer, Client};

async fn cancel(client: &Client, import: &str) -> Answer {
    client.post(&format!("/api/config-imports/{import}/cancel"), json!({})).await
}

/// Every object that is there has its secret, and none is on its way.
async fn assert_secrets_of_what_is_there(house: &mut House) {
    let (known, coming) = house.secrets().await;
    assert_eq!(coming, 0);
    let there: Vec<(uuid::Uuid, String)> =
        sqlx::query_as("SELECT id, document FROM read.config_objects WHERE document LIKE '%\"********\"%' ORDER BY id")
            .fetch_all(&mut house.connection)
            .await
            .unwrap();
    assert!(!there.is_empty());
    for (id, document) in there {
        let secret = known.iter().find(|((owner, _), _)| *owner == id).map(|(_, secret)| secret);
        let says = if document.contains("\"new\"") { "new" } else { "old" };
        let secret = secret.unwrap_or_else(|| panic!("{document} has no secret"));
        assert!(secret.starts_with(&format!("{SECRET}{says}")), "{document} has {secret}");
    }
}

#[tokio::test]
async fn a_cancelled_import_stops_at_once_and_what_was_imported_stays_and_can_be_put_back() {
    let (mut house, server) = House::open().await;
    let client = house.client(&server);
    house.slow_down().await;
    let import = send(&client, &many()).await;
    house.amid(&import, 400).await;
    let asked = Instant::now();
    let canceled = cancel(&client, &import).await;
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    assert_eq!((canceled.status, &canceled.json["status"]), (200, &json!("CANCELLED")), "{}", canceled.text);
    let stays = house.caused(&import).await;
    // Another slice would have taken a third of a second.
    tokio::time::sleep(Duration::from_secs(2)).await;
    house.speed_up().await;
    assert_eq!(house.caused(&import).await, stays);
    assert!((400..2000).contains(&stays.len()), "{}", stays.len());
    house.assert_once(&import).await;
    assert_eq!(cancel(&client, &import).await.status, 409);
    assert_secrets_of_what_is_there(&mut house).await;
    house.assert_secrets_are_nowhere_else().await;
    let diff = client.get(&format!("/api/config-imports/{import}/diff")).await.json;
    let changed = diff["objects"].as_array().unwrap();
    let streams = changed.iter().map(|change| if change["type"] == "SOURCE" { 2 } else { 1 }).sum::<usize>();
    assert_eq!(streams, stays.len());
    assert_ne!(export(&client).await, house.found);
    let restored = client.post(&format!("/api/config-imports/{import}/restore"), json!({})).await;
    assert_eq!((restored.status, &restored.json["restored"]), (200, &json!(changed.len())), "{}", restored.text);
    same("what was put back", &export(&client).await, &house.found);
    house.assert_sound().await;
    assert!(server.terminate().await.0);
}

/// What died between a slice and its secrets leaves them to whoever cancels.
#[tokio::test]
async fn secrets_of_what_was_imported_stay_when_the_server_dies_and_the_import_is_cancelled() {
    let (mut house, first) = House::open().await;
    let leases = house.hold("work.leases", "EXCLUSIVE").await;
    let import = send(&house.client(&first), &many()).await;
    let mut secrets = house.hold("work.config_secrets", "EXCLUSIVE").await;
    leases.release().await;
    secrets.wanted().await;
    first.kill().await;
    secrets.release().await;
    // The dead one's lease runs for another few seconds.
    let server = Serving::start(&house.place).await;
    let client = house.client(&server);
    let canceled = cancel(&client, &import).await;
    assert_eq!(canceled.status, 200, "{}", canceled.text);
    assert_eq!(house.claims(&import).await, 1, "it was too late to be cancelled");
    assert!(!house.caused(&import).await.is_empty());
    assert_secrets_of_what_is_there(&mut house).await;
    assert!(server.terminate().await.0);
}

#[tokio::test]
async fn a_cancel_that_races_with_the_end_is_the_end_or_comes_too_late() {
    let (mut house, server) = House::open().await;
    let client = house.client(&server);
    let mut chance = Chance::new();
    let (mut canceled, mut late) = (0, 0);
    let mut longest = 40;
    for round in 0..60 {
        let hook = |n: usize| {
            let id = format!("h{round}-{n}");
            let content = json!({"says": "new", "password": format!("{SECRET}new-{id}")});
            object("TRIGGER_SUBSCRIPTION", &id, &id, content)
        };
        let objects: Vec<Value> = (0..3).map(hook).collect();
        let import = send(&client, &objects).await;
        tokio::time::sleep(Duration::from_millis(chance.below(longest))).await;
        let answer = cancel(&client, &import).await;
        let job = ended(&client, "import", &import).await;
        let events = house.job_events(&import).await;
        match answer.status {
            200 => {
                canceled += 1;
                assert_eq!((&answer.json["status"], &job["status"]), (&json!("CANCELLED"), &json!("CANCELLED")));
                assert_eq!(events.last().unwrap().1, "ConfigJobCanceled");
                assert_eq!(client.get(&format!("/sp-config/import/{import}/download")).await.status, 404);
                longest += longest / 4;
            }
            409 => {
                late += 1;
                assert_eq!(job["status"], "COMPLETE");
                assert_eq!(events.last().unwrap().1, "ConfigJobCompleted");
                assert_eq!(house.caused(&import).await.len(), 3);
                longest = (longest - longest / 4).max(4);
            }
            other => panic!("{other} {}", answer.text),
        }
        house.assert_once(&import).await;
        // All three are one append: there together, with their secrets, or none of them.
        let there = house.caused(&import).await.len();
        assert!(there == 0 || there == 3, "{there}");
        if there == 3 {
            let (known, _) = house.secrets().await;
            for n in 0..3 {
                let owner = stream(ObjectType::TriggerSubscription, &format!("h{round}-{n}"));
                let has = known.keys().any(|(of, _)| *of == owner);
                assert!(has, "{round}: {events:?} left an object without its secret");
            }
        }
    }
    println!("{canceled} cancelled, {late} too late");
    assert!(canceled > 5 && late > 5, "{canceled} cancelled, {late} too late: no race");
    wait_until("no secret is on its way", async || house.secrets().await.1 == 0).await;
    house.assert_sound().await;
    assert!(server.terminate().await.0);
}
