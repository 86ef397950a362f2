//! Applications: made, listed, replaced, archived, scheduled.

use insta::assert_json_snapshot;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bodies::{GRANTS, application, directory, grants_only, group, payments};
use crate::support::client::Answer;
use crate::support::{TestServer, file_group, id, stable, whole};

fn path(application: &Value) -> String {
    format!("/api/applications/{}", id(application))
}

#[tokio::test]
async fn a_created_application_is_shown_whole() {
    let server = TestServer::start().await;
    let created = server.client.post("/api/applications", payments("Payments")).await;
    assert_json_snapshot!("application_created", whole(&created));
    let read = server.client.get(&path(&created.json)).await;
    assert_eq!((read.status, &read.json), (200, &created.json));
    server.assert_verified().await;
    server.stop().await;
}

/// The answers are put together from what was appended; a read must find the same.
#[tokio::test]
async fn every_change_answers_what_a_read_then_finds() {
    let server = TestServer::start().await;
    let application = server.create(grants_only("Payroll")).await;
    let parts = vec![(file_group(&application, "grants"), "g.csv".to_owned(), GRANTS.as_bytes().to_vec())];
    let import = server.client.upload(id(&application), parts).await.json;
    server.ended(&import).await;
    let mut wider = grants_only("Payroll and pensions");
    wider["priority"] = json!("High");
    wider["description"] = json!("Since the merger");
    wider["correlation"] = json!([{"account": "email", "identity": "email"}]);
    let is_found = async |answer: Answer, version: &str| {
        let read = server.client.get(&path(&application)).await;
        assert_eq!((answer.status, &answer.headers["etag"], &answer.json), (200, &read.headers["etag"], &read.json));
        assert_eq!(read.headers["etag"], version);
        assert!(read.json["lastImport"].is_object(), "{}", read.text);
    };
    is_found(server.client.put(&path(&application), wider.clone()).await, "\"2\"").await;
    is_found(server.client.put(&path(&application), wider).await, "\"2\"").await;
    is_found(server.client.put(&path(&application), grants_only("Pensions")).await, "\"3\"").await;
    is_found(server.schedule(&application, &[("grants", "hr/members.csv")]).await, "\"4\"").await;
    let archive = format!("{}/archive", path(&application));
    is_found(server.client.post(&archive, json!({})).await, "\"5\"").await;
    server.stop().await;
}

#[tokio::test]
async fn applications_are_listed_by_name_each_like_its_detail() {
    let server = TestServer::start().await;
    let payments = server.create(payments("Payments")).await;
    let directory = server.create(directory("Directory")).await;
    let listed = server.client.get("/api/applications").await;
    assert_json_snapshot!("application_list", whole(&listed));
    assert_eq!(listed.json["items"], json!([directory, payments]));
    server.stop().await;
}

#[tokio::test]
async fn the_last_import_is_the_most_recently_staged_one_whatever_its_status() {
    let server = TestServer::start().await;
    let application = server.create(payments("Payments")).await;
    assert_eq!(application["lastImport"], Value::Null);
    server.import(&application, "accounts", "nonsense\n1\n").await;
    let failed = server.client.get(&path(&application)).await.json;
    assert_json_snapshot!("application_last_import", stable(&failed["lastImport"]));
    assert_eq!(failed["lastImport"]["status"], "Failed");
    let listed = server.client.get("/api/applications").await.json;
    assert_eq!(listed["items"][0], failed);
    server.stop().await;
}

