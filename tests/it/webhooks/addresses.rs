//! Where nothing goes: loopback and private addresses, unless configured.

use muniment::app::Config;
use serde_json::{Value, json};

use super::{SECRET, attempted, make, open, shown, subscribe};
use crate::support::people::House;
use crate::support::process::{Place, run};
use crate::support::receiver::{Receiver, Reply, webhook};
use crate::support::{TestServer, cluster, id};

#[tokio::test]
async fn nothing_goes_to_addresses_that_arent_public() {
    let server = TestServer::start().await;
    let receiver = Receiver::start();
    let port = receiver.address.port();
    let mut expected = Vec::new();
    let mut subscriptions = Vec::new();
    for (number, (url, reason)) in [
        (format!("http://127.0.0.1:{port}/hook"), "127.0.0.1 is 127.0.0.1, which is loopback"),
        (format!("https://[::1]:{port}"), "[::1] is ::1, which is loopback"),
        (format!("https://localhost:{port}"), "localhost is "),
        (format!("http://LOCALHOST:{port}"), "localhost is "),
        (format!("http://0x7f.1:{port}"), "127.0.0.1 is 127.0.0.1, which is loopback"),
        (format!("http://2130706433:{port}"), "127.0.0.1 is 127.0.0.1, which is loopback"),
        (format!("http://0.0.0.0:{port}"), "0.0.0.0 is 0.0.0.0, which is unspecified"),
        (format!("http://[::ffff:127.0.0.1]:{port}"), "which is loopback"),
        ("https://[::ffff:10.0.0.1]".to_owned(), "which is private"),
        ("https://10.1.2.3".to_owned(), "which is private"),
        ("https://169.254.169.254/latest".to_owned(), "which is link-local"),
        ("https://[fd00::1]".to_owned(), "which is private"),
        ("https://[64:ff9b::7f00:1]".to_owned(), "which is loopback"),
        ("http://8.8.8.8/hook".to_owned(), "only https goes there"),
    ]
    .into_iter()
    .enumerate()
    {
        subscriptions.push(webhook(&number.to_string(), &url, SECRET, &["ApplicationCreated"]));
        expected.push(reason);
    }
    subscribe(&server, &subscriptions).await;
    make(&server, &["A"]).await;
    for (number, reason) in expected.iter().enumerate() {
        let made = attempted(&server, &number.to_string(), 1).await;
        assert_eq!((&made[0]["outcome"], &made[0]["status"]), (&json!("refused"), &Value::Null), "{number}");
        let said = made[0]["reason"].as_str().unwrap();
        assert!(said.contains(reason), "{number}: {said}");
    }
    assert_eq!(receiver.received().len(), 0);
    server.stop().await;
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let (server, receiver, elsewhere) = (open().await, Receiver::start(), Receiver::start());
    subscribe(&server, &[webhook("1", &receiver.url(), SECRET, &["ApplicationCreated"])]).await;
    receiver.reply(Reply::Elsewhere(elsewhere.url()));
    make(&server, &["A"]).await;
    let made = attempted(&server, "1", 1).await;
    assert_eq!(made[0]["reason"], "the receiver answered 302; no redirect is followed");
    server.stop().await;
    assert_eq!((receiver.received().len(), elsewhere.received().len()), (1, 0));
}

#[tokio::test]
async fn only_the_networks_that_are_configured_are_called() {
    let config = Config { webhook_networks: vec!["127.0.0.2".parse().unwrap()], ..Config::default() };
    let server = TestServer::start_with(cluster::database().await, config).await;
    let allowed = Receiver::start_at("127.0.0.2:0".parse().unwrap());
    let refused = Receiver::start();
    let both = [
        webhook("1", &allowed.url(), SECRET, &["ApplicationCreated"]),
        webhook("2", &refused.url(), SECRET, &["ApplicationCreated"]),
    ];
    subscribe(&server, &both).await;
    make(&server, &["A"]).await;
    allowed.has(1).await;
    assert_eq!(attempted(&server, "2", 1).await[0]["outcome"], "refused");
    server.stop().await;
    assert_eq!(refused.received().len(), 0);
}

