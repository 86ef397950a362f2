//! Real feeds: after each import the tables equal the file. Run by `scripts/acceptance`; skipped without the data.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Instant;

use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::TestServer;

/// The folder of real feeds; says why when it isn't there.
fn data(folder: &str) -> Option<Vec<PathBuf>> {
    let root = std::env::var_os("MUNIMENT_DATA")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data")), PathBuf::from);
    let folder = root.join(folder);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("skipped: {} isn't there", folder.display());
        return None;
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    Some(files)
}

/// The rows of a file by column name.
fn rows(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    reader
        .records()
        .map(|record| header.iter().map(str::to_owned).zip(record.unwrap().iter().map(str::to_owned)).collect())
        .collect()
}

async fn position(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT coalesce(max(position), 0) FROM journal.events").fetch_one(pool).await.unwrap()
}

/// Imports a file, compares, imports it again: nothing but the import's own events is appended.
async fn import_twice(server: &TestServer, application: &Value, content: &str, file: &PathBuf) -> Value {
    let text = std::fs::read_to_string(file).unwrap();
    let started = Instant::now();
    let first = server.import(application, content, &text).await;
    let took = started.elapsed();
    assert_eq!(first["status"], "Finished", "{first}");
    let before = position(&server.server.app.pool).await;
    let again = server.import(application, content, &text).await;
    assert_eq!(again["status"], "Finished", "{again}");
    let appended: Vec<String> =
        sqlx::query_scalar("SELECT DISTINCT aggregate_type FROM journal.events WHERE position > $1")
            .bind(before)
            .fetch_all(&server.server.app.pool)
            .await
            .unwrap();
    assert_eq!(appended, ["application_import"], "the same feed again appended something");
    assert_eq!(again["metrics"]["changePercent"], 0.0);
    let metrics = &first["metrics"];
    println!(
        "{:32} {:>6} rows  {content} {}  {} ms",
        file.file_name().unwrap().to_string_lossy(),
        metrics["rowsRead"],
        metrics[content],
        took.as_millis()
    );
    first
}

#[tokio::test]
async fn six_hr_months_in_order_equal_their_files() {
    let Some(files) = data("hr-feed") else { return };
    let server = TestServer::start().await;
    let body = json!({"name": "HR", "isIdentitySource": true, "connector": {"type": "file", "fileGroups": [
        {"name": "People", "content": "identities", "columns": {
            "key": "user_id", "displayName": "employee_name", "email": "email", "title": "role", "company": "business_unit",
            "division": "functional_unit", "department": "department", "supervisor": "supervisor", "team": "team", "projects": "projects"}}
    ]}});
    let application = server.client.post("/api/applications", body).await.json;
    let mut everybody: BTreeSet<String> = BTreeSet::new();
    for file in files {
        import_twice(&server, &application, "identities", &file).await;
        let rows = rows(&std::fs::read_to_string(&file).unwrap());
        let names: BTreeSet<&str> = rows.iter().map(|row| row["employee_name"].as_str()).collect();
        let columns = [
            "user_id",
            "employee_name",
            "email",
            "role",
            "business_unit",
            "functional_unit",
            "department",
            "supervisor",
            "team",
            "projects",
        ];
        let expected: BTreeSet<Vec<String>> = rows
            .iter()
            .map(|row| {
                let mut values: Vec<String> = columns.iter().map(|column| row[*column].trim().to_owned()).collect();
                // The supervisor is found by name among the people of the same file.
                let supervisor = row["supervisor"].trim();
                values.push(if names.contains(supervisor) { supervisor.to_owned() } else { String::new() });
                values
            })
            .collect();
        let found: Vec<Vec<String>> = sqlx::query_scalar(
            "SELECT ARRAY[r.key, coalesce(i.display_name, ''), coalesce(i.email, ''), coalesce(i.title, ''), coalesce(i.company, ''),
                          coalesce(i.division, ''), coalesce(i.department, ''), coalesce(i.supervisor, ''),
                          coalesce(i.attributes ->> 'team', ''), coalesce(i.attributes ->> 'projects', ''), coalesce(s.display_name, '')]
             FROM read.identities AS i JOIN read.identity_records AS r ON r.identity_id = i.id
             LEFT JOIN read.identities AS s ON s.id = i.supervisor_id AND s.valid_to IS NULL AND s.status <> 'Removed'
             WHERE i.valid_to IS NULL AND i.status <> 'Removed'",
        )
        .fetch_all(&server.server.app.pool)
        .await
        .unwrap();
        assert_eq!(found.len(), expected.len());
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected, "{}", file.display());
        everybody.extend(rows.into_iter().map(|row| row["user_id"].clone()));
        let listed = server.client.get("/api/identities").await;
        assert_eq!(listed.json["totalCount"], everybody.len(), "who left is Removed, not gone");
    }
    server.assert_verified_in(&[5000, 300]).await;
    server.stop().await;
}

