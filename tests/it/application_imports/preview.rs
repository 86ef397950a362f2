//! Previews and the changes of imports (rulings 20): what a preview says is what the import then does.

use serde_json::{Value, json};

use crate::support::bodies::{directory, grants_only, payments};
use crate::support::{TestServer, file_group, id};

async fn upload(server: &TestServer, application: &Value, query: &str, files: &[(&str, &str)]) -> Value {
    let parts = files
        .iter()
        .map(|(content, csv)| (file_group(application, content), format!("{content}.csv"), csv.as_bytes().to_vec()))
        .collect();
    let answer =
        server.client.upload_to(&format!("/api/application-imports/upload{query}"), id(application), parts).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    server.ended(&answer.json).await
}

fn lines(count: u32, line: impl Fn(u32) -> String) -> String {
    (0..count).map(line).collect::<Vec<_>>().join("\n")
}

async fn changes(server: &TestServer, import: &Value) -> Vec<Value> {
    server.items(&format!("/api/application-imports/{}/changes", id(import))).await
}

#[tokio::test]
async fn a_preview_applies_nothing_and_says_what_the_import_then_does() {
    let server = TestServer::start().await;
    let people = server.create(directory("Directory")).await;
    let bank = server.create(payments("Payments")).await;
    let everything = |grants| {
        let (accounts, entitlements) = (crate::support::bodies::ACCOUNTS, crate::support::bodies::ENTITLEMENTS);
        [("accounts", accounts), ("entitlements", entitlements), ("grants", grants)]
    };
    let grants = crate::support::bodies::GRANTS;
    let fewer: String =
        grants.lines().filter(|line| !line.contains("approve")).map(|line| line.to_owned() + "\n").collect();
    assert_ne!(grants, fewer);
    let feeds: [(&Value, Vec<(&str, &str)>); 3] = [
        (&people, vec![("identities", crate::support::bodies::PEOPLE)]),
        (&bank, everything(grants).to_vec()),
        (&bank, everything(&fewer).to_vec()),
    ];
    for (application, files) in feeds {
        let before = server.events_after(0, &["identity", "account", "entitlement"]).await;
        let preview = upload(&server, application, "?preview=true", &files).await;
        assert_eq!((&preview["status"], &preview["preview"]), (&json!("Finished"), &json!(true)), "{preview}");
        assert!(preview["log"].as_str().unwrap().contains("nothing was applied"));
        assert_eq!(server.events_after(0, &["identity", "account", "entitlement"]).await, before);
        let planned = changes(&server, &preview).await;
        assert!(!planned.is_empty());
        let made = upload(&server, application, "", &files).await;
        assert_eq!(made["status"], "Finished", "{made}");
        assert_eq!(made.get("preview"), None);
        assert_eq!(made["metrics"], preview["metrics"]);
        let made = changes(&server, &made).await;
        // Ids of new people are not known before they are made.
        let told = |changes: Vec<Value>| -> Vec<Value> {
            let without_ids = |mut change: Value| {
                if let Some(record) = change["after"].as_object_mut() {
                    record.remove("supervisorId");
                }
                change
            };
            changes.into_iter().map(without_ids).collect()
        };
        let sorted = |changes| {
            let mut changes = told(changes);
            changes.sort_by_key(ToString::to_string);
            changes
        };
        assert_eq!(sorted(made), sorted(planned));
    }
    // Long afterwards a preview still says what was before it.
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn changes_tell_what_was_before_and_what_is_after() {
    let server = TestServer::start().await;
    let mut body = grants_only("Payroll");
    body["connector"]["fileGroups"][0]["columns"]["level"] = json!("level");
    body["removalLimit"] = json!(100);
    let application = server.create(body).await;
    let first =
        upload(&server, &application, "", &[("grants", "user,permission,level\nann,read,1\nbo,read,1\n")]).await;
    let second =
        upload(&server, &application, "", &[("grants", "user,permission,level\nann,read,2\nann,write,1\n")]).await;
    let attributes = |level: &str| json!({"attributes": {"level": level}});
    let key = |account: &str, entitlement: &str| json!({"account": account, "entitlement": entitlement});
    let grant = |action: &str, key: Value, before: Value, after: Value| json!({"kind": "Grant", "action": action, "key": key, "before": before, "after": after});
    let of_grants = |changes: Vec<Value>| -> Vec<Value> {
        let mut grants: Vec<Value> = changes.into_iter().filter(|change| change["kind"] == "Grant").collect();
        grants.sort_by_key(|change| change["key"].to_string());
        grants
    };
    assert_eq!(
        of_grants(changes(&server, &first).await),
        [
            grant("Added", key("ann", "read"), Value::Null, attributes("1")),
            grant("Added", key("bo", "read"), Value::Null, attributes("1")),
        ]
    );
    let second = changes(&server, &second).await;
    assert_eq!(
        of_grants(second.clone()),
        [
            grant("Changed", key("ann", "read"), attributes("1"), attributes("2")),
            grant("Added", key("ann", "write"), Value::Null, attributes("1")),
            grant("Removed", key("bo", "read"), attributes("1"), Value::Null),
        ]
    );
    let gone = json!({"kind": "Account", "action": "Removed", "key": "bo", "before": {}, "after": null});
    assert!(second.contains(&gone), "{second:?}");
    server.stop().await;
}

#[tokio::test]
async fn many_changes_are_paged_in_the_order_of_the_log() {
    let server = TestServer::start().await;
    let application = server.create(grants_only("Payroll")).await;
    // The event of an account holds 700 changes: most pages cut one, and the thousandth change of an import lies amid one.
    let rows: String = lines(1300, |number| format!("user {},permission {number:04}", number / 700));
    let feed = format!("user,permission\n{rows}");
    for query in ["?preview=true", ""] {
        let import = upload(&server, &application, query, &[("grants", &feed)]).await;
        // 2 accounts, 1300 entitlements and 1300 grants.
        let all = changes(&server, &import).await;
        assert_eq!(all.len(), 2602);
        let mut distinct: Vec<String> = all.iter().map(ToString::to_string).collect();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 2602);
        for beyond in ["54", "99", "92233720368547758"] {
            let path = format!("/api/application-imports/{}/changes?page={beyond}", id(&import));
            let beyond = server.client.get(&path).await;
            assert_eq!((&beyond.json["items"], &beyond.json["totalCount"]), (&json!([]), &json!(2602)));
        }
    }
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_preview_says_that_the_import_would_be_held_back_and_what_it_would_remove() {
    let server = TestServer::start().await;
    let application = server.create(grants_only("Payroll")).await;
    let rows: String = lines(40, |number| format!("user {number},read"));
    let full = format!("user,permission\n{rows}");
    upload(&server, &application, "", &[("grants", &full)]).await;
    let feed = "user,permission\nuser 1,read\n";
    let preview = upload(&server, &application, "?preview=true", &[("grants", feed)]).await;
    assert_eq!(preview["status"], "Finished");
    assert!(preview["log"].as_str().unwrap().contains("it would be held back"), "{preview}");
    let held = upload(&server, &application, "", &[("grants", feed)]).await;
    assert_eq!(held["status"], "Failed");
    let planned = changes(&server, &held).await;
    assert_eq!(planned.iter().filter(|change| change["action"] == "Removed" && change["kind"] == "Grant").count(), 39);
    assert_eq!(planned, changes(&server, &preview).await);
    // A preview can't be accepted, since it removes nothing; what was held back can.
    let accept = |import: &Value| format!("?acceptRemovalsOf={}", id(import));
    let parts = vec![(file_group(&application, "grants"), "g.csv".to_owned(), feed.as_bytes().to_vec())];
    let path = format!("/api/application-imports/upload{}", accept(&preview));
    assert_eq!(server.client.upload_to(&path, id(&application), parts).await.status, 400);
    let through = upload(&server, &application, &accept(&held), &[("grants", feed)]).await;
    assert_eq!(through["status"], "Finished", "{through}");
    assert_eq!(server.grants(&application).await, ["user 1 read"]);
    server.stop().await;
}

#[tokio::test]
async fn a_staged_preview_reads_the_schedules_files() {
    let server = TestServer::start().await;
    let application = server.create(grants_only("Payroll")).await;
    server.share("grants.csv", "user,permission\nann,read\n");
    assert_eq!(server.schedule(&application, &[("grants", "grants.csv")]).await.status, 200);
    let body = json!({"applicationId": id(&application)});
    let refused = server.client.post("/api/application-imports/stage?preview=maybe", body.clone()).await;
    assert_eq!(refused.violation(), ("preview", "\"maybe\" is neither true nor false"));
    let answer = server.client.post("/api/application-imports/stage?preview=true", body).await;
    assert_eq!((answer.status, &answer.json["preview"]), (201, &json!(true)), "{}", answer.text);
    let preview = server.ended(&answer.json).await;
    assert_eq!(preview["metrics"]["grants"]["added"], 1);
    assert_eq!(server.grants(&application).await, Vec::<String>::new());
    server.stop().await;
}
