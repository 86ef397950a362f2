//! What was switched off, changed or deleted.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{SECRET, attempted, make, names, open, shown, subscribe};
use crate::support::configuration::file;
use crate::support::receiver::{Receiver, Reply, webhook};

fn switched(subscription: &Value, enabled: bool) -> Value {
    let mut subscription = subscription.clone();
    subscription["object"]["enabled"] = json!(enabled);
    subscription
}

#[tokio::test]
async fn what_happens_while_it_is_off_is_never_delivered() {
    let (server, receiver, witness) = (open().await, Receiver::start(), Receiver::start());
    let hook = webhook("1", &receiver.url(), SECRET, &["ApplicationCreated"]);
    let always = webhook("2", &witness.url(), SECRET, &["ApplicationCreated"]);
    subscribe(&server, &[hook.clone(), always]).await;
    make(&server, &["A"]).await;
    receiver.has(1).await;
    subscribe(&server, &[switched(&hook, false)]).await;
    make(&server, &["B"]).await;
    witness.has(2).await;
    assert_eq!(shown(&server, "1").await["isEnabled"], false);
    subscribe(&server, &[switched(&hook, true)]).await;
    make(&server, &["C"]).await;
    assert_eq!(names(&receiver.has(2).await), ["A", "C"]);
    assert_eq!(names(&witness.has(3).await), ["A", "B", "C"]);
    server.stop().await;
}

#[tokio::test]
async fn what_waits_for_one_that_is_switched_off_or_deleted_isnt_sent_any_more() {
    let (server, receiver, witness) = (open().await, Receiver::start(), Receiver::start());
    let off = webhook("1", &receiver.url(), SECRET, &["ApplicationCreated"]);
    let always = webhook("2", &witness.url(), SECRET, &["ApplicationCreated"]);
    subscribe(&server, &[off.clone(), always]).await;
    let gone = webhook("3", &receiver.url(), SECRET, &["ApplicationCreated"]);
    let (job, _) = server.import_config("/sp-config/import", &file(&[gone]), None).await;
    for _ in 0..2 {
        receiver.reply(Reply::Status(500));
    }
    make(&server, &["A"]).await;
    attempted(&server, "1", 1).await;
    attempted(&server, "3", 1).await;
    subscribe(&server, &[switched(&off, false)]).await;
    let restore = format!("/api/config-imports/{}/restore", job["jobId"].as_str().unwrap());
    assert_eq!(server.client.post(&restore, json!({})).await.status, 200);
    server.clock.advance(TimeDelta::hours(2));
    make(&server, &["B"]).await;
    witness.has(2).await;
    let all = server.items("/api/webhooks").await;
    assert_eq!(all.len(), 2);
    assert!(shown(&server, "1").await["nextAttemptAt"].is_null());
    server.stop().await;
    assert_eq!(receiver.received().len(), 2);
}

#[tokio::test]
async fn a_change_takes_effect_at_once_and_loses_nothing_that_waits() {
    let (server, broken, receiver) = (open().await, Receiver::start(), Receiver::start());
    for _ in 0..9 {
        broken.reply(Reply::Status(500));
    }
    let at = |url: &str, types: &[&str]| webhook("1", url, SECRET, types);
    subscribe(&server, &[at(&broken.url(), &["ApplicationCreated"])]).await;
    make(&server, &["A", "B"]).await;
    attempted(&server, "1", 1).await;
    // The clock stands still, so nothing would be tried again.
    subscribe(&server, &[at(&receiver.url(), &["ApplicationCreated", "ConfigJobCompleted"])]).await;
    let received = receiver.has(3).await;
    let types: Vec<Value> = received.iter().map(|request| request.json()["type"].clone()).collect();
    assert_eq!(types, ["ApplicationCreated", "ApplicationCreated", "ConfigJobCompleted"]);
    assert_eq!(names(&received[..2]), ["A", "B"], "what was asked for before still comes");
    let job = server.client.get(&format!("/api/events?afterPosition={}", received[2].position() - 1)).await.json;
    assert_eq!(job["items"][0]["eventType"], "ConfigJobCompleted", "what is new is that of its own import");
    assert_eq!(received.len(), 3);
    server.stop().await;
    assert_eq!(broken.received().len(), 1);
}
