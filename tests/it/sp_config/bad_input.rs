//! Files, options and jobs that aren't right: a clear error, and nothing happens.

use std::fmt::Write;

use chrono::TimeDelta;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::json;

use crate::support::configuration::{file, object};
use crate::support::{Answer, TestServer};

const IMPORT: &str = "/sp-config/import";

async fn send(server: &TestServer, form: Form) -> Answer {
    server.client.send(server.client.request(Method::POST, IMPORT).multipart(form)).await
}

fn good() -> String {
    file(&[object("RULE", "1", "one", json!({}))]).to_string()
}

#[tokio::test]
async fn what_is_no_file_of_objects_is_refused_and_nothing_happens() {
    let server = TestServer::start().await;
    let before = server.head().await;
    let data = |text: &str| Form::new().part("data", Part::text(text.to_owned()).file_name("config.json"));
    let garbage = format!(r#"{{"objects":[1{}]}}"#, ",1".repeat(5_000_000));
    let cases = [
        (Form::new().text("options", "{}"), "No files were supplied for import."),
        (data(""), "No files were supplied for import."),
        (data(&good()).text("data", good()), "data was sent twice; one is expected"),
        (data("Dear server"), "the file isn't right: expected value at line 1 column 1"),
        (data("[]"), "the file is an array; an object with objects, as an export gives, is expected"),
        (data(r#"{"version":1}"#), "the file has no objects"),
        (data(r#"{"version":2,"objects":[]}"#), "the file's version is 2; 1 is known"),
        (data(&garbage), "more than 1000 entries of the file are no objects, the last one at objects[1000]"),
        (data(&good()).text("options", "{"), "The options aren't right: EOF"),
        (data(&good()).text("options", r#"{"includeTypes":["WORKFLOWS"]}"#), "\"WORKFLOWS\" is no type"),
        (data(&good()).text("options", r#"{"includeTypes":"RULE"}"#), "The options aren't right: invalid type"),
        (Form::new().part("data", Part::bytes(vec![b'{', 0xff, 0xfe])), "the file isn't right: key must be a string"),
    ];
    for (form, expected) in cases {
        let answer = send(&server, form).await;
        assert_eq!(answer.status, 400, "{}", answer.text);
        assert!(
            answer.text.contains(&serde_json::to_string(expected).unwrap().trim_matches('"').to_owned()),
            "{expected}: {}",
            answer.text
        );
    }
    let answer = server.client.post(IMPORT, json!({"objects": []})).await;
    assert!(answer.status == 400 && answer.text.contains("No files were supplied for import."), "{}", answer.text);
    let answer = server.send_config(&format!("{IMPORT}?preview=maybe"), good(), None).await;
    assert_eq!(answer.status, 400);
    assert_eq!(server.head().await, before);
    server.stop().await;
}

#[tokio::test]
async fn what_is_nested_too_deep_is_told_and_nothing_falls_over() {
    let server = TestServer::start().await;
    let nested = format!("{}{}", "[".repeat(500_000), "]".repeat(500_000));
    let data =
        format!(r#"{{"objects":[{{"self":{{"type":"RULE","id":"1","name":"n"}},"object":{{"deep":{nested}}}}}]}}"#);
    let answer = server.send_config(IMPORT, data, None).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let id = answer.json["jobId"].as_str().unwrap();
    assert_eq!(server.config_job("import", id).await["status"], "FAILED");
    let results = server.client.get(&format!("/sp-config/import/{id}/download")).await.json;
    let text = results["results"]["UNKNOWN"]["errors"][0]["text"].as_str().unwrap();
    assert_eq!(text, "objects[0] can't be imported: it isn't JSON: it is nested more than 100 deep");
    let deep = r#"{"objectOptions":{"RULE":{"includedNames":["\u0000"]}}}"#;
    let answer = server.send_config(IMPORT, good(), Some(serde_json::from_str(deep).unwrap())).await;
    assert!(answer.status == 400 && answer.text.contains("A NUL character is not allowed"), "{}", answer.text);
    server.stop().await;
}

#[tokio::test]
async fn a_file_larger_than_the_limit_is_refused() {
    let server = TestServer::start().await;
    let answer = server.send_config(IMPORT, vec![b' '; (64 << 20) + 1], None).await;
    assert_eq!(answer.status, 413, "{}", answer.text);
    server.stop().await;
}

#[tokio::test]
async fn exports_of_what_nobody_knows_are_refused() {
    let server = TestServer::start().await;
    for body in
        [json!({"includeTypes": ["WORKFLOWS"]}), json!({"includeTypes": ["ROLE"]}), json!({"objectOptions": {"X": {}}})]
    {
        let answer = server.client.post("/sp-config/export", body).await;
        assert_eq!(answer.status, 400, "{}", answer.text);
        assert!(
            answer.text.contains("is no type of objects that can be imported; known: CONNECTOR_RULE"),
            "{}",
            answer.text
        );
    }
    let exported =
        server.export_config(json!({"excludeTypes": ["ROLE"], "includeTypes": [], "objectOptions": null})).await;
    assert_eq!(exported["objects"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn jobs_that_arent_there_not_ready_of_the_other_kind_or_expired_arent_found() {
    let server = TestServer::start().await;
    let missing = "018f0000-0000-7000-8000-00000000dead";
    for path in ["export", "import"] {
        for rest in ["", "/download"] {
            let answer = server.client.get(&format!("/sp-config/{path}/{missing}{rest}")).await;
            assert_eq!(answer.status, 404, "{}", answer.text);
        }
        assert_eq!(server.client.get(&format!("/sp-config/{path}/x")).await.status, 400);
    }
    let hold = server.hold("work.leases").await;
    let started = server.client.post("/sp-config/export", json!({})).await.json;
    let id = started["jobId"].as_str().unwrap();
    let download = format!("/sp-config/export/{id}/download");
    let answer = server.client.get(&download).await;
    assert_eq!(answer.status, 404);
    assert!(answer.text.contains("is NOT_STARTED; its file can be downloaded when it is COMPLETE"), "{}", answer.text);
    drop(hold);
    server.config_job("export", id).await;
    assert_eq!(server.client.get(&download).await.status, 200);
    let answer = server.client.get(&format!("/sp-config/import/{id}")).await;
    assert_eq!(answer.status, 404);
    assert!(answer.text.contains("is no import; it is an export"), "{}", answer.text);
    server.clock.advance(TimeDelta::days(7));
    let answer = server.client.get(&download).await;
    assert!(answer.status == 404 && answer.text.contains("expired at"), "{}", answer.text);
    server.stop().await;
}

#[tokio::test]
async fn texts_that_the_database_cant_hold_are_told_and_cost_no_other() {
    let server = TestServer::start().await;
    // So long that no index takes it, and without repetitions: those would be compressed.
    let mut long = String::new();
    for n in 0..1000_u32 {
        let _ = write!(long, "{:08x}", n.wrapping_mul(2_654_435_761));
    }
    let objects = [
        object("RULE", "1", "one", json!({"password": "a\0b"})),
        object("RULE", "2", "two", json!({"a\0b": {"password": "known"}})),
        object("RULE", "3", "three", json!({long: {"password": "known"}})),
        object("RULE", "4", "four", json!({"owner": {"type": "IDENTITY", "id": "9\0", "name": "No\0body"}})),
        object("RULE", "5", "five", json!({"a\0b": "\0", "password": "known"})),
    ];
    let (job, results) = server.import_config("/sp-config/import", &file(&objects), None).await;
    assert_eq!(job["status"], "FAILED");
    let texts: Vec<&str> = results["results"]["UNKNOWN"]["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["text"].as_str().unwrap())
        .collect();
    let expected = [
        r#"objects[0] can't be imported: the secret at "/object/password" holds a NUL character, which is not allowed"#,
        r#"objects[1] can't be imported: the secret at "/object/a\0b/password" holds a NUL character, which is not allowed"#,
        r#"objects[2] can't be imported: the place of a secret, "/object/000000009e3779b13c6ef362daa66d13"..., has 8017 bytes; at most 2000 are allowed"#,
    ];
    assert_eq!(texts, expected);
    let rules = &results["results"]["RULE"];
    assert_eq!(rules["importedObjects"].as_array().unwrap().len(), 2, "{rules}");
    assert_eq!(rules["warnings"][0]["key"], "UNKNOWN_REFERENCE_RESOLVER");
    assert_eq!(server.export_config(json!({})).await["objects"].as_array().unwrap().len(), 2);
    server.assert_verified().await;
    server.stop().await;
}
