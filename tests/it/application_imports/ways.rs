//! One file, every way in (rulings 14): the same events but for actor, type, ids and times.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::bodies::grants_only;
use crate::support::process::{Place, succeed};
use crate::support::{TestServer, eventually, file_group, id};

const FEED: &str = "user,permission\nann,read\nann,write\nbo,read\nbo,read\n,write\n";

/// What an import said, without what differs by its way in.
async fn told(server: &TestServer, import: &str) -> Vec<String> {
    let events: Vec<(String, String)> = sqlx::query_as(
        "SELECT event_type, payload::text FROM journal.events
         WHERE (aggregate_id = $1 AND event_type NOT IN ('ImportStaged', 'ImportFilesKept', 'ImportClaimed'))
         OR payload -> event_type ->> 'import' = $1",
    )
    .bind(import)
    .fetch_all(&server.server.app.pool)
    .await
    .unwrap();
    let mut told: Vec<String> = events
        .into_iter()
        .map(|(event_type, payload)| {
            let mut payload: Value = serde_json::from_str(&payload).unwrap();
            let fields = payload[&event_type].as_object_mut().unwrap();
            fields.remove("import");
            fields.remove("applicationId");
            // So are the grants of one account.
            for entries in fields.values_mut().filter_map(Value::as_array_mut) {
                entries.sort_by_key(Value::to_string);
            }
            format!("{event_type} {payload}")
        })
        .collect();
    // Accounts are changed in the order of their ids, which follow from the application.
    told.sort_unstable();
    told
}

/// The actor, the type and the files of an import.
async fn origin(server: &TestServer, import: &str) -> (String, Value, Value) {
    let detail = server.client.get(&format!("/api/application-imports/{import}")).await.json;
    let trail = server.client.get(&format!("/api/events?aggregateId={import}&limit=1")).await.json;
    let actor = trail["items"][0]["actor"]["type"].as_str().unwrap().to_owned();
    (actor, detail["type"].clone(), detail["metrics"].clone())
}

#[tokio::test]
async fn one_file_gives_the_same_events_whichever_way_it_comes() {
    let server = TestServer::start().await;
    server.share("grants.csv", FEED);
    let mut found = Vec::new();

    let uploaded = server.create(grants_only("Uploaded")).await;
    found.push(id(&server.import(&uploaded, "grants", FEED).await).to_owned());

    let staged = server.create(grants_only("Staged")).await;
    assert_eq!(server.schedule(&staged, &[("grants", "grants.csv")]).await.status, 200);
    found.push(id(&server.ended(&server.stage(&staged).await.json).await).to_owned());

    let scheduled = server.create(grants_only("Scheduled")).await;
    let files = json!([{"fileGroupId": file_group(&scheduled, "grants"), "path": "grants.csv"}]);
    let schedule = json!({"cron": "0 * * * *", "timezone": "UTC", "files": files});
    let path = format!("/api/applications/{}/import-schedule", id(&scheduled));
    assert_eq!(server.client.put(&path, schedule).await.status, 200);
    server.clock.advance(TimeDelta::hours(1));
    let fired = eventually("the schedule fires", async || {
        let imports = server.items("/api/application-imports").await;
        imports.into_iter().find(|import| import["application"]["id"] == scheduled["id"])
    })
    .await;
    found.push(id(&server.ended(&fired).await).to_owned());

    let manual = server.create(grants_only("Manual")).await;
    let path = server.shared.join("grants.csv").display().to_string();
    let place = Place::of(&server.database.application());
    let said = succeed(&["import"], &place, &["--application", "Manual", &path]).await;
    assert!(said.contains("grants: 3 added"), "{said}");
    let imports = server.items("/api/application-imports").await;
    let import = imports.iter().find(|import| import["application"]["id"] == manual["id"]).unwrap();
    found.push(id(import).to_owned());

    let expected = told(&server, &found[0]).await;
    assert!(expected.len() > 5, "{expected:?}");
    for (import, origins) in
        found.iter().zip([("token", "API"), ("token", "API"), ("system", "Scheduled"), ("cli", "Manual")])
    {
        assert_eq!(told(&server, import).await, expected);
        let (actor, import_type, metrics) = origin(&server, import).await;
        assert_eq!((actor.as_str(), import_type.as_str().unwrap()), origins);
        assert_eq!((&metrics["duplicates"], &metrics["rowsRejected"]), (&json!(1), &json!(1)));
    }
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_file_that_still_grows_is_not_read() {
    let config = muniment::app::Config { quiet_period: std::time::Duration::from_millis(400), ..Default::default() };
    let server = TestServer::start_with(crate::support::cluster::database().await, config).await;
    let application = server.create(grants_only("Payroll")).await;
    server.share("grants.csv", "user,permission\nann,read\n");
    assert_eq!(server.schedule(&application, &[("grants", "grants.csv")]).await.status, 200);
    assert_eq!(server.ended(&server.stage(&application).await.json).await["status"], "Finished");
    let path = server.shared.join("grants.csv");
    let growing = tokio::spawn(async move {
        use std::io::Write as _;
        let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
        loop {
            file.write_all(b"bo,read\n").unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    });
    let import = server.ended(&server.stage(&application).await.json).await;
    assert_eq!(import["status"], "Failed");
    assert!(import["log"].as_str().unwrap().contains("is still being written"), "{import}");
    growing.abort();
    assert_eq!(server.grants(&application).await, ["ann read"]);
    let _ = growing.await;
    assert_eq!(server.ended(&server.stage(&application).await.json).await["status"], "Finished");
    assert_eq!(server.grants(&application).await, ["ann read", "bo read"]);
    server.stop().await;
}

#[tokio::test]
async fn a_file_that_is_replaced_while_it_is_read_is_read_as_it_was_or_not_at_all() {
    let config = muniment::app::Config { quiet_period: std::time::Duration::from_millis(100), ..Default::default() };
    let server = TestServer::start_with(crate::support::cluster::database().await, config).await;
    let application = server.create(grants_only("Payroll")).await;
    let feed = |right: &str| -> String {
        let rows: Vec<String> = (0..2000).map(|row| format!("user{row:04},{right}\n")).collect();
        format!("user,permission\n{}", rows.concat())
    };
    server.share("grants.csv", feed("old"));
    assert_eq!(server.schedule(&application, &[("grants", "grants.csv")]).await.status, 200);
    let staged = server.stage(&application).await.json;
    // As programs replace files: another one takes the name. Who has opened the first reads it to its end.
    for attempt in 0..20 {
        server.share("next.csv", feed(if attempt % 2 == 0 { "new" } else { "old" }));
        std::fs::rename(server.shared.join("next.csv"), server.shared.join("grants.csv")).unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(15)).await;
    }
    let import = server.ended(&staged).await;
    assert_eq!(import["status"], "Finished", "{import}");
    let held = server.grants(&application).await;
    let rights: std::collections::BTreeSet<&str> = held.iter().map(|grant| grant.split_once(' ').unwrap().1).collect();
    assert_eq!((held.len(), rights.len()), (2000, 1), "one file, whole: {rights:?}");
    // Written over in place, its times tell.
    server.share("grants.csv", feed("old"));
    let path = server.shared.join("grants.csv");
    let writing = tokio::spawn(async move {
        for attempt in 0.. {
            std::fs::write(&path, format!("user,permission\nuser0000,{}\n", "x".repeat(attempt % 50 + 1))).unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
    tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    let import = server.ended(&server.stage(&application).await.json).await;
    writing.abort();
    assert_eq!(import["status"], "Failed", "{import}");
    assert_eq!(server.grants(&application).await, held, "nothing was applied");
    server.stop().await;
}
