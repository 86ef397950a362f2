//! `sp-config`: configuration objects in files, as SailPoint's clients export and import them.

mod bad_input;
mod imports;
mod restore;
mod round_trip;

use aggregates::api_token::Role;
use serde_json::{Value, json};

use crate::support::TestServer;
use crate::support::configuration::{file, object};

/// The seed's file and options (seed 003).
fn sample() -> (Value, Value) {
    let sample = include_str!("../data/sp_config.json");
    let options = json!({
        "excludeTypes": [], "includeTypes": ["TRIGGER_SUBSCRIPTION"],
        "objectOptions": {"TRIGGER_SUBSCRIPTION": {"includedIds": ["193446a1-c431-4326-8ba7-d6eebf922948"], "includedNames": []}},
        "defaultReferences": [
            {"type": "TRIGGER_SUBSCRIPTION", "id": "be9e116d-08e1-49fc-ab7f-fa585e96c9e4", "name": "Test Trigger"}
        ],
        "excludeBackup": false,
    });
    (serde_json::from_str(sample).unwrap(), options)
}

#[tokio::test]
async fn the_contracts_sample_is_imported_unchanged_under_every_path() {
    for base in ["", "/beta", "/v2024", "/v2025", "/v2026"] {
        the_sample_is_imported(&format!("{base}/sp-config")).await;
    }
    the_sample_is_imported("/sp-config/v1").await;
}

async fn the_sample_is_imported(base: &str) {
    let server = TestServer::start().await;
    let (file, options) = sample();
    let answer = server.send_config(&format!("{base}/import"), file.to_string(), Some(options)).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let keys: Vec<&String> = answer.json.as_object().unwrap().keys().collect();
    let all = ["completed", "created", "description", "expiration", "jobId", "message", "modified", "status", "type"];
    assert_eq!(keys, all);
    assert_eq!((&answer.json["type"], &answer.json["completed"]), (&json!("IMPORT"), &Value::Null));
    let id = answer.json["jobId"].as_str().unwrap();
    let job = server.config_job("import", id).await;
    assert_eq!(job["status"], "COMPLETE");
    assert_eq!(job["message"], "Download import results for details.");
    assert_eq!((&job["created"], &job["expiration"]), (&json!("2026-03-15T12:00:00Z"), &json!("2026-03-22T12:00:00Z")));
    let results = server.client.get(&format!("{base}/import/{id}/download")).await.json;
    let backup = results["exportJobId"].as_str().unwrap().to_owned();
    let unsigned = "TRIGGER_SUBSCRIPTION \"test trigger\" is kept, but not executed here: it has no httpConfig.signingSecret, and nothing is sent unsigned";
    let infos = json!([{"key": "NOT_EXECUTABLE", "text": unsigned, "details": {}}]);
    let expected = json!({
        "results": {"TRIGGER_SUBSCRIPTION": {"infos": infos, "warnings": [], "errors": [], "importedObjects": [
            {"type": "TRIGGER_SUBSCRIPTION", "id": "193446a1-c431-4326-8ba7-d6eebf922948", "name": "test trigger"}
        ]}},
        "exportJobId": backup,
    });
    assert_eq!(results, expected);
    assert_eq!(server.config_file(&backup).await["objects"], json!([]), "everything as it was before");
    assert_eq!(server.export_config(json!({})).await["objects"], file["objects"]);
    let types = server.client.get(&format!("{base}/config-objects")).await.json;
    assert_eq!(types.as_array().unwrap().len(), 7);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn who_may_do_what() {
    let server = TestServer::start().await;
    let data = file(&[object("RULE", "1", "one", json!({}))]);
    for (role, reads, manages) in [
        (Role::Reader, 403, 403),
        (Role::Auditor, 202, 403),
        (Role::Operator, 202, 403),
        (Role::Administrator, 202, 202),
    ] {
        let client = server.client_as(role.as_str(), role).await;
        assert_eq!(client.post("/sp-config/export", json!({})).await.status, reads, "{role:?}");
        assert_eq!(client.get("/sp-config/config-objects").await.status, if reads == 202 { 200 } else { 403 });
        let form = reqwest::multipart::Form::new().text("data", data.to_string());
        let request = client.request(reqwest::Method::POST, "/sp-config/import").multipart(form);
        assert_eq!(client.send(request).await.status, manages, "{role:?}");
    }
    server.stop().await;
}
