//! What arrives.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{SECRET, attempts, loopback, make, names, open, shown, subscribe};
use crate::support::bodies::{GRANTS, grants_only};
use crate::support::receiver::{Certificate, Receiver, Reply, webhook};
use crate::support::{TestServer, cluster, eventually, id};

#[tokio::test]
async fn events_arrive_signed_in_order_and_once() {
    let (server, receiver) = (open().await, Receiver::start());
    make(&server, &["Before"]).await;
    subscribe(&server, &[webhook("1", &receiver.url(), SECRET, &["ApplicationCreated"])]).await;
    let all: Vec<String> = (0..30).map(|number| format!("App {number}")).collect();
    make(&server, &all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let received = receiver.has(30).await;
    assert_eq!(names(&received), all, "what was there before isn't delivered, the rest is, in order");
    let ids: HashSet<&str> = received.iter().map(|request| request.header("webhook-id")).collect();
    assert_eq!(ids.len(), 30);
    for request in &received {
        assert!(request.is_signed_with(SECRET));
        assert_eq!(request.header("content-type"), "application/json");
        assert_eq!((request.path.as_str(), request.header("authorization")), ("/hook", ""));
        // The test's clock stands still at 2026-03-15 12:00.
        assert_eq!(request.header("webhook-timestamp"), "1773576000");
    }
    let last = received.last().unwrap();
    let item =
        server.client.get(&format!("/api/events?afterPosition={}", last.position() - 1)).await.json["items"][0].clone();
    let expected = json!({"type": "ApplicationCreated", "timestamp": item["recordedAt"], "data": item});
    assert_eq!(last.json(), expected, "the body wraps the event as the audit trail shows it");
    let webhook = eventually("all is delivered", async || {
        let webhook = shown(&server, "1").await;
        (webhook["position"] == last.position()).then_some(webhook)
    })
    .await;
    assert_eq!(
        (&webhook["pending"], &webhook["problem"], &webhook["failures"]),
        (&Value::Null, &Value::Null, &json!(0))
    );
    assert_eq!((&webhook["isEnabled"], &webhook["eventTypes"]), (&json!(true), &json!(["ApplicationCreated"])));
    let log = attempts(&server, "1").await;
    assert_eq!(log.len(), 30);
    assert_eq!(
        (&log[0]["outcome"], &log[0]["status"], &log[0]["number"]),
        (&json!("delivered"), &json!(204), &json!(30))
    );
    assert_eq!(log[0]["messageId"], last.header("webhook-id"));
    assert_eq!(log[29]["position"], received[0].position());
    server.assert_verified().await;
    server.stop().await;
    assert_eq!(receiver.received().len(), 30);
}

#[tokio::test]
async fn triggers_of_sailpoint_mean_events_of_ours() {
    let (server, receiver) = (open().await, Receiver::start());
    let subscription = |id: &str, trigger: &str| {
        let mut subscription = webhook(id, &receiver.url(), SECRET, &[]);
        subscription["object"]["triggerId"] = json!(trigger);
        subscription["object"]["httpConfig"]["url"] = json!(format!("{}/{id}?as=is", receiver.url()));
        subscription
    };
    let triggers = [
        subscription("created", "idn:source-created"),
        subscription("updated", "idn:source-updated"),
        subscription("imported", "idn:account-aggregation-completed"),
    ];
    subscribe(&server, &triggers).await;
    let app = server.create(grants_only("Payroll")).await;
    server.import(&app, "grants", GRANTS).await;
    server.client.put(&format!("/api/applications/{}", id(&app)), grants_only("Payroll 2")).await;
    let mut received: Vec<String> = receiver
        .has(3)
        .await
        .iter()
        .map(|request| format!("{} {}", request.path, request.json()["type"].as_str().unwrap()))
        .collect();
    received.sort();
    let expected = [
        "/hook/created?as=is ApplicationCreated",
        "/hook/imported?as=is ImportFinished",
        "/hook/updated?as=is ApplicationUpdated",
    ];
    assert_eq!(received, expected);
    server.stop().await;
}

#[tokio::test]
async fn an_answer_of_any_length_is_an_answer() {
    let (server, receiver) = (open().await, Receiver::start());
    subscribe(&server, &[webhook("1", &receiver.url(), SECRET, &["ApplicationCreated"])]).await;
    for bytes in [1, 4096, 50_000_000] {
        receiver.reply(Reply::Long(bytes));
    }
    make(&server, &["A", "B", "C", "D"]).await;
    assert_eq!(names(&receiver.has(4).await), ["A", "B", "C", "D"]);
    server.stop().await;
}

#[tokio::test]
async fn receivers_with_a_certificate_of_ones_own_are_trusted_if_configured() {
    let folder = std::env::temp_dir().join(format!("muniment-webhooks-{}", muniment::tokens::new_secret().unwrap()));
    std::fs::create_dir(&folder).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certificate = Certificate::new(&folder).await;
    let receiver = Receiver::start_tls(&certificate).await;
    let url = format!("https://localhost:{}/hook", receiver.address.port());
    let stranger = open().await;
    subscribe(&stranger, &[webhook("1", &url, SECRET, &["ApplicationCreated"])]).await;
    make(&stranger, &["A"]).await;
    let refused = super::attempted(&stranger, "1", 1).await;
    let expected = "TLS failed: nobody who is trusted issued the certificate; --webhook-ca would trust others";
    assert_eq!(refused[0]["reason"], expected);
    stranger.stop().await;
    assert_eq!(receiver.received().len(), 0);
    let config = muniment::app::Config { webhook_authorities: Some(certificate.certificate.clone()), ..loopback() };
    let server = TestServer::start_with(cluster::database().await, config).await;
    let misnamed = webhook("2", &url.replace("localhost", "127.0.0.1"), SECRET, &["ApplicationCreated"]);
    subscribe(&server, &[webhook("1", &url, SECRET, &["ApplicationCreated"]), misnamed]).await;
    make(&server, &["A", "B"]).await;
    let refused = super::attempted(&server, "2", 1).await;
    assert_eq!(refused[0]["reason"], "TLS failed: the certificate is for another name");
    let received = receiver.has(2).await;
    assert_eq!(names(&received), ["A", "B"]);
    assert!(received.iter().all(|request| request.is_signed_with(SECRET)));
    assert_eq!(received[0].header("host"), format!("localhost:{}", receiver.address.port()));
    server.stop().await;
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn who_may_look() {
    use aggregates::api_token::Role;
    let server = open().await;
    let url = "https://example.com/hook?token=t0ken#part";
    let results = subscribe(&server, &[webhook("1", url, SECRET, &["ApplicationCreated"])]).await;
    assert_eq!(results["results"]["TRIGGER_SUBSCRIPTION"]["infos"], json!([]));
    let reader = server.client_as("reader", Role::Reader).await;
    assert_eq!(reader.get("/api/webhooks").await.status, 403);
    let auditor = server.client_as("auditor", Role::Auditor).await;
    let webhook = auditor.get("/api/webhooks").await.json["items"][0].clone();
    assert_eq!((&webhook["name"], &webhook["url"]), (&json!("hook 1"), &json!("https://example.com/hook")));
    let path = format!("/api/webhooks/{}/deliveries", id(&webhook));
    assert_eq!(auditor.get(&path).await.json["totalCount"], 0);
    assert_eq!(auditor.get("/api/webhooks/018f0000-0000-7000-8000-00000000dead/deliveries").await.status, 404);
    assert_eq!(auditor.get(&format!("{path}?page=0")).await.violation().0, "page");
    server.stop().await;
}