#[tokio::test]
async fn eight_snapshots_of_an_organisation_in_order_equal_their_files() {
    let Some(files) = data("kubernetes-org") else { return };
    let server = TestServer::start().await;
    // The second snapshot of one day came before the first: order by date, then by what the README says.
    let mut files = files;
    files.sort_by_key(|file| {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        (name[..10].to_owned(), name.contains("277246b2"))
    });
    let body = json!({"name": "kubernetes", "connector": {"type": "file", "fileGroups": [
        {"name": "Members", "content": "grants", "columns": {"account": "login", "entitlement": "team", "role": "role"}}
    ]}});
    let application = server.client.post("/api/applications", body).await.json;
    let id = Uuid::parse_str(application["id"].as_str().unwrap()).unwrap();
    for file in files {
        import_twice(&server, &application, "grants", &file).await;
        let rows = rows(&std::fs::read_to_string(&file).unwrap());
        let expected: BTreeSet<(String, String, String)> =
            rows.into_iter().map(|row| (row["login"].clone(), row["team"].clone(), row["role"].clone())).collect();
        let found: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT a.key, e.key, g.attributes ->> 'role' FROM read.grants AS g
             JOIN read.accounts AS a ON a.id = g.account_id AND a.valid_to IS NULL
             JOIN read.entitlements AS e ON e.id = g.entitlement_id AND e.valid_to IS NULL
             WHERE g.application_id = $1 AND g.valid_to IS NULL",
        )
        .bind(id)
        .fetch_all(&server.server.app.pool)
        .await
        .unwrap();
        assert_eq!(found.len(), expected.len());
        for (kind, count) in [
            ("accounts", expected.iter().map(|(login, ..)| login).collect::<BTreeSet<_>>().len()),
            ("entitlements", expected.iter().map(|(_, team, _)| team).collect::<BTreeSet<_>>().len()),
            ("grants", expected.len()),
        ] {
            let listed = server.client.get(&format!("/api/applications/{id}/{kind}")).await;
            assert_eq!(listed.json["totalCount"], count, "{kind} of {}", file.display());
        }
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected, "{}", file.display());
    }
    server.assert_verified_in(&[5000, 300]).await;
    server.stop().await;
}

/// Members of an organisation; the most that one import may remove.
fn organisation(removal_limit: u8) -> Value {
    json!({"name": format!("kubernetes {removal_limit}"), "removalLimit": removal_limit,
        "connector": {"type": "file", "fileGroups": [
            {"name": "Members", "content": "grants", "columns": {"account": "login", "entitlement": "team", "role": "role"}}
    ]}})
}

#[tokio::test]
async fn a_change_of_a_tenth_is_held_by_a_limit_of_5_percent_and_not_of_30() {
    let Some(files) = data("kubernetes-org") else { return };
    let snapshot = |commit: &str| {
        let file = files.iter().find(|file| file.to_string_lossy().contains(commit)).unwrap();
        std::fs::read_to_string(file).unwrap()
    };
    let (before, after) = (snapshot("c675e52c"), snapshot("277246b2"));
    let pairs = |text: &str| -> Vec<String> {
        let pairs: BTreeSet<String> =
            rows(text).into_iter().map(|row| format!("{} {}", row["login"], row["team"])).collect();
        pairs.into_iter().collect()
    };
    let server = TestServer::start().await;
    for (limit, is_held) in [(30, false), (5, true)] {
        let application = server.create(organisation(limit)).await;
        assert_eq!(server.import(&application, "grants", &before).await["status"], "Finished");
        let import = server.import(&application, "grants", &after).await;
        println!("limit {limit} %: {} {}", import["status"], import["log"]);
        if !is_held {
            assert_eq!(import["status"], "Finished", "{import}");
            assert_eq!(server.grants(&application).await, pairs(&after));
            continue;
        }
        assert_eq!(import["status"], "Failed", "{import}");
        assert_eq!(server.grants(&application).await, pairs(&before), "nothing was applied");
        let (import, application_id) = (import["id"].as_str().unwrap(), application["id"].as_str().unwrap());
        let group = crate::support::file_group(&application, "grants");
        let parts = vec![(group, "members.csv".to_owned(), after.clone().into_bytes())];
        let path = format!("/api/application-imports/upload?acceptRemovalsOf={import}");
        let accepted = server.client.upload_to(&path, application_id, parts).await;
        assert_eq!(server.ended(&accepted.json).await["status"], "Finished", "{}", accepted.text);
        assert_eq!(server.grants(&application).await, pairs(&after));
    }
    server.assert_verified_in(&[5000]).await;
    server.stop().await;
}

