//! Cancelling: Pending, Running, in the middle of applying, and too late.

use std::fmt::Write;

use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::support::bodies::{GRANTS, grants_only};
use crate::support::{TestServer, eventually, file_group, id, stable, whole};

const CANCEL: &str = "/api/application-imports/cancel";

async fn upload(server: &TestServer, application: &Value, csv: &str) -> Value {
    let parts = vec![(file_group(application, "grants"), "g.csv".to_owned(), csv.as_bytes().to_vec())];
    let answer = server.client.upload(id(application), parts).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json
}

#[tokio::test]
async fn what_is_wrong_with_the_import_id_is_that_fields_fault() {
    let server = TestServer::start().await;
    let before = server.head().await;
    for (body, words) in [
        (json!({}), "Application import ID is required"),
        (json!({"applicationImportId": ""}), "Application import ID is required"),
        (json!({"applicationImportId": "seven"}), "\"seven\" is not a GUID"),
        (json!({"applicationImportId": "018f0000-0000-7000-8000-00000000dead"}), "not found"),
        (json!({"applicationImportId": ["018f0000-0000-7000-8000-00000000dead"]}), "expected a string"),
    ] {
        let answer = server.client.post(CANCEL, body).await;
        let (field, message) = answer.violation();
        assert!(field.starts_with("applicationImportId"), "{field}");
        assert!(message.contains(words), "{message}");
    }
    assert_eq!(server.head().await, before);
    server.stop().await;
}

#[tokio::test]
async fn a_pending_import_is_canceling_at_once_and_then_canceled() {
    let server = TestServer::start().await;
    let application = server.create(grants_only("Payroll")).await;
    let mut hold = server.hold("work.leases").await;
    let import = upload(&server, &application, GRANTS).await;
    // A worker that finds it Canceling ends it without a lease.
    hold.wanted().await;
    assert_json_snapshot!("cancel_pending", whole(&server.cancel(&import).await));
    let before = server.head().await;
    assert_json_snapshot!("cancel_twice", whole(&server.cancel(&import).await));
    assert_eq!(server.head().await, before);
    hold.release().await;
    let ended = server.ended(&import).await;
    assert_json_snapshot!("canceled_pending", stable(&ended));
    assert_eq!(server.grants(&application).await, Vec::<String>::new());
    // What comes after it isn't held up.
    let next = upload(&server, &application, GRANTS).await;
    assert_eq!(server.ended(&next).await["status"], "Finished");
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_pending_import_behind_a_running_one_can_be_canceled() {
    let server = TestServer::start().await;
    let application = server.create(grants_only("Payroll")).await;
    let hold = server.hold("work.import_issues").await;
    let running = upload(&server, &application, GRANTS).await;
    server.reached(&running, "Running").await;
    let waiting = upload(&server, &application, "user,permission\neve,all\n").await;
    let answer = server.cancel(&waiting).await;
    assert_eq!((answer.status, &answer.json["status"]), (200, &json!("Canceling")));
    hold.release().await;
    assert_eq!(server.ended(&waiting).await["status"], "Canceled");
    assert_eq!(server.ended(&running).await["status"], "Finished");
    assert_eq!(server.grants(&application).await.len(), 4);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_running_import_is_canceled_before_it_has_applied_anything() {
    let server = TestServer::start().await;
    let application = server.create(grants_only("Payroll")).await;
    let hold = server.hold("work.import_issues").await;
    let import = upload(&server, &application, GRANTS).await;
    server.reached(&import, "Running").await;
    let answer = server.cancel(&import).await;
    assert_eq!((answer.status, &answer.json["status"]), (200, &json!("Canceling")), "{}", answer.text);
    assert_eq!(server.cancel(&import).await.status, 409);
    // It ends although its reading thread still hangs.
    let ended = server.reached(&import, "Canceled").await;
    assert_eq!((&ended["metrics"], &ended["log"]), (&Value::Null, &json!("Canceled; nothing was applied")));
    hold.release().await;
    assert_eq!(server.grants(&application).await, Vec::<String>::new());
    let next = upload(&server, &application, GRANTS).await;
    assert_eq!(server.ended(&next).await["status"], "Finished");
    assert_eq!(server.detail(&import).await["status"], "Canceled");
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn an_import_that_is_canceled_while_it_applies_says_how_much_it_had_applied() {
    let server = TestServer::start().await;
    let application = server.create(grants_only("Payroll")).await;
    let mut csv = String::from("user,permission\n");
    for account in 0..200 {
        for entitlement in 0..100 {
            writeln!(csv, "user{account},right{entitlement}").unwrap();
        }
    }
    let import = upload(&server, &application, &csv).await;
    let before = server.head().await;
    eventually("the first access is applied", async || {
        (server.events_after(before, &["account"]).await > 0).then_some(())
    })
    .await;
    let answer = server.cancel(&import).await;
    assert_eq!(answer.status, 200, "the import was faster than the test: {}", answer.text);
    let ended = server.ended(&import).await;
    assert_eq!((&ended["status"], &ended["metrics"]), (&json!("Canceled"), &Value::Null));
    let held: i64 = sqlx::query_scalar("SELECT count(*) FROM read.grants WHERE valid_to IS NULL")
        .fetch_one(&server.server.app.pool)
        .await
        .unwrap();
    assert!((1..20_000).contains(&held), "{held}");
    let log = ended["log"].as_str().unwrap();
    assert!(log.contains(&format!("grants {held} added")), "{log}");
    assert_eq!(ended["progress"]["phase"], "applying");
    // Nothing comes after the end, and the same feed again completes it.
    let head = server.head().await;
    let again = server.ended(&upload(&server, &application, &csv).await).await;
    assert_eq!(again["metrics"]["grants"]["unchanged"], held);
    assert_eq!(again["metrics"]["grants"]["added"], 20_000 - held);
    assert_eq!(
        server.client.get(&format!("/api/events?aggregateId={}&afterPosition={head}", id(&import))).await.json["items"],
        json!([])
    );
    let check = muniment::journal::check::check(&server.server.app.pool, |_, _| ()).await.unwrap();
    assert_eq!(check.faults, Vec::<String>::new());
    server.stop().await;
}

#[tokio::test]
async fn what_has_ended_cannot_be_canceled() {
    let server = TestServer::start().await;
    let application = server.create(grants_only("Payroll")).await;
    let finished = server.import(&application, "grants", GRANTS).await;
    let failed = server.import(&application, "grants", "nonsense\n1\n").await;
    let before = server.head().await;
    for (import, status) in [(finished, "Finished"), (failed, "Failed")] {
        assert_eq!(import["status"], status);
        let answer = server.cancel(&import).await;
        assert_eq!((answer.status, &answer.json["error"]), (409, &json!("conflict")));
        assert!(answer.json["message"].as_str().unwrap().contains(status), "{}", answer.text);
        assert_eq!(server.detail(&import).await, import);
    }
    assert_eq!(server.head().await, before);
    server.stop().await;
}
