//! Imports of applications: shapes and lists here; staging, cancelling, files, rules and rejects beside.

mod cancel;
mod files;
mod growth;
mod preview;
mod rejects;
mod rules;
mod stage;
mod ways;

use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::support::bodies::{ACCOUNTS, ENTITLEMENTS, GRANTS, grants_only, payments};
use crate::support::{TestServer, file_group, id, stable, whole};

#[tokio::test]
async fn an_upload_is_answered_with_a_pending_import() {
    let server = TestServer::start().await;
    let application = server.create(payments("Payments")).await;
    let parts = vec![
        (file_group(&application, "accounts"), "users.csv".to_owned(), ACCOUNTS.into()),
        (file_group(&application, "grants"), "members.csv".to_owned(), GRANTS.into()),
    ];
    let uploaded = server.client.upload(id(&application), parts).await;
    assert_json_snapshot!("import_uploaded", whole(&uploaded));
    server.ended(&uploaded.json).await;
    server.stop().await;
}

#[tokio::test]
async fn a_staged_import_is_answered_as_pending_without_files() {
    let server = TestServer::start().await;
    let application = server.create(payments("Payments")).await;
    server.share("users.csv", ACCOUNTS);
    server.schedule(&application, &[("accounts", "users.csv")]).await;
    let staged = server.stage(&application).await;
    assert_json_snapshot!("import_staged", whole(&staged));
    let ended = server.ended(&staged.json).await;
    assert_eq!(ended["files"][0]["name"], "users.csv");
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_finished_import_says_what_it_did() {
    let server = TestServer::start().await;
    let application = server.create(payments("Payments")).await;
    let files = [("accounts", ACCOUNTS), ("entitlements", ENTITLEMENTS), ("grants", GRANTS)];
    let import = server.import_all(&application, &files).await;
    assert_json_snapshot!("import_finished", stable(&import));
    assert_eq!(import["progress"], json!({"phase": "applying", "rowsRead": 9, "rowsTotal": 9, "percent": 100}));
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_failed_import_says_why_and_has_no_metrics() {
    let server = TestServer::start().await;
    let application = server.create(grants_only("Payroll")).await;
    let import = server.import(&application, "grants", "user,role\nann,read\n").await;
    assert_json_snapshot!("import_failed", stable(&import));
    server.stop().await;
}

#[tokio::test]
async fn imports_are_listed_the_latest_start_first() {
    let server = TestServer::start().await;
    let one = server.create(grants_only("One")).await;
    let two = server.create(grants_only("Two")).await;
    server.import(&one, "grants", GRANTS).await;
    server.clock.advance(chrono::TimeDelta::minutes(1));
    server.import(&two, "grants", GRANTS).await;
    server.clock.advance(chrono::TimeDelta::minutes(1));
    server.import(&one, "grants", GRANTS).await;
    let listed = server.client.get("/api/application-imports").await;
    assert_json_snapshot!("import_list", whole(&listed));
    let numbers = |answer: &Value| -> Vec<i64> {
        answer["items"].as_array().unwrap().iter().map(|item| item["number"].as_i64().unwrap()).collect()
    };
    assert_eq!(numbers(&listed.json), [3, 2, 1]);
    let of_one = server.client.get(&format!("/api/application-imports?applicationId={}", id(&one))).await;
    assert_eq!((numbers(&of_one.json), &of_one.json["totalCount"]), (vec![3, 1], &json!(2)));
    let nobody = "018f0000-0000-7000-8000-00000000dead";
    let of_nobody = server.client.get(&format!("/api/application-imports?applicationId={nobody}")).await;
    assert_eq!((of_nobody.status, &of_nobody.json["totalPages"]), (200, &json!(0)));
    let malformed = server.client.get("/api/application-imports?applicationId=one").await;
    assert_eq!(malformed.violation().0, "applicationId");
    server.stop().await;
}

#[tokio::test]
async fn an_import_that_has_not_started_is_listed_first() {
    let server = TestServer::start().await;
    let application = server.create(grants_only("Payroll")).await;
    server.import(&application, "grants", GRANTS).await;
    let hold = server.hold("work.leases").await;
    let parts = vec![(file_group(&application, "grants"), "g.csv".to_owned(), GRANTS.into())];
    let waiting = server.client.upload(id(&application), parts).await.json;
    let listed = server.client.get("/api/application-imports").await.json;
    assert_eq!((&listed["items"][0]["id"], &listed["items"][0]["buildStart"]), (&waiting["id"], &Value::Null));
    assert_eq!(server.detail(&waiting).await["progress"], Value::Null);
    hold.release().await;
    server.ended(&waiting).await;
    server.stop().await;
}

#[tokio::test]
async fn an_unknown_import_is_not_found_and_a_malformed_id_is_a_bad_request() {
    let server = TestServer::start().await;
    let unknown = "018f0000-0000-7000-8000-00000000dead";
    for rest in ["", "/issues", "/rejects"] {
        let answer = server.client.get(&format!("/api/application-imports/{unknown}{rest}")).await;
        assert_eq!(answer.status, 404);
        assert_eq!(answer.json["message"], format!("Application import with id {unknown} not found"));
        let answer = server.client.get(&format!("/api/application-imports/seven{rest}")).await;
        assert_eq!(answer.violation().0, "id");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_same_file_staged_and_uploaded_makes_the_same_events() {
    let server = TestServer::start().await;
    let mut trails = Vec::new();
    for name in ["Staged", "Uploaded"] {
        let application = server.create(grants_only(name)).await;
        let before = server.head().await;
        if name == "Staged" {
            server.share("g.csv", GRANTS);
            server.schedule(&application, &[("grants", "g.csv")]).await;
            server.ended(&server.stage(&application).await.json).await;
        } else {
            server.import(&application, "grants", GRANTS).await;
        }
        let events = server.client.get(&format!("/api/events?afterPosition={before}")).await.json;
        let kinds = ["account", "entitlement", "application_import"];
        let mut trail: Vec<String> = events["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|event| kinds.contains(&event["aggregateType"].as_str().unwrap()))
            // How the files came is the only difference.
            .filter(|event| !["ImportStaged", "ImportFilesKept"].contains(&event["eventType"].as_str().unwrap()))
            .map(|event| {
                let mut data = event["data"].clone();
                for of_this_one in ["import", "applicationId", "worker", "applicationVersion"] {
                    data.as_object_mut().unwrap().remove(of_this_one);
                }
                if let Some(granted) = data["granted"].as_array_mut() {
                    granted.sort_by_key(Value::to_string);
                }
                format!("{} {} {data}", event["eventType"], event["actor"]["name"])
            })
            .collect();
        // Accounts and grants are in the order of their ids, which follow from the application's.
        trail.sort();
        trails.push(trail);
    }
    assert_eq!(trails[0], trails[1]);
    assert!(trails[0].len() > 8, "{trails:?}");
    server.stop().await;
}

#[tokio::test]
async fn imports_of_one_application_run_one_after_the_other_in_the_order_of_staging() {
    let server = TestServer::start().await;
    let application = server.create(grants_only("Payroll")).await;
    let hold = server.hold("work.leases").await;
    let mut imports = Vec::new();
    for entitlement in ["a", "b", "c"] {
        let csv = format!("user,permission\nann,{entitlement}\n").into_bytes();
        let parts = vec![(file_group(&application, "grants"), "g.csv".to_owned(), csv)];
        imports.push(server.client.upload(id(&application), parts).await.json);
    }
    hold.release().await;
    for import in &imports {
        assert_eq!(server.ended(import).await["status"], "Finished");
    }
    assert_eq!(server.grants(&application).await, ["ann c"]);
    let events = server.client.get("/api/events?aggregateType=application_import&limit=1000").await.json;
    let order: Vec<(&str, usize)> = events["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|event| {
            let which = imports.iter().position(|import| import["id"] == event["aggregateId"]).unwrap();
            let kind = event["eventType"].as_str().unwrap();
            ["ImportClaimed", "ImportFinished"].contains(&kind).then_some((kind, which))
        })
        .collect();
    let expected = (0..3).flat_map(|which| [("ImportClaimed", which), ("ImportFinished", which)]);
    assert_eq!(order, expected.collect::<Vec<_>>());
    server.assert_verified().await;
    server.stop().await;
}
