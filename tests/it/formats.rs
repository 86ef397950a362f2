//! Feeds in every format, and columns that are transformed on the way.

use serde_json::{Value, json};

use crate::support::bodies::{application, grants_only};
use crate::support::{TestServer, id};

/// Grants only, in this format.
fn grants_as(format: &str, name: &str) -> Value {
    let mut body = grants_only(name);
    body["connector"]["fileGroups"][0]["format"] = json!(format);
    body
}

#[tokio::test]
async fn one_feed_in_every_format_is_the_same_feed() {
    let server = TestServer::start().await;
    let expected = ["007 a, b", "José read", "José write"];
    for (format, bytes) in [
        ("csv", "user,permission\nJosé,read\nJosé,write\n007,\"a, b\"\n"),
        ("json", r#"[{"user":"José","permission":["read","write"]},{"user":"007","permission":"a, b"}]"#),
        (
            "ndjson",
            "{\"permission\":\"read\",\"user\":\"José\"}\n{\"user\":\"José\",\"permission\":\"write\"}\n\n{\"user\":\"007\",\"permission\":\"a, b\"}",
        ),
    ] {
        let application = server.create(grants_as(format, format)).await;
        assert_eq!(application["connector"]["fileGroups"][0]["format"], format);
        let import = server.import(&application, "grants", bytes).await;
        assert_eq!(import["status"], "Finished", "{format}: {import}");
        assert_eq!(server.grants(&application).await, expected, "{format}");
        let again = server.import(&application, "grants", bytes).await;
        assert_eq!(again["metrics"]["grants"]["unchanged"], 3, "{format}");
    }
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_file_of_another_format_fails_the_import_and_takes_nothing_away() {
    let server = TestServer::start().await;
    for format in ["xlsx", "json", "ndjson"] {
        let application = server.create(grants_as(format, format)).await;
        if format != "xlsx" {
            let good = if format == "json" {
                r#"[{"user":"a","permission":"b"}]"#
            } else {
                r#"{"user":"a","permission":"b"}"#
            };
            assert_eq!(server.import(&application, "grants", good).await["status"], "Finished");
        }
        let before = server.grants(&application).await;
        for bytes in ["user,permission\nann,read\n", "[", "\0", "{\"user\":1}"] {
            let import = server.import(&application, "grants", bytes).await;
            assert_eq!(import["status"], "Failed", "{format} {bytes:?}: {import}");
            let log = import["log"].as_str().unwrap();
            assert!(log.contains("grants.csv"), "{log}");
            assert_eq!(server.grants(&application).await, before);
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn columns_are_transformed_on_their_way() {
    let server = TestServer::start().await;
    let groups = [json!({
        "name": "People", "content": "identities",
        "columns": {
            "key": {"column": "id", "transforms": [{"replace": {"pattern": "^CN=([^,]+).*$", "with": "$1"}}, "lower"]},
            "displayName": {"columns": ["first", "last"]},
            "department": {"column": "dept", "transforms": [{"null": ["N/A", "NULL"]}, "fillDown"], "default": "None"},
            "status": {"column": "st", "transforms": [{"map": {"A": "Active", "I": "Inactive"}}]},
            "createdDate": {"column": "hired", "transforms": [{"date": "%d.%m.%Y"}]},
            "company": {"default": "Northwind"},
            "site": {"column": "site", "transforms": ["trim", "upper"]}
        }
    })];
    let application = server.create(application("Directory", &groups)).await;
    let feed = "id,first,last,dept,st,hired,site\n\
                \"CN=ANN,OU=x\",Ann,Keller,N/A,A,31.12.2025,a   b\n\
                CN=Bo,Bo,,Sales,I,01.02.2026,\n\
                CN=Cy,Cy,Dee,null,A,29.02.2025,\n\
                CN=Di,Di,Eck,NULL,A,29.02.2024,\n";
    let import = server.import(&application, "identities", feed).await;
    assert_eq!((&import["status"], &import["metrics"]["rowsRejected"]), (&json!("Finished"), &json!(1)), "{import}");
    let issues = server.items(&format!("/api/application-imports/{}/issues", id(&import))).await;
    assert_eq!(issues.len(), 1);
    assert_eq!(
        (&issues[0]["row"], &issues[0]["column"], &issues[0]["value"], &issues[0]["message"]),
        (&json!(4), &json!("hired"), &json!("29.02.2025"), &json!("createdDate is not a date of the form %d.%m.%Y"))
    );
    let told: Vec<Value> = server
        .items(&format!("/api/application-imports/{}/changes", id(&import)))
        .await
        .into_iter()
        .map(|change| json!([change["key"], change["after"]]))
        .collect();
    let person = |key: &str, name: &str, department: &str, status: &str, hired: &str| {
        json!([key, {
            "displayName": name, "department": department, "status": status, "company": "Northwind",
            "createdDate": format!("{hired}T00:00:00Z")
        }])
    };
    let mut ann = person("ann", "Ann Keller", "None", "Active", "2025-12-31");
    ann[1]["attributes"] = json!({"site": "A B"});
    assert_eq!(
        told,
        [
            ann,
            person("bo", "Bo", "Sales", "Disabled", "2026-02-01"),
            person("di", "Di Eck", "Sales", "Active", "2024-02-29")
        ]
    );
    server.stop().await;
}

#[tokio::test]
async fn one_row_may_name_several_entitlements() {
    let server = TestServer::start().await;
    let mut body = grants_only("Payroll");
    body["connector"]["fileGroups"][0]["columns"]["entitlement"] =
        json!({"column": "permission", "transforms": [{"split": "|"}, {"null": ["-"]}]});
    let application = server.create(body).await;
    let import =
        server.import(&application, "grants", "user,permission\nann,read| write |read\nbo,-\nann,write\n").await;
    assert_eq!(server.grants(&application).await, ["ann read", "ann write"]);
    assert_eq!(server.issues(&import).await, ["3 missing_key", "4 duplicate_row"]);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_broken_mapping_is_refused_where_it_is_written() {
    let server = TestServer::start().await;
    let column = "connector.fileGroups[0].columns.entitlement";
    for (written, place, words) in [
        (json!({"column": "p", "transforms": ["reverse"]}), ".transforms[0]", "Unknown variant `reverse`"),
        (json!({"column": "p", "tranforms": []}), ".tranforms", "Unknown field `tranforms`"),
        (
            json!({"column": "p", "transforms": [{"replace": {"pattern": "(", "with": ""}}]}),
            ".transforms[0].replace.pattern",
            "unclosed group",
        ),
        (json!({"column": "p", "transforms": [{"date": "%H"}]}), ".transforms[0].date", "doesn't tell a day"),
        (json!({"columns": []}), "", "At least one column is required"),
    ] {
        let mut body = grants_only("Payroll");
        body["connector"]["fileGroups"][0]["columns"]["entitlement"] = written;
        let answer = server.client.post("/api/applications", body).await;
        let (field, message) = answer.violation();
        assert_eq!(field, format!("{column}{place}"), "{message}");
        assert!(message.contains(words), "{message}");
    }
    server.stop().await;
}
