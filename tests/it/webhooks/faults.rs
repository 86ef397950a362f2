//! Several servers, and servers that are killed.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sqlx::{ConnectOptions, Executor};

use super::{SECRET, attempted, attempts, loopback, make, names, open, shown, subscribe};
use crate::support::bodies::grants_only;
use crate::support::configuration::file;
use crate::support::process::{Folder, Serving, wait_until};
use crate::support::receiver::{Receiver, Reply, webhook};
use crate::support::{Client, eventually, id};

#[tokio::test]
async fn two_servers_deliver_each_event_once_and_one_goes_on_without_the_other() {
    let (server, receiver) = (open().await, Receiver::start());
    let beside = server.start_beside_with(loopback()).await;
    subscribe(&server, &[webhook("1", &receiver.url(), SECRET, &["ApplicationCreated"])]).await;
    let mut all: Vec<String> = (0..40).map(|number| format!("App {number}")).collect();
    for (number, name) in all.iter().enumerate() {
        make(if number % 2 == 0 { &server } else { &beside }, &[name]).await;
    }
    assert_eq!(names(&receiver.has(40).await), all);
    server.stop().await;
    make(&beside, &["Later"]).await;
    all.push("Later".to_owned());
    assert_eq!(names(&receiver.has(41).await), all);
    beside.stop().await;
    assert_eq!(receiver.received().len(), 41);
}

#[tokio::test]
async fn a_server_that_is_stopped_ends_the_request_on_its_way_and_the_next_goes_on_there() {
    let (server, receiver) = (open().await, Receiver::start());
    subscribe(&server, &[webhook("1", &receiver.url(), SECRET, &["ApplicationCreated"])]).await;
    make(&server, &["A", "B", "C", "D", "E"]).await;
    receiver.has(1).await;
    let beside = server.start_beside_with(loopback()).await;
    server.stop().await;
    make(&beside, &["F"]).await;
    let received = receiver.has(6).await;
    assert_eq!(names(&received), ["A", "B", "C", "D", "E", "F"], "each once");
    beside.stop().await;
}

#[tokio::test]
async fn a_history_that_cant_be_read_stops_no_other_webhook() {
    let (server, receiver) = (open().await, Receiver::start());
    let both = ["1", "2"].map(|id| webhook(id, &receiver.url(), SECRET, &["ApplicationCreated"]));
    subscribe(&server, &both).await;
    let unreadable = shown(&server, "1").await;
    let mut superuser = server.database.connect_owner().await.unwrap();
    let tamper = format!(
        "ALTER TABLE journal.events DISABLE TRIGGER append_only;
         UPDATE journal.events SET payload = '{{\"Unheard\":{{}}}}' WHERE aggregate_type = 'config_object' AND aggregate_id = '{}';
         ALTER TABLE journal.events ENABLE TRIGGER append_only",
        id(&unreadable)
    );
    superuser.execute(tamper.as_str()).await.unwrap();
    // One that hasn't read it before.
    let beside = server.start_beside_with(loopback()).await;
    server.stop().await;
    make(&beside, &["A"]).await;
    assert!(receiver.has(1).await[0].is_signed_with(SECRET));
    let webhook = shown(&beside, "1").await;
    assert!(webhook["problem"].as_str().unwrap().starts_with("its history can't be read: event "), "{webhook}");
    attempted(&beside, "2", 1).await;
    assert_eq!(attempts(&beside, "1").await.len(), 0);
    beside.stop().await;
    assert_eq!(receiver.received().len(), 1);
}

/// Imports a file through a server of its own process.
async fn import(client: &Client, data: &Value) {
    let form = reqwest::multipart::Form::new().text("data", data.to_string());
    let answer = client.send(client.request(reqwest::Method::POST, "/sp-config/import").multipart(form)).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let path = format!("/sp-config/import/{}", answer.json["jobId"].as_str().unwrap());
    eventually("the import ends", async || (client.get(&path).await.json["status"] == "COMPLETE").then_some(())).await;
}

#[tokio::test]
async fn every_event_arrives_though_servers_are_killed() {
    let (folder, receiver) = (Folder::new(), Receiver::start());
    let place = folder.place();
    let arguments = ["--webhook-allow", "127.0.0.0/8"];
    let mut server = Serving::start_with(&place, &arguments).await;
    let secret = server.first_token().await;
    import(&server.client(&secret), &file(&[webhook("1", &receiver.url(), SECRET, &["ApplicationCreated"])])).await;
    let mut made: Vec<String> = Vec::new();
    for round in 0..3 {
        // Some wait for another attempt when it dies, others are on their way.
        receiver.reply(Reply::Status(200));
        receiver.reply(Reply::Status(500));
        let client = server.client(&secret);
        for number in 0..12 {
            let name = format!("App {round}-{number}");
            let answer = client.post("/api/applications", grants_only(&name)).await;
            assert_eq!(answer.status, 201, "{}", answer.text);
            made.push(name);
        }
        let before = receiver.received().len();
        wait_until("some arrive", async || receiver.received().len() > before + round).await;
        server.kill().await;
        server = Serving::start_with(&place, &arguments).await;
    }
    let received = receiver.has_messages(made.len()).await;
    assert!(received.iter().all(|request| request.is_signed_with(SECRET)));
    let mut first: Vec<(i64, String)> = Vec::new();
    let mut bodies: BTreeMap<i64, (String, Vec<u8>)> = BTreeMap::new();
    for request in &received {
        let (position, message) =
            (request.position(), (request.header("webhook-id").to_owned(), request.body.to_vec()));
        if let Some(known) = bodies.insert(position, message.clone()) {
            assert_eq!(known, message, "what comes again is the same message");
        } else {
            first.push((position, names(std::slice::from_ref(request)).remove(0)));
        }
    }
    assert!(first.is_sorted(), "in the order of the log");
    assert_eq!(first.into_iter().map(|(_, name)| name).collect::<Vec<_>>(), made, "every one");
    let client = server.client(&secret);
    eventually("nothing waits", async || {
        let webhook = client.get("/api/webhooks").await.json["items"][0].clone();
        (webhook["pending"] == json!(null) && webhook["failures"] == 0).then_some(())
    })
    .await;
    let mut connection = folder.options().connect().await.unwrap();
    let lost: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM journal.events AS e WHERE event_type = 'ApplicationCreated' AND NOT EXISTS (
             SELECT FROM work.webhook_deliveries AS d WHERE d.position = e.position AND d.outcome = 'delivered')",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(lost, 0);
    assert!(server.terminate().await.0);
}