#[tokio::test]
async fn a_matrix_of_a_hundred_thousand_grants_equals_its_file() {
    let Some(files) = data("role-mining") else { return };
    let server = TestServer::start().await;
    let application = server.create(crate::support::bodies::grants_only("americas_small")).await;
    let file = files.iter().find(|file| file.extension().is_some_and(|extension| extension == "csv")).unwrap();
    let import = import_twice(&server, &application, "grants", file).await;
    let expected: BTreeSet<(String, String)> = rows(&std::fs::read_to_string(file).unwrap())
        .into_iter()
        .map(|mut row| (row.remove("user").unwrap(), row.remove("permission").unwrap()))
        .collect();
    let found: Vec<(String, String)> = sqlx::query_as(
        "SELECT a.key, e.key FROM read.grants AS g
         JOIN read.accounts AS a ON a.id = g.account_id AND a.valid_to IS NULL
         JOIN read.entitlements AS e ON e.id = g.entitlement_id AND e.valid_to IS NULL WHERE g.valid_to IS NULL",
    )
    .fetch_all(&server.server.app.pool)
    .await
    .unwrap();
    assert_eq!((found.len(), &import["metrics"]["grants"]["added"]), (expected.len(), &json!(expected.len())));
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
    server.assert_verified_in(&[5000]).await;
    server.stop().await;
}

/// The HR feed drives offboarding; a directory that follows a month later proves it.
#[tokio::test]
async fn every_leaver_of_six_months_is_offboarded_and_each_request_names_its_proof() {
    let Some(files) = data("hr-feed") else { return };
    let server = TestServer::start().await;
    let hr = server
        .create(json!({"name": "HR", "isIdentitySource": true, "connector": {"type": "file", "fileGroups": [
            {"name": "People", "content": "identities", "columns": {"key": "user_id", "displayName": "employee_name", "email": "email"}}
        ]}}))
        .await;
    let directory = server
        .create(json!({"name": "Directory", "connector": {"type": "file", "fileGroups": [
            {"name": "Users", "content": "accounts", "columns": {"key": "user_id", "email": "email"}},
            {"name": "Groups", "content": "grants", "columns": {"account": "user_id", "entitlement": {"columns": ["functional_unit", "department"], "join": "/"}}}
        ]}}))
        .await;
    let security = server.client_as("security", aggregates::api_token::Role::Administrator).await;
    let import = async |application: &Value, contents: &[&str], text: &str| {
        let parts: Vec<(&str, &str)> = contents.iter().map(|content| (*content, text)).collect();
        let import = server.import_all(application, &parts).await;
        assert_eq!(import["status"], "Finished", "{import}");
        import
    };
    let mut proofs: BTreeMap<String, Value> = BTreeMap::new();
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        import(&hr, &["identities"], &text).await;
        let left: Vec<(Uuid,)> = sqlx::query_as(
            "SELECT i.id FROM identities AS i WHERE i.valid_to IS NULL AND i.status = 'Removed'
             AND NOT EXISTS (SELECT FROM personnel_events AS p WHERE p.identity_id = i.id)",
        )
        .fetch_all(&server.server.app.pool)
        .await
        .unwrap();
        for (leaver,) in left {
            let body = json!({"identityId": leaver, "effectiveDate": "2026-03-15"});
            let asked = server.client.post("/api/personnel-events/offboard", body).await;
            assert_eq!(asked.status, 201, "{}", asked.text);
            let path = format!("/api/personnel-events/{}/stages/approval/approve", asked.json["id"].as_str().unwrap());
            let approved = security.post(&path, json!({})).await;
            assert_eq!((approved.status, &approved.json["status"]), (200, &json!("Open")), "{}", approved.text);
            proofs.insert(leaver.to_string(), Value::Null);
        }
        let proof = import(&directory, &["accounts", "grants"], &text).await;
        for named in proofs.values_mut().filter(|named| named.is_null()) {
            *named = proof["id"].clone();
        }
    }
    assert!(proofs.len() > 30, "only {} left", proofs.len());
    crate::support::eventually("every offboarding is completed", async || {
        let open = server.client.get("/api/personnel-events?status=Completed").await;
        (open.json["totalCount"] == proofs.len()).then_some(())
    })
    .await;
    let held: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM grants AS g JOIN accounts AS a ON a.id = g.account_id AND a.valid_to IS NULL
         JOIN identities AS i ON i.id = a.identity_id AND i.valid_to IS NULL
         WHERE g.valid_to IS NULL AND i.status = 'Removed'",
    )
    .fetch_one(&server.server.app.pool)
    .await
    .unwrap();
    assert_eq!(held, 0, "a leaver holds something");
    let requests: Vec<(Uuid, String, Option<Uuid>)> =
        sqlx::query_as("SELECT identity_id, status, evidence_import_id FROM access_requests")
            .fetch_all(&server.server.app.pool)
            .await
            .unwrap();
    assert_eq!(requests.len(), proofs.len(), "one application, one request");
    for (leaver, status, import) in requests {
        assert_eq!((status.as_str(), json!(import)), ("Completed", proofs[&leaver.to_string()].clone()));
    }
    println!("{} leavers, each proven by the import that showed their access gone", proofs.len());
    server.assert_verified_in(&[5000]).await;
    server.stop().await;
}
