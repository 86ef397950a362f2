//! Two servers at one database.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::house::{House, Left, ended, export, many, send};
use crate::support::configuration::object;
use crate::support::process::{Serving, wait_until};

#[tokio::test]
async fn two_servers_do_each_job_once() {
    let (mut house, first) = House::open().await;
    let second = Serving::start(&house.place).await;
    let clients = [house.client(&first), house.client(&second)];
    let mut imports = Vec::new();
    for round in 0..8 {
        let rule =
            |n: usize| object("RULE", &format!("r{round}-{n}"), &format!("r{round}-{n}"), json!({"round": round}));
        let objects: Vec<Value> = (0..250).map(rule).collect();
        imports.push(send(&clients[round % 2], &objects).await);
    }
    for (round, import) in imports.iter().enumerate() {
        // Asked of the other.
        assert_eq!(ended(&clients[(round + 1) % 2], "import", import).await["status"], "COMPLETE");
        house.assert_once(import).await;
        assert_eq!((house.claims(import).await, house.caused(import).await.len()), (1, 250));
    }
    let mut workers = Vec::new();
    for import in &imports {
        workers.push(house.job_events(import).await.pop().unwrap().2.unwrap());
    }
    for server in [&first, &second] {
        let its = format!("/{}/", server.pid());
        assert!(workers.iter().any(|worker| worker.contains(&its)), "both work: {workers:?}");
    }
    assert_eq!(export(&clients[0]).await.matches("\"round\":").count(), 2000);
    house.assert_sound().await;
    assert!(first.terminate().await.0 && second.terminate().await.0);
}

fn signal(server: &Serving, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(server.pid()).unwrap()).unwrap(), signal).unwrap();
}

/// Where a worker stands still.
#[derive(Debug, Clone, Copy)]
enum Frozen {
    /// Before the backup's end.
    Backup,
    /// Between two slices.
    Slice,
    /// Between the last slice and the end.
    End,
}

/// Stops a worker at that place until its lease is over and another has the import; then the first one wakes up.
async fn frozen(at: Frozen, expected: &Left) {
    println!("frozen at {at:?}");
    let (mut house, first) = House::open().await;
    let second = Serving::start(&house.place).await;
    let leases = house.hold("work.leases", "EXCLUSIVE").await;
    let import = send(&house.client(&first), &many()).await;
    let held = if matches!(at, Frozen::Backup) {
        let mut blobs = house.hold("evidence.blobs", "EXCLUSIVE").await;
        leases.release().await;
        blobs.wanted().await;
        blobs
    } else {
        let mut secrets = house.hold("work.config_secrets", "EXCLUSIVE").await;
        leases.release().await;
        secrets.wanted().await;
        if matches!(at, Frozen::Slice) {
            secrets
        } else {
            let mut blobs = house.hold("evidence.blobs", "EXCLUSIVE").await;
            secrets.release().await;
            blobs.wanted().await;
            blobs
        }
    };
    let worker = house.job_events(&import).await.pop().unwrap().2.unwrap();
    let is_first = worker.contains(&format!("/{}/", first.pid()));
    let (zombie, other) = if is_first { (first, second) } else { (second, first) };
    signal(&zombie, Signal::STOP);
    // The other one claims the import, and gets no further than that. (It makes the backup of its own accord, as any export.)
    let mut objects = None;
    if !matches!(at, Frozen::Backup) {
        objects = Some(house.hold("read.config_objects", "ACCESS EXCLUSIVE").await);
    }
    held.release().await;
    wait_until("the other one has it", async || house.claims(&import).await == 2).await;
    let claimed = house.job_events(&import).await.pop().unwrap();
    assert!(claimed.2.unwrap().contains(&format!("/{}/", other.pid())));
    signal(&zombie, Signal::CONT);
    // It finds out within a renewal of its lease, three seconds and a half; until then it does what it had begun.
    tokio::time::sleep(Duration::from_secs(4)).await;
    if let Some(objects) = objects {
        objects.release().await;
    }
    let left = house.left(&other, &import).await;
    left.assert_is(expected);
    let last = house.job_events(&import).await;
    assert!(last.iter().any(|(_, kind, worker)| {
        kind == "ConfigJobFailed" && worker.as_ref().unwrap().contains(&format!("/{}/", other.pid()))
    }));
    assert!(zombie.terminate().await.0 && other.terminate().await.0);
}

#[tokio::test]
async fn a_worker_that_wakes_up_after_another_took_over_appends_nothing_any_more() {
    let expected = Left::undisturbed().await;
    for at in [Frozen::Backup, Frozen::Slice, Frozen::End] {
        frozen(at, &expected).await;
    }
}
