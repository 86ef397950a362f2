//! What an import changed, and how it is put back.

use serde_json::{Value, json};

use crate::support::bodies::grants_only;
use crate::support::configuration::{file, object};
use crate::support::{Answer, TestServer};

const IMPORT: &str = "/sp-config/import";

async fn restore(server: &TestServer, job: &Value) -> Answer {
    server.client.post(&format!("/api/config-imports/{}/restore", job["jobId"].as_str().unwrap()), json!({})).await
}

async fn diff(server: &TestServer, job: &Value) -> Value {
    let answer = server.client.get(&format!("/api/config-imports/{}/diff", job["jobId"].as_str().unwrap())).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json["objects"].clone()
}

#[tokio::test]
async fn an_import_is_told_field_by_field_and_put_back() {
    let server = TestServer::start().await;
    server.create(grants_only("Payroll")).await;
    let rule = |script: &str| object("RULE", "1", "one", json!({"script": script, "same": [1]}));
    server.import_config(IMPORT, &file(&[rule("old")]), None).await;
    let before = server.export_config(json!({})).await;
    let mut source =
        before["objects"].as_array().unwrap().iter().find(|entry| entry["self"]["type"] == "SOURCE").unwrap().clone();
    source["object"]["description"] = json!("Who is paid what");
    let transform = object("TRANSFORM", "2", "two", json!({"type": "lower"}));
    let foreign = object("SOURCE", "3", "Workday", json!({"name": "Workday", "connector": "workday"}));
    let objects = [rule("new"), source, transform, foreign];
    let (job, _) = server.import_config(IMPORT, &file(&objects), None).await;
    let after = server.export_config(json!({})).await;
    let told = diff(&server, &job).await;
    let words = |change: &Value| -> Vec<String> {
        let paths = change["fields"].as_array().unwrap().iter();
        let paths =
            paths.map(|field| format!("{} {} {}", field["path"].as_str().unwrap(), field["before"], field["after"]));
        std::iter::once(format!("{} {}", change["change"].as_str().unwrap(), change["name"].as_str().unwrap()))
            .chain(paths)
            .collect()
    };
    let told: Vec<Vec<String>> = told.as_array().unwrap().iter().map(words).collect();
    assert_eq!(told[0], ["updated one", "/object/script \"old\" \"new\""]);
    assert_eq!(told[1], ["updated Payroll", "/object/description null \"Who is paid what\""]);
    assert_eq!(
        told[2],
        [
            "created two",
            "/object null {\"type\":\"lower\"}",
            "/self null {\"id\":\"2\",\"name\":\"two\",\"type\":\"TRANSFORM\"}",
            "/version null 1",
        ]
    );
    assert_eq!(told[3][0], "created Workday");
    let head = server.head().await;
    let restored = restore(&server, &job).await;
    assert_eq!((restored.status, &restored.json["restored"]), (200, &json!(4)), "{}", restored.text);
    assert_eq!(server.export_config(json!({})).await["objects"], before["objects"]);
    let again = restore(&server, &job).await;
    assert!(again.status == 409 && again.text.contains("restored already"), "{}", again.text);
    assert!(server.events_after(head, &["config_object", "application"]).await >= 4);
    let archived = server.items("/api/applications").await;
    assert!(archived.iter().any(|app| app["name"] == "Workday" && app["isArchived"] == true));
    assert_ne!(after["objects"], before["objects"]);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn where_later_changes_collide_nothing_is_put_back_and_each_is_told() {
    let server = TestServer::start().await;
    let rule = |id: &str, script: &str| object("RULE", id, &format!("rule {id}"), json!({"script": script}));
    let all = |script: &str| file(&[rule("1", script), rule("2", script), rule("3", script)]);
    let (job, _) = server.import_config(IMPORT, &all("first"), None).await;
    let (later, _) = server.import_config(IMPORT, &file(&[rule("1", "later"), rule("3", "later")]), None).await;
    let refused = restore(&server, &job).await;
    assert_eq!(refused.status, 409);
    let expected = json!([
        {"field": "RULE 1", "message": "\"rule 1\" was changed after the import"},
        {"field": "RULE 3", "message": "\"rule 3\" was changed after the import"},
    ]);
    assert_eq!(refused.json["errors"], expected, "{}", refused.text);
    assert_eq!(restore(&server, &later).await.status, 200);
    let still = restore(&server, &job).await;
    assert_eq!(still.status, 409, "what was put back was changed after it, too");
    let exported = server.export_config(json!({})).await;
    assert_eq!(exported["objects"][0]["object"]["script"], "first");
    server.stop().await;
}

#[tokio::test]
async fn only_imports_that_imported_something_and_ended_can_be_restored_or_before_that_cancelled() {
    let server = TestServer::start().await;
    let data = file(&[object("RULE", "1", "one", json!({}))]);
    let (preview, _) = server.import_config("/sp-config/import?preview=true", &data, None).await;
    assert_eq!(restore(&server, &preview).await.status, 409);
    let hold = server.hold("work.leases").await;
    let started = server.send_config(IMPORT, data.to_string(), None).await.json;
    assert_eq!(restore(&server, &started).await.status, 409);
    let cancel = format!("/api/config-imports/{}/cancel", started["jobId"].as_str().unwrap());
    let canceled = server.client.post(&cancel, json!({})).await;
    assert_eq!((canceled.status, &canceled.json["status"]), (200, &json!("CANCELLED")), "{}", canceled.text);
    assert_eq!(server.client.post(&cancel, json!({})).await.status, 409);
    drop(hold);
    let (_, results) = server.import_config(IMPORT, &data, None).await;
    assert_eq!(results["results"]["RULE"]["importedObjects"].as_array().unwrap().len(), 1);
    let gone = server.client.get(&format!("/sp-config/import/{}/download", started["jobId"].as_str().unwrap())).await;
    assert!(gone.status == 404 && gone.text.contains("was cancelled"), "{}", gone.text);
    server.stop().await;
}

#[tokio::test]
async fn names_pass_from_object_to_object_and_back_and_numbers_stay_as_they_were_written() {
    let server = TestServer::start().await;
    let entry = |id: &str, name: &str, number: &str| {
        format!(r#"{{"self":{{"type":"RULE","id":"{id}","name":"{name}"}},"version":1,"object":{{"n":{number}}}}}"#)
    };
    let import = async |entries: &[String]| {
        let data = format!(r#"{{"objects":[{}]}}"#, entries.join(","));
        let answer = server.send_config(IMPORT, data, None).await;
        let job = server.config_job("import", answer.json["jobId"].as_str().unwrap()).await;
        assert_eq!(job["status"], "COMPLETE");
        job
    };
    let exported = async || {
        let started = server.client.post("/sp-config/export", json!({})).await.json;
        let id = started["jobId"].as_str().unwrap();
        server.config_job("export", id).await;
        server.client.get(&format!("/sp-config/export/{id}/download")).await.text
    };
    import(&[entry("1", "A", "1.50"), entry("2", "B", "123456789012345678901234567890")]).await;
    let before = exported().await;
    assert!(before.contains(r#"{"n":1.50}"#) && before.contains("123456789012345678901234567890"), "{before}");
    let swapped = import(&[entry("1", "B", "1.5"), entry("2", "A", "2")]).await;
    let told = diff(&server, &swapped).await;
    assert_eq!(told[0]["fields"][0], json!({"path": "/self/name", "before": "A", "after": "B"}));
    assert_eq!(restore(&server, &swapped).await.status, 200);
    assert_eq!(exported().await, before);
    server.assert_verified().await;
    server.stop().await;
}