#[tokio::test]
async fn pages_hold_fifty_and_the_last_one_the_rest() {
    let server = TestServer::start().await;
    for number in 0..51 {
        server.create(grants_only(&format!("App {number:02}"))).await;
    }
    let page = async |page: &str| server.client.get(&format!("/api/applications?page={page}")).await.json;
    let first = page("1").await;
    assert_eq!(first["items"].as_array().unwrap().len(), 50);
    assert_eq!(first["items"][49]["name"], "App 49");
    let last = page("2").await;
    assert_eq!(last["items"].as_array().unwrap().len(), 1);
    assert_eq!(last["items"][0]["name"], "App 50");
    let beyond = page("9223372036854775807").await;
    assert_eq!(beyond["items"], json!([]));
    for answer in [first, last, beyond] {
        assert_eq!(
            (&answer["totalCount"], &answer["totalPages"], &answer["pageSize"]),
            (&json!(51), &json!(2), &json!(50))
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_definition_is_told_at_once_and_nothing_is_made() {
    let server = TestServer::start().await;
    let before = server.head().await;
    let answer = server
        .client
        .post(
            "/api/applications",
            json!({
                "removalLimit": 101,
                "description": "x".repeat(4001),
                "isIdentitySource": true,
                "connector": {"fileGroups": [
                    {"content": "grants", "columns": {"account": "user"}},
                    {"name": "Again", "content": "grants", "columns": {"account": "", "entitlement": {"columns": [], "join": ""}}},
                    {"name": "None"},
                ]},
                "correlation": [{"account": "isActive", "identity": "title"}, {"account": "", "identity": "key"}],
            }),
        )
        .await;
    assert_json_snapshot!("application_refused", whole(&answer));
    assert_eq!(server.head().await, before);
    server.stop().await;
}

#[tokio::test]
async fn a_broken_field_is_named_by_its_path() {
    let server = TestServer::start().await;
    let before = server.head().await;
    let with = |change: fn(&mut Value)| {
        let mut body = payments("Payments");
        change(&mut body);
        body
    };
    let cases: [(Value, &str, &str); 14] = [
        (with(|body| body["nmae"] = json!("x")), "nmae", "Unknown field `nmae`"),
        (with(|body| body["connector"]["kind"] = json!("x")), "connector.kind", "Unknown field `kind`"),
        (
            with(|body| body["connector"]["fileGroups"][1]["colour"] = json!(1)),
            "connector.fileGroups[1].colour",
            "Unknown field `colour`",
        ),
        (with(|body| body["priority"] = json!("Urgent")), "priority", "Unknown variant `Urgent`"),
        (with(|body| body["removalLimit"] = json!(-1)), "removalLimit", "-1"),
        (with(|body| body["removalLimit"] = json!(256)), "removalLimit", "256"),
        (with(|body| body["name"] = json!(7)), "name", "expected a string"),
        (with(|body| body["name"] = json!("  ")), "name", "Name is required"),
        (with(|body| body["name"] = json!("x".repeat(257))), "name", "at most 256"),
        (with(|body| body["name"] = json!("a\u{0}b")), "name", "NUL"),
        (with(|body| body["connector"]["type"] = json!("direct")), "connector.type", "Unknown variant `direct`"),
        (with(|body| body["connector"]["fileGroups"][0]["id"] = json!("seven")), "connector.fileGroups[0].id", "UUID"),
        (
            with(|body| body["connector"]["fileGroups"][0]["columns"]["key"] = json!(3)),
            "connector.fileGroups[0].columns.key",
            "column name",
        ),
        (
            with(|body| body["connector"]["fileGroups"][0]["content"] = json!("identities")),
            "connector.fileGroups[0].content",
            "isIdentitySource",
        ),
    ];
    for (body, field, words) in cases {
        let answer = server.client.post("/api/applications", body).await;
        let (found, message) = answer.violation();
        assert_eq!(found, field);
        assert!(message.contains(words), "{field}: {message}");
    }
    assert_eq!(server.head().await, before);
    server.stop().await;
}

#[tokio::test]
async fn a_name_belongs_to_one_application_whatever_its_case() {
    let server = TestServer::start().await;
    let first = server.create(grants_only("Payroll")).await;
    let before = server.head().await;
    let second = server.client.post("/api/applications", grants_only(" PAYROLL ")).await;
    assert_json_snapshot!("application_name_taken", whole(&second));
    assert_eq!(server.head().await, before);
    // A rename frees the name.
    assert_eq!(server.client.put(&path(&first), grants_only("Wages")).await.status, 200);
    server.create(grants_only("payroll")).await;
    assert_eq!(server.client.put(&path(&first), grants_only("Payroll")).await.status, 409);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_replaced_definition_keeps_the_ids_of_its_file_groups() {
    let server = TestServer::start().await;
    let before = server.create(grants_only("Payroll")).await;
    let mut body = grants_only("Payroll");
    body["connector"]["fileGroups"].as_array_mut().unwrap().push(group("accounts", &["key"]));
    let after = server.client.put(&path(&before), body.clone()).await;
    assert_eq!(after.status, 200, "{}", after.text);
    assert_eq!(file_group(&after.json, "grants"), file_group(&before, "grants"));
    // The same again is no change, and no event.
    let head = server.head().await;
    let again = server.client.put(&path(&before), body).await;
    assert_eq!((again.status, &again.json), (200, &after.json));
    assert_eq!(server.head().await, head);
    server.stop().await;
}

#[tokio::test]
async fn an_etag_keeps_two_writers_from_overwriting_each_other() {
    let server = TestServer::start().await;
    let created = server.client.post("/api/applications", grants_only("Payroll")).await;
    let etag = created.headers["etag"].to_str().unwrap().to_owned();
    let put = async |etag: &str, name: &str| {
        let request = server.client.request(Method::PUT, &path(&created.json)).header("If-Match", etag);
        server.client.send(request.json(&grants_only(name))).await
    };
    let mine = put(&etag, "Mine").await;
    assert_eq!(mine.status, 200, "{}", mine.text);
    assert_ne!(mine.headers["etag"].to_str().unwrap(), etag);
    let head = server.head().await;
    assert_json_snapshot!("application_if_match_stale", whole(&put(&etag, "Yours").await));
    let schedule = server.client.request(Method::PUT, &format!("{}/import-schedule", path(&created.json)));
    let files = json!([{"fileGroupId": file_group(&created.json, "grants"), "path": "g.csv"}]);
    let stale = schedule.header("If-Match", &etag).json(&json!({"cron": "0 2 * * *", "files": files}));
    assert_eq!(server.client.send(stale).await.status, 412);
    assert_eq!(put("yesterday's", "Yours").await.violation().0, "If-Match");
    assert_eq!(server.head().await, head);
    assert_eq!(put("*", "Any").await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn an_archived_application_takes_no_more_changes_and_keeps_its_history() {
    let server = TestServer::start().await;
    let application = server.create(payments("Payments")).await;
    server.share("users.csv", "x");
    assert_eq!(server.schedule(&application, &[("accounts", "users.csv")]).await.status, 200);
    let archived =
        server.client.send(server.client.request(Method::POST, &format!("{}/archive", path(&application)))).await;
    assert_eq!((archived.status, &archived.json["isArchived"]), (200, &json!(true)), "{}", archived.text);
    let head = server.head().await;
    for answer in [
        server.client.post(&format!("{}/archive", path(&application)), json!({})).await,
        server.client.put(&path(&application), payments("Other")).await,
        server.schedule(&application, &[("accounts", "users.csv")]).await,
    ] {
        assert_eq!(answer.status, 409, "{}", answer.text);
        assert_eq!(answer.json["message"], "Application is archived");
    }
    for answer in [
        server.stage(&application).await,
        server
            .client
            .upload(id(&application), vec![(file_group(&application, "accounts"), "a".into(), b"b".into())])
            .await,
    ] {
        assert_eq!(answer.violation(), ("applicationId", "Application is archived"));
    }
    assert_eq!(server.head().await, head);
    assert_eq!(server.client.get(&path(&application)).await.json, archived.json);
    assert_eq!(server.client.get("/api/applications").await.json["items"], json!([archived.json]));
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn archiving_while_an_import_waits_makes_it_fail_with_the_reason() {
    let server = TestServer::start().await;
    let application = server.create(grants_only("Payroll")).await;
    let hold = server.hold("work.leases").await;
    let parts = vec![(file_group(&application, "grants"), "g.csv".to_owned(), GRANTS.as_bytes().to_vec())];
    let import = server.client.upload(id(&application), parts).await.json;
    assert_eq!(server.client.post(&format!("{}/archive", path(&application)), json!({})).await.status, 200);
    hold.release().await;
    let ended = server.ended(&import).await;
    assert_eq!((&ended["status"], &ended["metrics"]), (&json!("Failed"), &Value::Null));
    assert!(ended["log"].as_str().unwrap().contains("Application is archived"), "{}", ended["log"]);
    assert_eq!(server.grants(&application).await, Vec::<String>::new());
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_schedule_is_part_of_its_application() {
    let server = TestServer::start().await;
    let application = server.create(payments("Payments")).await;
    let set = server.schedule(&application, &[("accounts", "hr/users.csv"), ("grants", "hr/members.csv")]).await;
    assert_json_snapshot!("import_schedule_set", whole(&set));
    let defaults = server
        .client
        .put(
            &format!("{}/import-schedule", path(&application)),
            json!({"cron": " */15 6-18 * * 1-5 ", "files": [{"fileGroupId": file_group(&application, "accounts"), "path": "u.csv"}]}),
        )
        .await;
    let schedule = &defaults.json["importSchedule"];
    assert_eq!(schedule["cron"], "*/15 6-18 * * 1-5");
    assert_eq!((&schedule["timezone"], &schedule["isEnabled"]), (&json!("UTC"), &json!(true)));
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_schedule_stays_inside_the_shared_directory_and_its_connector() {
    let server = TestServer::start().await;
    let application = server.create(payments("Payments")).await;
    let group = file_group(&application, "accounts");
    let before = server.head().await;
    let put = async |body: Value| server.client.put(&format!("{}/import-schedule", path(&application)), body).await;
    for bad in [
        "/etc/passwd",
        "../users.csv",
        "hr/../../users.csv",
        "hr\\..\\..\\users.csv",
        "C:\\users.csv",
        "\\\\host\\u",
        "",
        " ",
        "a\u{0}b",
    ] {
        let answer = put(json!({"cron": "0 2 * * *", "files": [{"fileGroupId": group, "path": bad}]})).await;
        assert_eq!(answer.violation().0, "files[0].path", "{bad:?}");
    }
    let unknown = "018f0000-0000-7000-8000-00000000dead";
    let file = |group: &str| json!({"fileGroupId": group, "path": "u.csv"});
    for (body, field, words) in [
        (json!({"files": [file(&group)]}), "cron", "Cron is required"),
        (json!({"cron": "0 2 * * *"}), "files", "Files are required"),
        (json!({"cron": "0 2 * *", "files": [file(&group)]}), "cron", "five fields"),
        (json!({"cron": "0 0 2 * * *", "files": [file(&group)]}), "cron", "five fields"),
        (json!({"cron": "61 2 * * *", "files": [file(&group)]}), "cron", "five fields"),
        (json!({"cron": "0 2 * * *", "timezone": "Mars/Olympus", "files": [file(&group)]}), "timezone", "Mars/Olympus"),
        (json!({"cron": "0 2 * * *", "files": []}), "files", "Users"),
        (json!({"cron": "0 2 * * *", "files": [file(&group), file(unknown)]}), "files[1].fileGroupId", "Members"),
        (json!({"cron": "0 2 * * *", "files": [file(&group), file(&group)]}), "files[1].fileGroupId", "twice"),
        (json!({"cron": "0 2 * * *", "files": [file("x")]}), "files[0].fileGroupId", "UUID"),
        (json!({"cron": "0 2 * * *", "files": [{"fileGroupId": group}]}), "files[0].path", "Missing field"),
        (json!({"cron": "0 2 * * *", "files": [], "when": 1}), "when", "Unknown field"),
    ] {
        let answer = put(body).await;
        let (found, message) = answer.violation();
        assert_eq!(found, field);
        assert!(message.contains(words), "{field}: {message}");
    }
    assert_eq!(server.head().await, before);
    server.stop().await;
}

#[tokio::test]
async fn the_lists_of_an_application_show_what_its_feeds_say() {
    use crate::support::bodies::{ACCOUNTS, ENTITLEMENTS, PEOPLE};
    let server = TestServer::start().await;
    let people = server.create(directory("Directory")).await;
    let payments = server.create(payments("Payments")).await;
    server.import(&people, "identities", PEOPLE).await;
    server.import_all(&payments, &[("accounts", ACCOUNTS), ("entitlements", ENTITLEMENTS), ("grants", GRANTS)]).await;
    for noun in ["accounts", "entitlements", "grants"] {
        let listed = server.client.get(&format!("{}/{noun}", path(&payments))).await;
        assert_json_snapshot!(format!("application_{noun}"), whole(&listed));
    }
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn accounts_that_are_nobodys_are_a_class_that_lists_show() {
    use crate::support::bodies::{ACCOUNTS, PEOPLE};
    let server = TestServer::start().await;
    let people = server.create(directory("Directory")).await;
    let payments = server.create(payments("Payments")).await;
    server.import(&people, "identities", PEOPLE).await;
    let import = server.import(&payments, "accounts", ACCOUNTS).await;
    assert_eq!(import["metrics"]["uncorrelatedAccounts"], 1);
    assert_eq!(server.keys(&payments, "accounts").await, ["akeller", "batch", "rmartinez"]);
    assert_eq!(server.keys(&payments, "accounts?correlated=false").await, ["batch"]);
    assert_eq!(server.keys(&payments, "accounts?correlated=true").await, ["akeller", "rmartinez"]);
    let bad = server.client.get(&format!("{}/accounts?correlated=maybe", path(&payments))).await;
    assert_eq!(bad.violation().0, "correlated");
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_correlation_of_ones_own_replaces_the_default() {
    let server = TestServer::start().await;
    let people = server.create(directory("Directory")).await;
    server.import(&people, "identities", crate::support::bodies::PEOPLE).await;
    let mut body = application("Doors", &[group("accounts", &["key", "email", "badgeNumber"])]);
    body["correlation"] =
        json!([{"account": "badgeNumber", "identity": "badge"}, {"account": "key", "identity": "displayName"}]);
    let doors = server.create(body).await;
    assert_eq!(doors["correlation"].as_array().unwrap().len(), 2);
    let feed = "key,email,badgeNumber\nd1,ann@example.com,b-7\nbob ziegler,ann@example.com,\nd3,ann@example.com,\n";
    server.import(&doors, "accounts", feed).await;
    let accounts = server.items(&format!("{}/accounts", path(&doors))).await;
    let why = |key: &str| accounts.iter().find(|account| account["key"] == key).unwrap()["correlatedBy"].clone();
    assert_eq!(why("d1"), "badgeNumber = badge");
    assert_eq!(why("bob ziegler"), "key = displayName");
    // By e-mail Ann would be found; that rule isn't among them.
    assert_eq!(why("d3"), Value::Null);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn an_identity_column_of_accounts_correlates_by_key_first() {
    let server = TestServer::start().await;
    let people = server.create(directory("Directory")).await;
    server.import(&people, "identities", crate::support::bodies::PEOPLE).await;
    let app = server.create(application("Doors", &[group("accounts", &["key", "identity", "email"])])).await;
    let rules = json!([
        {"account": "identity", "identity": "key"},
        {"account": "employeeId", "identity": "employeeId"},
        {"account": "email", "identity": "email"}
    ]);
    assert_eq!(app["correlation"], rules);
    server.import(&app, "accounts", "key,identity,email\nd1,p3,ann@example.com\nd2,p9,ann@example.com\n").await;
    let accounts = server.items(&format!("{}/accounts", path(&app))).await;
    assert_eq!(accounts[0]["correlatedBy"], "identity = key");
    assert_eq!(accounts[1]["correlatedBy"], "email = email");
    assert_ne!(accounts[0]["identityId"], accounts[1]["identityId"]);
    server.stop().await;
}

#[tokio::test]
async fn an_unknown_application_is_not_found_and_a_malformed_id_is_a_bad_request() {
    let server = TestServer::start().await;
    let before = server.head().await;
    let unknown = "018f0000-0000-7000-8000-00000000dead";
    let requests = |id: &str| {
        [
            (Method::GET, format!("/api/applications/{id}")),
            (Method::GET, format!("/api/applications/{id}/accounts")),
            (Method::GET, format!("/api/applications/{id}/entitlements")),
            (Method::GET, format!("/api/applications/{id}/grants")),
            (Method::POST, format!("/api/applications/{id}/archive")),
            (Method::PUT, format!("/api/applications/{id}")),
            (Method::PUT, format!("/api/applications/{id}/import-schedule")),
        ]
    };
    let send = async |method: Method, path: String| {
        let request = server.client.request(method.clone(), &path);
        let body =
            if path.ends_with("schedule") { json!({"cron": "0 2 * * *", "files": []}) } else { grants_only("P") };
        server.client.send(if method == Method::PUT { request.json(&body) } else { request }).await
    };
    for (method, path) in requests(unknown) {
        let answer = send(method, path.clone()).await;
        assert_eq!((answer.status, &answer.json["error"]), (404, &json!("not_found")), "{path}: {}", answer.text);
        assert_eq!(answer.json["message"], format!("Application with id {unknown} not found"), "{path}");
    }
    for malformed in ["7", "null", "018f0000-0000-7000-8000-00000000dea", "%00", "%FF", "..%2f..", "ä"] {
        for (method, path) in requests(malformed) {
            assert_eq!(send(method, path.clone()).await.violation().0, "id", "{path}");
        }
    }
    assert_eq!(server.head().await, before);
    server.stop().await;
}