#[tokio::test]
async fn the_contracts_sample_is_kept_and_its_delivery_refused_and_logged() {
    let house = House::open().await;
    let server = &house.server;
    let sample: Value = serde_json::from_str(include_str!("../../data/sp_config.json")).unwrap();
    let (job, results) = server.import_config("/sp-config/import", &sample, None).await;
    assert_eq!(job["status"], "COMPLETE");
    let infos = results["results"]["TRIGGER_SUBSCRIPTION"]["infos"].as_array().unwrap();
    assert_eq!((infos.len(), &infos[0]["key"]), (1, &json!("NOT_EXECUTABLE")));
    let kept = server.export_config(json!({"includeTypes": ["TRIGGER_SUBSCRIPTION"]})).await;
    assert_eq!(kept["objects"], sample["objects"]);
    let object = "193446a1-c431-4326-8ba7-d6eebf922948";
    assert_eq!(shown(server, object).await["pending"], Value::Null);
    let wanted = json!({"action": "Add", "identityId": house.person("Bob").await, "applicationId": id(&house.ledger), "entitlements": ["book"]});
    let asked = house.asks.post("/api/access-requests", wanted).await;
    assert_eq!(asked.status, 201, "{}", asked.text);
    let refused = attempted(server, object, 1).await;
    assert_eq!((&refused[0]["eventType"], &refused[0]["outcome"]), (&json!("AccessRequested"), &json!("refused")));
    let reason = refused[0]["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("it has no httpConfig.signingSecret, and nothing is sent unsigned; localhost is "),
        "{reason}"
    );
    assert!(reason.contains("which is loopback"), "{reason}");
    assert_eq!(shown(server, object).await["pending"]["eventType"], "AccessRequested");
    house.close().await;
}

#[tokio::test]
async fn what_cant_be_delivered_is_told_at_import_and_never_attempted() {
    let (server, receiver) = (open().await, Receiver::start());
    let with = |id: &str, field: &str, value: Value| {
        let mut subscription = webhook(id, &receiver.url(), SECRET, &["ApplicationCreated"]);
        subscription["object"][field] = value;
        subscription
    };
    let all = [
        with("1", "filter", json!("$[?(@.name == 'A')]")),
        with("2", "triggerId", json!("idn:outlier-detected")),
        with("3", "type", json!("EVENTBRIDGE")),
        with("4", "eventTypes", json!(["ApplicationCreated", "ApiTokenCreated"])),
        webhook("5", &receiver.url(), SECRET, &["ApplicationCreated"]),
    ];
    let results = subscribe(&server, &all).await;
    let infos = results["results"]["TRIGGER_SUBSCRIPTION"]["infos"].as_array().unwrap();
    let texts: Vec<&str> = infos.iter().map(|info| info["text"].as_str().unwrap()).collect();
    for (text, expected) in texts.iter().zip([
        "filters aren't evaluated",
        "idn:outlier-detected",
        "EVENTBRIDGE",
        "never leaves this system",
    ]) {
        assert!(text.contains("is kept, but not executed here: ") && text.contains(expected), "{text}");
    }
    assert_eq!(texts.len(), 4);
    make(&server, &["A"]).await;
    receiver.has(1).await;
    for number in ["1", "2", "3", "4"] {
        let webhook = shown(&server, number).await;
        assert!(webhook["problem"].is_string() && webhook["pending"].is_null(), "{webhook}");
        assert_eq!(super::attempts(&server, number).await.len(), 0);
    }
    let exported = server.export_config(json!({"includeTypes": ["TRIGGER_SUBSCRIPTION"]})).await;
    assert_eq!(exported["objects"].as_array().unwrap().len(), 5);
    server.stop().await;
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn options_that_are_wrong_are_told_at_the_start() {
    let place = Place::of(&cluster::options().await);
    for (arguments, expected) in [
        (["--webhook-allow", "10.0.0.0/33"], "\"10.0.0.0/33\" is no network; 10.1.0.0/16, "),
        (["--webhook-allow", "10.1.2.3/8"], "\"10.1.2.3/8\" has bits set after its first 8"),
        (["--webhook-ca", "/nowhere.pem"], "can't use /nowhere.pem as --webhook-ca"),
        (["--webhook-ca", "/dev/null"], "it holds no certificate"),
    ] {
        let said = run(&["serve", "--listen", "127.0.0.1:0"], &place, &arguments).await;
        assert!(!said.success && said.errors.contains(expected), "{arguments:?}: {said:?}");
    }
}
