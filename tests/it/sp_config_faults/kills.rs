//! kill -9 while an import is at work.

use std::time::Duration;

use serde_json::json;

use super::house::{COUNT, Chance, House, Left, ended, export, many, send};
use crate::support::configuration::object;
use crate::support::process::{Serving, wait_until};

/// Where an import is when its server is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// The backup is begun, and its file isn't kept yet.
    Backup,
    /// The first slice is on its way, not committed.
    Slice,
    /// The first slice is imported, its secrets aren't taken.
    Secrets,
    /// All slices are imported, the results aren't kept.
    End,
}

/// Has an import begun, and its server killed at this moment; the import.
async fn killed_at(moment: Moment, house: &mut House, server: Serving) -> String {
    let leases = house.hold("work.leases", "EXCLUSIVE").await;
    let import = send(&house.client(&server), &many()).await;
    match moment {
        Moment::Backup => {
            let mut blobs = house.hold("evidence.blobs", "EXCLUSIVE").await;
            leases.release().await;
            blobs.wanted().await;
            assert_eq!(house.caused(&import).await, []);
            server.kill().await;
            blobs.release().await;
        }
        Moment::Slice => {
            house.slow_down().await;
            leases.release().await;
            let sleeps = "SELECT count(*) > 0 FROM pg_stat_activity
                          WHERE wait_event = 'PgSleep' AND datname = current_database()";
            wait_until("a slice is on its way", async || {
                sqlx::query_scalar(sleeps).fetch_one(&mut house.connection).await.unwrap()
            })
            .await;
            assert_eq!(house.caused(&import).await, []);
            server.kill().await;
            house.speed_up().await;
        }
        Moment::Secrets | Moment::End => {
            let mut secrets = house.hold("work.config_secrets", "EXCLUSIVE").await;
            leases.release().await;
            secrets.wanted().await;
            let imported = house.caused(&import).await.len();
            assert!((1..=200).contains(&imported), "{imported}");
            if matches!(moment, Moment::Secrets) {
                server.kill().await;
                secrets.release().await;
            } else {
                let mut blobs = house.hold("evidence.blobs", "EXCLUSIVE").await;
                secrets.release().await;
                blobs.wanted().await;
                server.kill().await;
                blobs.release().await;
            }
        }
    }
    import
}

#[tokio::test]
async fn an_import_killed_at_any_of_its_steps_leaves_what_one_leaves_that_was_not() {
    let expected = Left::undisturbed().await;
    for moment in [Moment::Backup, Moment::Slice, Moment::Secrets, Moment::End] {
        println!("killed at {moment:?}");
        let (mut house, server) = House::open().await;
        let import = killed_at(moment, &mut house, server).await;
        house.expire_leases().await;
        let server = Serving::start(&house.place).await;
        let left = house.left(&server, &import).await;
        assert_eq!(house.claims(&import).await, 2);
        left.assert_is(&expected);
        assert!(server.terminate().await.0);
    }
}

#[tokio::test]
async fn an_import_killed_at_random_moments_leaves_what_one_leaves_that_was_not() {
    let expected = Left::undisturbed().await;
    let mut chance = Chance::new();
    let (mut house, mut server) = House::open().await;
    house.slow_down().await;
    let import = send(&house.client(&server), &many()).await;
    for _ in 0..3 {
        // Within the first half of what is left to be done, between two slices or amid one.
        let so_far = house.caused(&import).await.len();
        let further = chance.below((COUNT - so_far) as u64 / 2) as usize;
        house.amid(&import, (so_far + further).min(COUNT * 3 / 4)).await;
        tokio::time::sleep(Duration::from_millis(chance.below(400))).await;
        server.kill().await;
        house.expire_leases().await;
        server = Serving::start(&house.place).await;
    }
    house.speed_up().await;
    let left = house.left(&server, &import).await;
    let claims = house.claims(&import).await;
    left.assert_is(&expected);
    assert!(server.terminate().await.0);
    assert!(claims > 1, "no kill was felt");
}

#[tokio::test]
async fn of_two_servers_the_other_finishes_a_dead_ones_import_when_its_lease_is_over() {
    let expected = Left::undisturbed().await;
    let (mut house, first) = House::open().await;
    let second = Serving::start(&house.place).await;
    house.slow_down().await;
    let import = send(&house.client(&first), &many()).await;
    house.amid(&import, 400).await;
    let worker = house.job_events(&import).await.pop().unwrap().2.unwrap();
    let is_first = worker.contains(&format!("/{}/", first.pid()));
    assert!(is_first || worker.contains(&format!("/{}/", second.pid())), "{worker}");
    let (dead, alive) = if is_first { (first, second) } else { (second, first) };
    dead.kill().await;
    house.speed_up().await;
    let left = house.left(&alive, &import).await;
    assert_eq!(house.claims(&import).await, 2);
    left.assert_is(&expected);
    assert!(alive.terminate().await.0);
}

/// An object's old name leads to it, also when the attempt before has given it a new one.
#[tokio::test]
async fn references_by_names_that_the_import_itself_changes_lead_there_after_a_kill() {
    let (mut house, server) = House::open().await;
    let client = house.client(&server);
    let old = [object("CONNECTOR_RULE", "renamed", "Old", json!({}))];
    let import = send(&client, &old).await;
    assert_eq!(ended(&client, "import", &import).await["status"], "COMPLETE");
    let mut objects = vec![object("CONNECTOR_RULE", "renamed", "New", json!({}))];
    objects.extend((0..400).map(|n| object("CONNECTOR_RULE", &format!("c{n}"), &format!("c{n}"), json!({}))));
    let by_name = json!({"type": "CONNECTOR_RULE", "name": "Old"});
    objects.push(object("CONNECTOR_RULE", "refers", "Refers", json!({"to": by_name})));
    house.slow_down().await;
    let import = send(&client, &objects).await;
    house.amid(&import, 200).await;
    server.kill().await;
    assert!(house.caused(&import).await.len() < 402, "it was too fast to be interrupted");
    house.speed_up().await;
    house.expire_leases().await;
    let server = Serving::start(&house.place).await;
    let client = house.client(&server);
    let job = ended(&client, "import", &import).await;
    let results = client.get(&format!("/sp-config/import/{import}/download")).await;
    assert_eq!(job["status"], "COMPLETE", "{}", results.json["results"]["CONNECTOR_RULE"]["errors"]);
    let exported = export(&client).await;
    assert!(exported.contains(r#""to":{"id":"renamed","name":"New","type":"CONNECTOR_RULE"}"#), "{exported}");
    house.assert_once(&import).await;
    let restored = client.post(&format!("/api/config-imports/{import}/restore"), json!({})).await;
    assert_eq!(restored.status, 200, "{}", restored.text);
    assert!(export(&client).await.contains(r#""name":"Old""#));
    assert!(server.terminate().await.0);
}
