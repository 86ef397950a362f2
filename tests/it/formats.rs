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
async fn a_made_up_company_is_the_same_in_every_format() {
    let server = TestServer::start().await;
    let folder = std::env::temp_dir().join(format!("muniment-formats-{}", std::process::id()));
    let mut told: Option<Value> = None;
    for format in ["csv", "xlsx", "json", "ndjson"] {
        let folder = folder.join(format);
        let arguments =
            ["--format", format, "--people", "60", "--applications", "1", "--entitlements", "12", "--grants", "200"];
        let made = tokio::process::Command::new(env!("CARGO_BIN_EXE_muniment"))
            .arg("sample")
            .arg(&folder)
            .args(arguments)
            .output()
            .await
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let inner = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_dir());
        let mut counts = Vec::new();
        for place in [folder.clone(), inner.unwrap()] {
            let body = std::fs::read_to_string(place.join("application.json")).unwrap();
            let mut body: Value = serde_json::from_str(&body).unwrap();
            body["name"] = json!(format!("{} {format}", body["name"].as_str().unwrap()));
            let application = server.create(body).await;
            let groups = application["connector"]["fileGroups"].as_array().unwrap();
            let parts = groups.iter().map(|group| {
                let name = format!("{}.{format}", group["content"].as_str().unwrap());
                let bytes = std::fs::read(place.join(&name)).unwrap();
                (id(group).to_owned(), name, bytes)
            });
            let answer = server.client.upload(id(&application), parts.collect()).await;
            assert_eq!(answer.status, 201, "{}", answer.text);
            let import = server.ended(&answer.json).await;
            assert_eq!(
                (&import["status"], &import["metrics"]["rowsRejected"]),
                (&json!("Finished"), &json!(0)),
                "{import}"
            );
            let mut metrics = import["metrics"].clone();
            // From the second format on, the people are those of the first.
            metrics["uncorrelatedAccounts"] = json!(0);
            counts.push(metrics);
            counts.push(json!(server.grants(&application).await));
        }
        let counts = json!(counts);
        assert_eq!(told.get_or_insert(counts.clone()), &counts, "{format}");
    }
    std::fs::remove_dir_all(folder).unwrap();
    server.assert_verified_in(&[1000]).await;
    server.stop().await;
}

#[tokio::test]
async fn rejected_rows_come_back_in_their_files_format() {
    let server = TestServer::start().await;
    let application = server.create(grants_as("ndjson", "Payroll")).await;
    let feed = "{\"user\":\"ann\",\"permission\":[\"read\",\"write\"]}\n{\"user\":null,\"permission\":[\"a\",\"b\"]}\n";
    let import = server.import(&application, "grants", feed).await;
    assert_eq!(import["metrics"]["rowsRejected"], 1);
    let rejects = server.client.get(&format!("/api/application-imports/{}/rejects", id(&import))).await;
    let row: Value = serde_json::from_str(rejects.text.trim()).unwrap();
    assert_eq!(row, json!({"permission": "a\u{1f}b"}));
    let mended = rejects.text.replace("{\"permission", "{\"user\":\"bo\",\"permission");
    let mended = mended.replace('{', "{\"ignored\":1,");
    assert_eq!(server.import(&application, "grants", &mended).await["metrics"]["grants"]["added"], 2);
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

#[tokio::test]
async fn a_transform_that_is_not_there_fails_the_import_before_it_reads_anything() {
    let server = TestServer::start().await;
    let mut body = grants_only("Named");
    let column = json!({"transforms": [{"named": "Permission of all"}]});
    body["connector"]["fileGroups"][0]["columns"]["entitlement"] = column.clone();
    let application = server.create(body).await;
    assert_eq!(application["connector"]["fileGroups"][0]["columns"]["entitlement"], column);
    let import = server.import(&application, "grants", "not,even\nthe,header\n").await;
    assert_eq!(import["status"], "Failed", "{import}");
    let log = import["log"].as_str().unwrap();
    assert!(log.contains("Field entitlement of"), "{log}");
    assert!(log.contains("there is no transform \"Permission of all\" that can be executed"), "{log}");
    server.stop().await;
}
