//! Imports that the clock starts (rulings 14), and imports that would take too much away (rulings 18).

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::bodies::grants_only;
use crate::support::{TestServer, eventually, file_group, id};

/// `count` grants, from this number on.
fn grants(from: usize, count: usize) -> String {
    let rows: Vec<String> = (from..from + count).map(|number| format!("user{number},read")).collect();
    format!("user,permission\n{}\n", rows.join("\n"))
}

async fn hourly(server: &TestServer, name: &str, is_enabled: bool) -> Value {
    let application = server.create(grants_only(name)).await;
    let path = format!("/api/applications/{}/import-schedule", id(&application));
    let files = json!([{"fileGroupId": file_group(&application, "grants"), "path": format!("{name}.csv")}]);
    let schedule = json!({"cron": "0 * * * *", "timezone": "Europe/Zurich", "isEnabled": is_enabled, "files": files});
    assert_eq!(server.client.put(&path, schedule).await.status, 200);
    application
}

async fn imports(server: &TestServer, application: &Value) -> Vec<Value> {
    let all = server.items("/api/application-imports").await;
    all.into_iter().filter(|import| import["application"]["id"] == application["id"]).collect()
}

/// Waits for the import of the latest tick.
async fn fired(server: &TestServer, application: &Value, count: usize) -> Value {
    let import = eventually("the schedule fires", async || {
        let found = imports(server, application).await;
        (found.len() == count).then(|| found.into_iter().max_by_key(|import| import["number"].as_i64()))?
    })
    .await;
    server.ended(&import).await
}

#[tokio::test]
async fn the_clock_starts_an_import_once_among_several_servers() {
    let one = TestServer::start().await;
    let application = hourly(&one, "payroll", true).await;
    let unwanted = hourly(&one, "unwanted", false).await;
    let two = one.start_beside().await;
    for server in [&one, &two] {
        server.share("payroll.csv", grants(0, 3));
    }
    one.clock.advance(TimeDelta::minutes(30));
    for hour in 1..=3 {
        // The second time three ticks were missed: only the latest counts.
        one.clock.advance(TimeDelta::hours(if hour == 2 { 3 } else { 1 }));
        let import = fired(&one, &application, hour).await;
        assert_eq!((&import["type"], &import["status"]), (&json!("Scheduled"), &json!("Finished")), "{import}");
        assert_eq!(import["createdBy"], "import schedule");
    }
    two.stop().await;
    // A server that starts again finds that the latest tick was seen to.
    let two = one.start_beside().await;
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    assert_eq!(imports(&one, &application).await.len(), 3);
    assert_eq!(imports(&one, &unwanted).await.len(), 0);
    assert_eq!(one.grants(&application).await.len(), 3);
    two.stop().await;
    one.assert_verified().await;
    one.stop().await;
}

#[tokio::test]
async fn a_scheduled_file_that_is_missing_or_empty_fails_the_import_and_takes_nothing_away() {
    let server = TestServer::start().await;
    let application = hourly(&server, "payroll", true).await;
    server.import(&application, "grants", &grants(0, 3)).await;
    server.clock.advance(TimeDelta::hours(1));
    let missing = fired(&server, &application, 2).await;
    assert_eq!(missing["status"], "Failed");
    assert!(missing["log"].as_str().unwrap().contains("payroll.csv is in none of the shared directories"), "{missing}");
    for (tick, bytes, reason) in [(3, "", "payroll.csv is empty"), (4, "user,permission\n", "no rows")] {
        server.share("payroll.csv", bytes);
        server.clock.advance(TimeDelta::hours(1));
        let failed = fired(&server, &application, tick).await;
        assert_eq!(failed["status"], "Failed");
        assert!(failed["log"].as_str().unwrap().contains(reason), "{failed}");
    }
    assert_eq!(server.grants(&application).await.len(), 3);
    server.stop().await;
}

