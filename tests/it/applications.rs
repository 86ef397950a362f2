//! Applications: made, listed, replaced, archived.

use serde_json::{Value, json};

use crate::support::TestServer;

/// A body that makes an application of grants only.
pub fn grants_only(name: &str) -> Value {
    json!({
        "name": name,
        "connector": {"type": "file", "fileGroups": [
            {"name": "Grants", "content": "grants", "columns": {"account": "user", "entitlement": "permission"}}
        ]}
    })
}

#[tokio::test]
async fn a_created_application_is_listed_under_its_name() {
    let server = TestServer::start().await;
    let created = server.client.post("/api/applications", grants_only("Payroll")).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let listed = server.client.get("/api/applications").await;
    assert_eq!(listed.json["items"], json!([created.json]));
    assert_eq!(listed.json["totalCount"], 1);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_grants_file_becomes_access_and_a_second_one_changes_it() {
    let server = TestServer::start().await;
    let application = server.client.post("/api/applications", grants_only("Payroll")).await.json;
    let import = server.import(&application, "grants", "user,permission\nann,read\nann,write\nbob,read\n").await;
    assert_eq!(import["metrics"]["grants"], json!({"added": 3, "changed": 0, "removed": 0, "unchanged": 0}));
    let import = server.import(&application, "grants", "user,permission\nann,read\nbob,read\nbob,admin\n").await;
    assert_eq!(import["metrics"]["grants"], json!({"added": 1, "changed": 0, "removed": 1, "unchanged": 2}));
    let grants = server.client.get(&format!("/api/applications/{}/grants", application["id"].as_str().unwrap())).await;
    assert_eq!(grants.json["totalCount"], 3);
    server.assert_verified().await;
    server.stop().await;
}
