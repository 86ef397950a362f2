//! Staging: every status of ruling 13, and files in the shared directory.

use std::os::unix::fs::symlink;

use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::support::bodies::{GRANTS, grants_only, payments};
use crate::support::{TestServer, file_group, id, stable, whole};

const STAGE: &str = "/api/application-imports/stage";

#[tokio::test]
async fn what_is_wrong_with_the_application_id_is_that_fields_fault() {
    let server = TestServer::start().await;
    let unscheduled = server.create(payments("Payments")).await;
    let before = server.head().await;
    let unknown = "018f0000-0000-7000-8000-00000000dead";
    for (body, words) in [
        (json!({}), "Application ID is required"),
        (json!({"applicationId": null}), "Application ID is required"),
        (json!({"applicationId": " "}), "Application ID is required"),
        (json!({"applicationId": "seven"}), "\"seven\" is not a GUID"),
        (json!({"applicationId": 7}), "expected a string"),
        (json!({"applicationId": unknown}), "018f0000-0000-7000-8000-00000000dead not found"),
        (json!({"applicationId": id(&unscheduled)}), "Application has no import schedule"),
    ] {
        let answer = server.client.post(STAGE, body).await;
        let (field, message) = answer.violation();
        assert_eq!(field, "applicationId");
        assert!(message.contains(words), "{message}");
    }
    let answer = server.client.post(STAGE, json!({"applicationId": id(&unscheduled), "preveiw": true})).await;
    assert_eq!(answer.violation().0, "preveiw");
    assert_eq!(server.head().await, before);
    server.stop().await;
}

#[tokio::test]
async fn a_schedule_that_no_longer_fits_its_connector_cannot_be_staged() {
    let server = TestServer::start().await;
    let application = server.create(grants_only("Payroll")).await;
    server.schedule(&application, &[("grants", "g.csv")]).await;
    let mut body = grants_only("Payroll");
    body["connector"]["fileGroups"][0]["id"] = json!("018f0000-0000-7000-8000-00000000beef");
    let path = format!("/api/applications/{}", id(&application));
    assert_eq!(server.client.put(&path, body).await.status, 200);
    let before = server.head().await;
    assert_json_snapshot!("stage_schedule_unusable", whole(&server.stage(&application).await));
    assert_eq!(server.head().await, before);
    server.stop().await;
}

