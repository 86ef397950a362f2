//! What isn't taken is tried again, later and later.

use chrono::{DateTime, TimeDelta, Utc};
use muniment::clock::Clock;
use serde_json::{Value, json};

use super::{SECRET, attempted, attempts, make, names, open, shown, subscribe};
use crate::support::TestServer;
use crate::support::receiver::{Receiver, Reply, webhook};

/// Seconds until a webhook's pending event is tried again.
fn waits(server: &TestServer, webhook: &Value) -> f64 {
    let next: DateTime<Utc> = webhook["nextAttemptAt"].as_str().unwrap().parse().unwrap();
    (next - server.clock.now()).as_seconds_f64()
}

#[tokio::test]
async fn a_receiver_that_fails_gets_the_same_event_until_it_takes_it_and_holds_up_nobody() {
    let (server, receiver, witness) = (open().await, Receiver::start(), Receiver::start());
    let both = [
        webhook("1", &receiver.url(), SECRET, &["ApplicationCreated"]),
        webhook("2", &witness.url(), SECRET, &["ApplicationCreated"]),
    ];
    subscribe(&server, &both).await;
    for reply in [Reply::Status(500), Reply::Status(404), Reply::After("120"), Reply::Status(410)] {
        receiver.reply(reply);
    }
    make(&server, &["A"]).await;
    for (failures, (reason, waited)) in [
        ("answered 500", 1.0..=1.25),
        ("answered 404", 2.0..=2.5),
        ("answered 503", 120.0..=120.0),
        ("answered 410", 8.0..=10.0),
    ]
    .into_iter()
    .enumerate()
    {
        attempted(&server, "1", failures + 1).await;
        let webhook = shown(&server, "1").await;
        assert!(webhook["reason"].as_str().unwrap().ends_with(reason), "{webhook}");
        assert_eq!(
            (&webhook["failures"], &webhook["pending"]["eventType"]),
            (&json!(failures + 1), &json!("ApplicationCreated"))
        );
        assert!(waited.contains(&waits(&server, &webhook)), "{webhook}");
        if failures == 2 {
            // Not yet: others are looked at meanwhile, so this one was, too.
            server.clock.advance(TimeDelta::seconds(119));
            make(&server, &["B", "C"]).await;
            witness.has(3).await;
            assert_eq!(receiver.received().len(), 3);
            server.clock.advance(TimeDelta::seconds(1));
        } else {
            server.clock.advance(TimeDelta::seconds(10));
        }
    }
    let received = receiver.has(7).await;
    assert_eq!(names(&received), ["A", "A", "A", "A", "A", "B", "C"]);
    let first: Vec<(&str, &[u8])> =
        received[..5].iter().map(|request| (request.header("webhook-id"), &*request.body)).collect();
    assert!(first.iter().all(|request| *request == first[0]), "an attempt is the same message");
    assert_ne!(received[0].header("webhook-timestamp"), received[4].header("webhook-timestamp"), "signed anew");
    assert!(received.iter().all(|request| request.is_signed_with(SECRET)));
    let log = attempted(&server, "1", 7).await;
    let outcomes: Vec<(&str, i64)> = log
        .iter()
        .rev()
        .map(|attempt| (attempt["outcome"].as_str().unwrap(), attempt["status"].as_i64().unwrap()))
        .collect();
    let failed = [500, 404, 503, 410].map(|status| ("failed", status));
    assert_eq!(outcomes, [failed.as_slice(), &[("delivered", 204); 3]].concat());
    assert_eq!(names(&witness.received()), ["A", "B", "C"]);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_receiver_that_isnt_there_or_says_nothing_gets_it_when_it_is_back() {
    let server = open().await;
    let address = Receiver::start().address;
    let silent = Receiver::start();
    silent.reply(Reply::Silence);
    let both = [
        webhook("1", &format!("http://{address}"), SECRET, &["ApplicationCreated"]),
        webhook("2", &silent.url(), SECRET, &["ApplicationCreated"]),
    ];
    // Until the receiver's end is felt, its port answers.
    crate::support::eventually("nobody listens", async || std::net::TcpStream::connect(address).is_err().then_some(()))
        .await;
    subscribe(&server, &both).await;
    make(&server, &["A"]).await;
    let failed = attempted(&server, "1", 1).await;
    assert!(failed[0]["reason"].as_str().unwrap().starts_with(&format!("can't connect to {address}")), "{failed:?}");
    assert_eq!(failed[0]["status"], Value::Null);
    let failed = attempted(&server, "2", 1).await;
    assert_eq!(failed[0]["reason"], "no answer within 10 seconds");
    let back = Receiver::start_at(address);
    server.clock.advance(TimeDelta::seconds(2));
    assert_eq!(names(&back.has(1).await), ["A"]);
    assert_eq!(names(&silent.has(2).await), ["A", "A"]);
    server.stop().await;
}

#[tokio::test]
async fn a_failure_that_is_told_late_changes_nothing_of_who_is_further_on() {
    let (server, receiver) = (open().await, Receiver::start());
    subscribe(&server, &[webhook("1", &receiver.url(), SECRET, &["ApplicationCreated"])]).await;
    make(&server, &["A"]).await;
    attempted(&server, "1", 1).await;
    receiver.reply(Reply::Silence);
    make(&server, &["B"]).await;
    let position = receiver.has(2).await[1].position();
    // As if another server had got the lease meanwhile, and delivered it.
    sqlx::query("UPDATE work.webhook_cursors SET position = $2 WHERE subscription_id = $1::uuid")
        .bind(shown(&server, "1").await["id"].as_str())
        .bind(position)
        .execute(&server.server.app.pool)
        .await
        .unwrap();
    let made = attempted(&server, "1", 2).await;
    assert_eq!((&made[0]["outcome"], &made[0]["position"]), (&json!("failed"), &json!(position)));
    let webhook = shown(&server, "1").await;
    assert_eq!((&webhook["failures"], &webhook["reason"]), (&json!(0), &Value::Null));
    assert_eq!((&webhook["position"], &webhook["pending"]), (&json!(position), &Value::Null));
    make(&server, &["C"]).await;
    assert_eq!(names(&receiver.has(3).await), ["A", "B", "C"]);
    server.stop().await;
}

#[tokio::test]
async fn the_log_of_attempts_keeps_the_last_thousand() {
    let (server, receiver) = (open().await, Receiver::start());
    subscribe(&server, &[webhook("1", &receiver.url(), SECRET, &["ApplicationCreated"])]).await;
    make(&server, &["A"]).await;
    attempted(&server, "1", 1).await;
    let pool = &server.server.app.pool;
    let id = shown(&server, "1").await["id"].as_str().unwrap().to_owned();
    // As if it had been at it for long.
    sqlx::query("UPDATE work.webhook_cursors SET attempts = 1000 WHERE subscription_id = $1::uuid")
        .bind(&id)
        .execute(pool)
        .await
        .unwrap();
    make(&server, &["B"]).await;
    receiver.has(2).await;
    let kept = crate::support::eventually("B is in the log", async || {
        let kept = attempts(&server, "1").await;
        (kept[0]["number"] == 1001).then_some(kept)
    })
    .await;
    assert_eq!(kept.len(), 1, "{kept:?}");
    let now = server.clock.now();
    muniment::webhooks::tidy(pool, now + TimeDelta::days(29)).await.unwrap();
    assert_eq!(attempts(&server, "1").await.len(), 1);
    muniment::webhooks::tidy(pool, now + TimeDelta::days(31)).await.unwrap();
    assert_eq!(attempts(&server, "1").await.len(), 0);
    make(&server, &["C"]).await;
    assert_eq!(names(&receiver.has(3).await), ["A", "B", "C"], "the cursor stays");
    server.stop().await;
}
