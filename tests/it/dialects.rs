//! Feeds in other dialects and encodings: read as what they say, or refused with the reason.

use serde_json::{Value, json};

use crate::support::bodies::grants_only;
use crate::support::{TestServer, id};

const ROWS: &str = "user;permission\nJosé;'read; write'\nMüller;€\n";
const GRANTS: [&str; 2] = ["José read; write", "Müller €"];

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn windows_1252(text: &str) -> Vec<u8> {
    let byte = |letter| match letter {
        '€' => 0x80,
        other => u8::try_from(u32::from(other)).unwrap(),
    };
    text.chars().map(byte).collect()
}

async fn application(server: &TestServer, name: &str, encoding: Option<&str>) -> Value {
    let mut body = grants_only(name);
    body["connector"]["fileGroups"][0]["delimiter"] = json!(";");
    body["connector"]["fileGroups"][0]["quote"] = json!("'");
    if let Some(encoding) = encoding {
        body["connector"]["fileGroups"][0]["encoding"] = json!(encoding);
    }
    server.create(body).await
}

#[tokio::test]
async fn one_feed_in_every_encoding_is_the_same_feed() {
    let server = TestServer::start().await;
    let found_out = application(&server, "Found out", None).await;
    for (number, bytes) in [
        ROWS.as_bytes().to_vec(),
        format!("\u{feff}{ROWS}").into_bytes(),
        utf16(ROWS),
        utf16(&format!("\u{feff}{ROWS}")),
        windows_1252(ROWS),
    ]
    .into_iter()
    .enumerate()
    {
        let import = server.import_bytes(&found_out, "grants", bytes).await;
        assert_eq!(import["status"], "Finished", "{import}");
        let counts = &import["metrics"]["grants"];
        assert_eq!(
            (&counts["added"], &counts["unchanged"]),
            (&json!(if number == 0 { 2 } else { 0 }), &json!(if number == 0 { 0 } else { 2 }))
        );
    }
    for (name, bytes) in
        [("utf-8", ROWS.as_bytes().to_vec()), ("utf-16le", utf16(ROWS)), ("windows-1252", windows_1252(ROWS))]
    {
        let said = application(&server, name, Some(name)).await;
        assert_eq!(said["connector"]["fileGroups"][0]["encoding"], name);
        assert_eq!(server.import_bytes(&said, "grants", bytes).await["status"], "Finished");
        assert_eq!(keys(&server, &said).await, GRANTS);
    }
    assert_eq!(keys(&server, &found_out).await, GRANTS);
    server.assert_verified().await;
    server.stop().await;
}

async fn keys(server: &TestServer, application: &Value) -> Vec<String> {
    let grants = server.items(&format!("/api/applications/{}/grants", id(application))).await;
    let key = |grant: &Value, noun: &str| grant[noun]["key"].as_str().unwrap().to_owned();
    let mut keys: Vec<String> =
        grants.iter().map(|grant| format!("{} {}", key(grant, "account"), key(grant, "entitlement"))).collect();
    keys.sort();
    keys
}

#[tokio::test]
async fn a_wrong_encoding_fails_the_import_and_takes_nothing_away() {
    let server = TestServer::start().await;
    let said = application(&server, "Said", Some("utf-16le")).await;
    server.import_bytes(&said, "grants", utf16(ROWS)).await;
    let mut half = utf16(ROWS);
    half.pop();
    let marked: Vec<u8> = format!("\u{feff}{ROWS}").encode_utf16().flat_map(u16::to_be_bytes).collect();
    for (bytes, reason) in [
        (half, "holds bytes that are no character of it"),
        (marked, "begins with the byte order mark of utf-16be"),
        (ROWS.as_bytes().to_vec(), "grants.csv"),
    ] {
        let failed = server.import_bytes(&said, "grants", bytes).await;
        assert_eq!(failed["status"], "Failed");
        assert!(failed["log"].as_str().unwrap().contains(reason), "{failed}");
    }
    assert_eq!(keys(&server, &said).await, GRANTS);
    server.stop().await;
}

#[tokio::test]
async fn rejects_are_given_back_in_the_dialect_of_the_file() {
    let server = TestServer::start().await;
    let application = application(&server, "Rejects", None).await;
    let rows = format!("{ROWS};'no; user'\n");
    let finished = server.import_bytes(&application, "grants", windows_1252(&rows)).await;
    assert_eq!(finished["metrics"]["rowsRejected"], 1);
    let rejects = server.client.get(&format!("/api/application-imports/{}/rejects", id(&finished))).await;
    assert_eq!(rejects.text, "user;permission\n;'no; user'\n");
    server.stop().await;
}

#[tokio::test]
async fn what_a_dialect_cannot_be_is_told_when_it_is_saved() {
    let server = TestServer::start().await;
    for (field, value) in
        [("delimiter", json!(";;")), ("delimiter", json!("\n")), ("quote", json!("")), ("encoding", json!("latin-9"))]
    {
        let mut body = grants_only("Ledger");
        body["connector"]["fileGroups"][0][field] = value;
        let answer = server.client.post("/api/applications", body).await;
        assert_eq!(answer.violation().0, format!("connector.fileGroups[0].{field}"), "{}", answer.text);
    }
    server.stop().await;
}