#[tokio::test]
async fn one_pending_import_is_enough_and_the_refusal_names_it() {
    let server = TestServer::start().await;
    let application = server.create(grants_only("Payroll")).await;
    server.share("g.csv", GRANTS);
    server.schedule(&application, &[("grants", "g.csv")]).await;
    let hold = server.hold("work.leases").await;
    let pending = server.stage(&application).await;
    assert_eq!(pending.status, 201);
    let before = server.head().await;
    let second = server.stage(&application).await;
    assert_json_snapshot!("stage_pending", whole(&second));
    assert!(second.json["message"].as_str().unwrap().contains(id(&pending.json)));
    assert_eq!(server.head().await, before);
    hold.release().await;
    assert_eq!(server.ended(&pending.json).await["status"], "Finished");
    assert_eq!(server.stage(&application).await.status, 201);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn behind_a_running_import_one_more_may_wait() {
    let server = TestServer::start().await;
    let application = server.create(grants_only("Payroll")).await;
    server.share("g.csv", GRANTS);
    server.schedule(&application, &[("grants", "g.csv")]).await;
    let hold = server.hold("work.import_issues").await;
    let running = server.stage(&application).await.json;
    server.reached(&running, "Running").await;
    let queued = server.stage(&application).await;
    assert_eq!((queued.status, &queued.json["status"]), (201, &json!("Pending")));
    assert_eq!(server.stage(&application).await.status, 409);
    assert_eq!(server.detail(&queued.json).await["status"], "Pending");
    hold.release().await;
    assert_eq!(server.ended(&running).await["status"], "Finished");
    assert_eq!(server.ended(&queued.json).await["status"], "Finished");
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn twenty_at_once_stage_one_import() {
    let server = TestServer::start().await;
    let application = server.create(grants_only("Payroll")).await;
    server.share("g.csv", GRANTS);
    server.schedule(&application, &[("grants", "g.csv")]).await;
    let hold = server.hold("work.leases").await;
    let answers = futures_util::future::join_all((0..20).map(|_| server.stage(&application))).await;
    let staged: Vec<&Value> = answers.iter().filter(|answer| answer.status == 201).map(|answer| &answer.json).collect();
    assert_eq!(staged.len(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(answer.status, 409, "{}", answer.text);
        assert!(answer.json["message"].as_str().unwrap().contains(id(staged[0])), "{}", answer.text);
    }
    hold.release().await;
    server.ended(staged[0]).await;
    assert_eq!(server.client.get("/api/application-imports").await.json["totalCount"], 1);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_disabled_schedule_may_be_staged() {
    let server = TestServer::start().await;
    let application = server.create(grants_only("Payroll")).await;
    server.share("g.csv", GRANTS);
    let files = json!([{"fileGroupId": file_group(&application, "grants"), "path": "g.csv"}]);
    let path = format!("/api/applications/{}/import-schedule", id(&application));
    let set = server.client.put(&path, json!({"cron": "0 2 * * *", "isEnabled": false, "files": files})).await;
    assert_eq!(set.json["importSchedule"]["isEnabled"], false);
    let import = server.ended(&server.stage(&application).await.json).await;
    assert_eq!(import["status"], "Finished");
    server.stop().await;
}

#[tokio::test]
async fn a_file_that_is_not_there_is_found_out_when_the_import_runs() {
    let server = TestServer::start().await;
    let application = server.create(grants_only("Payroll")).await;
    server.import(&application, "grants", GRANTS).await;
    let known = server.grants(&application).await;
    server.schedule(&application, &[("grants", "hr/missing.csv")]).await;
    let import = server.ended(&server.stage(&application).await.json).await;
    assert_json_snapshot!("stage_file_missing", stable(&import));
    assert_eq!(server.grants(&application).await, known);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_group_that_is_not_required_may_be_missing_but_not_all() {
    let server = TestServer::start().await;
    let mut body = payments("Payments");
    body["connector"]["fileGroups"][0]["isRequired"] = json!(false);
    let application = server.create(body).await;
    server.schedule(&application, &[("accounts", "a.csv"), ("grants", "g.csv")]).await;
    let import = server.ended(&server.stage(&application).await.json).await;
    assert_eq!(import["status"], "Failed");
    assert!(import["log"].as_str().unwrap().contains("None of the scheduled files"), "{}", import["log"]);
    server.share("a.csv", crate::support::bodies::ACCOUNTS);
    let import = server.ended(&server.stage(&application).await.json).await;
    assert_eq!((&import["status"], import["files"].as_array().unwrap().len()), (&json!("Finished"), 1));
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn no_link_leads_out_of_the_shared_directory() {
    let server = TestServer::start().await;
    let outside = server.shared.with_extension("outside");
    std::fs::create_dir_all(outside.join("folder")).unwrap();
    std::fs::write(outside.join("folder/g.csv"), GRANTS).unwrap();
    server.share("inside.csv", GRANTS);
    symlink(outside.join("folder/g.csv"), server.shared.join("file-link.csv")).unwrap();
    symlink(outside.join("folder"), server.shared.join("folder-link")).unwrap();
    symlink("inside.csv", server.shared.join("inner-link.csv")).unwrap();
    std::fs::create_dir(server.shared.join("folder.csv")).unwrap();
    let application = server.create(grants_only("Payroll")).await;
    for (path, words) in [
        ("file-link.csv", "link"),
        ("folder-link/g.csv", "link"),
        ("inner-link.csv", "link"),
        ("folder.csv", "not a file"),
        ("inside.csv/deeper.csv", "none of the shared directories"),
        ("./absent.csv", "none of the shared directories"),
    ] {
        assert_eq!(server.schedule(&application, &[("grants", path)]).await.status, 200, "{path}");
        let import = server.ended(&server.stage(&application).await.json).await;
        assert_eq!(import["status"], "Failed", "{path}");
        let log = import["log"].as_str().unwrap();
        assert!(log.contains(path) && log.contains(words), "{path}: {log}");
        assert!(!log.contains(outside.to_str().unwrap()), "{log}");
    }
    assert_eq!(server.grants(&application).await, Vec::<String>::new());
    std::fs::remove_dir_all(outside).unwrap();
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn without_a_shared_directory_nothing_can_be_staged() {
    let server = TestServer::start().await;
    let application = server.create(grants_only("Payroll")).await;
    server.schedule(&application, &[("grants", "g.csv")]).await;
    // The same database served without one.
    let clock = server.clock.clone();
    let config = muniment::app::Config { rate_limit: 0, ..Default::default() };
    let app = muniment::server::assemble(&server.database, config, clock).await.unwrap();
    let listen = muniment::server::Listen { address: "127.0.0.1:0".parse().unwrap(), tls: None };
    let other = muniment::server::Server::start(app, listen).await.unwrap();
    let client = crate::support::Client::new(other.address).with_secret(server.client.secret.clone().unwrap());
    let answer = client.post(STAGE, json!({"applicationId": id(&application)})).await;
    assert_eq!((answer.status, &answer.json["error"]), (422, &json!("unprocessable_entity")), "{}", answer.text);
    assert!(answer.json["message"].as_str().unwrap().contains("--shared-dir"), "{}", answer.text);
    other.stop().await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn an_import_reads_by_the_rules_of_the_moment_it_was_taken() {
    let server = TestServer::start().await;
    let application = server.create(grants_only("Payroll")).await;
    let hold = server.hold("work.import_issues").await;
    let parts = vec![(file_group(&application, "grants"), "g.csv".to_owned(), GRANTS.into())];
    let import = server.client.upload(id(&application), parts).await.json;
    server.reached(&import, "Running").await;
    let mut body = grants_only("Payroll");
    body["connector"]["fileGroups"][0]["columns"]["account"] = json!("login");
    let path = format!("/api/applications/{}", id(&application));
    assert_eq!(server.client.put(&path, body).await.status, 200);
    hold.release().await;
    assert_eq!(server.ended(&import).await["status"], "Finished");
    server.stop().await;
}

#[tokio::test]
async fn of_two_servers_that_stage_at_once_one_is_told_that_the_other_was_first() {
    let server = TestServer::start().await;
    let second = server.start_beside().await;
    let beside = second.client.with_secret(server.client.secret.clone().unwrap());
    let application = server.create(grants_only("Payroll")).await;
    server.share("g.csv", GRANTS);
    server.schedule(&application, &[("grants", "g.csv")]).await;
    let hold = server.hold("work.leases").await;
    let mut staged = 0;
    for _ in 0..5 {
        let body = json!({"applicationId": id(&application)});
        let (one, two) = tokio::join!(server.client.post(STAGE, body.clone()), beside.post(STAGE, body));
        for answer in [one, two] {
            match answer.status {
                201 => staged += 1,
                status => assert_eq!(status, 409, "{}", answer.text),
            }
        }
    }
    assert_eq!(staged, 1);
    hold.release().await;
    let listed = server.client.get("/api/application-imports").await.json;
    assert_eq!(listed["totalCount"], 1);
    server.ended(&listed["items"][0]).await;
    second.stop().await;
    server.assert_verified().await;
    server.stop().await;
}