#[tokio::test]
async fn a_tick_while_an_import_is_pending_is_skipped_and_recorded() {
    let server = TestServer::start().await;
    let application = hourly(&server, "payroll", true).await;
    server.share("payroll.csv", grants(0, 3));
    let hold = server.hold("work.leases").await;
    let staged = server.stage(&application).await.json;
    server.clock.advance(TimeDelta::hours(1));
    let skipped = eventually("the tick is recorded", async || {
        let events = server.client.get("/api/events?eventType=ImportSkipped").await.json["items"].clone();
        events.as_array().filter(|events| !events.is_empty()).cloned()
    })
    .await;
    assert_eq!(skipped[0]["data"]["applicationId"], application["id"]);
    assert_eq!(skipped[0]["actor"]["name"], "import schedule");
    hold.release().await;
    assert_eq!(server.ended(&staged).await["status"], "Finished");
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    assert_eq!(imports(&server, &application).await.len(), 1);
    server.assert_verified().await;
    server.stop().await;
}

async fn upload(server: &TestServer, application: &Value, csv: &str, accepted: Option<&Value>) -> Value {
    let accepted = accepted.map_or_else(String::new, |held| format!("&acceptRemovalsOf={}", id(held)));
    let path = format!("/api/application-imports/upload?applicationId={}{accepted}", id(application));
    let part = reqwest::multipart::Part::bytes(csv.as_bytes().to_vec()).file_name("g.csv");
    let form = reqwest::multipart::Form::new().part(file_group(application, "grants"), part);
    let answer = server.client.send(server.client.request(reqwest::Method::POST, &path).multipart(form)).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    server.ended(&answer.json).await
}

#[tokio::test]
async fn an_import_that_takes_too_much_away_is_held_back_until_just_that_is_accepted() {
    let server = TestServer::start().await;
    let application = server.create(grants_only("Payroll")).await;
    upload(&server, &application, &grants(0, 100), None).await;
    assert_eq!(upload(&server, &application, &grants(30, 70), None).await["status"], "Finished", "30 % is the limit");
    upload(&server, &application, &grants(0, 100), None).await;

    let held = upload(&server, &application, &grants(31, 69), None).await;
    assert_eq!((&held["status"], &held["metrics"]), (&json!("Failed"), &Value::Null));
    let log = held["log"].as_str().unwrap();
    assert!(
        log.contains(
            "would remove 31 of 100 accounts (31.0 %) and 31 of 100 grants (31.0 %); the application's limit is 30 %"
        ),
        "{log}"
    );
    assert_eq!(server.grants(&application).await.len(), 100);

    let other = upload(&server, &application, &grants(50, 50), Some(&held)).await;
    assert_eq!(other["status"], "Failed");
    assert!(other["log"].as_str().unwrap().contains("What was accepted is not what"), "{other}");
    assert_eq!(server.grants(&application).await.len(), 100);

    let accepted = upload(&server, &application, &grants(31, 69), Some(&held)).await;
    assert_eq!(accepted["status"], "Finished", "{accepted}");
    assert_eq!(accepted["metrics"]["grants"]["removed"], 31);
    assert_eq!(server.grants(&application).await.len(), 69);
    let trail = format!("/api/events?aggregateType=application_import&aggregateId={}", id(&accepted));
    let staged = server.client.get(&trail).await.json["items"][0].clone();
    assert_eq!((&staged["data"]["acceptRemovalsOf"], &staged["actor"]["name"]), (&held["id"], &json!("administrator")));
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn only_an_import_that_was_held_back_can_be_accepted() {
    let server = TestServer::start().await;
    let application = server.create(grants_only("Payroll")).await;
    let other = server.create(grants_only("Pensions")).await;
    let finished = upload(&server, &application, &grants(0, 3), None).await;
    server.schedule(&application, &[("grants", "g.csv")]).await;
    server.schedule(&other, &[("grants", "g.csv")]).await;
    for (target, accepted, reason) in [
        (&application, "nothing", "is not a GUID"),
        (&application, "00000000-0000-0000-0000-000000000000", "has no such import"),
        (&other, id(&finished), "has no such import"),
        (&application, id(&finished), "was not held back"),
    ] {
        let body = json!({"applicationId": id(target), "acceptRemovalsOf": accepted});
        let answer = server.client.post("/api/application-imports/stage", body).await;
        let (field, message) = answer.violation();
        assert_eq!(field, "acceptRemovalsOf");
        assert!(message.contains(reason), "{message}");
    }
    server.stop().await;
}
