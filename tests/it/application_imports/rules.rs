//! What a full feed means: removal and its exceptions, contradictions, groups that aren't delivered, the same feed again.

use serde_json::{Value, json};

use crate::support::bodies::{
    ACCOUNTS, ENTITLEMENTS, GRANTS, PEOPLE, application, directory, grants_only, group, payments,
};
use crate::support::{TestServer, id};

/// Streams that a feed may change.
const ACCESS: &[&str] = &["identity", "account", "entitlement"];

fn counts(added: u64, changed: u64, removed: u64, unchanged: u64) -> Value {
    json!({"added": added, "changed": changed, "removed": removed, "unchanged": unchanged})
}

#[tokio::test]
async fn the_same_feed_again_appends_no_event_of_anybody() {
    let server = TestServer::start().await;
    let people = server.create(directory("Directory")).await;
    let app = server.create(payments("Payments")).await;
    let files = [("accounts", ACCOUNTS), ("entitlements", ENTITLEMENTS), ("grants", GRANTS)];
    server.import(&people, "identities", PEOPLE).await;
    server.import_all(&app, &files).await;
    let head = server.head().await;
    let again = server.import(&people, "identities", PEOPLE).await;
    assert_eq!(again["metrics"]["identities"], counts(0, 0, 0, 4));
    let again = server.import_all(&app, &files).await;
    assert_eq!(again["metrics"]["accounts"], counts(0, 0, 0, 3));
    assert_eq!(again["metrics"]["entitlements"], counts(0, 0, 0, 2));
    assert_eq!(again["metrics"]["grants"], counts(0, 0, 0, 4));
    assert_eq!(again["metrics"]["changePercent"], 0.0);
    assert_eq!(server.events_after(head, ACCESS).await, 0);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_full_feed_adds_changes_and_removes() {
    let server = TestServer::start().await;
    let app = server.create(payments("Payments")).await;
    server.import_all(&app, &[("accounts", ACCOUNTS), ("grants", GRANTS)]).await;
    let accounts = "login,full name,mail,number,active,last login,kind,cost centre\n\
                    akeller,Ann Keller-Frey,ANN@example.com,,yes,2026-03-14T17:20:00Z,user,4711\n\
                    rmartinez,Robert Martinez,,1001,true,2026-03-01,admin,4700\n\
                    new,New,,,,,,\n";
    let grants =
        "user,permission,since\nakeller,pay.read,2025-01-01\nnew,pay.read,\nrmartinez,pay.approve,2023-06-30\n";
    let import = server.import_all(&app, &[("accounts", accounts), ("grants", grants)]).await;
    assert_eq!(import["metrics"]["accounts"], counts(1, 1, 1, 1));
    assert_eq!(import["metrics"]["grants"], counts(1, 1, 2, 1));
    assert_eq!(server.keys(&app, "accounts").await, ["akeller", "new", "rmartinez"]);
    assert_eq!(server.grants(&app).await, ["akeller pay.read", "new pay.read", "rmartinez pay.approve"]);
    let grants = server.items(&format!("/api/applications/{}/grants", id(&app))).await;
    let changed = grants.iter().find(|grant| grant["account"]["key"] == "akeller").unwrap();
    // A change of attributes leaves who granted it, and when.
    assert_eq!((&changed["attributes"]["since"], &changed["grantedBy"]["number"]), (&json!("2025-01-01"), &json!(1)));
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_rejected_row_protects_what_it_names_from_removal() {
    let server = TestServer::start().await;
    let app = server.create(payments("Payments")).await;
    server.import_all(&app, &[("accounts", ACCOUNTS), ("entitlements", ENTITLEMENTS), ("grants", GRANTS)]).await;
    let before = server.items(&format!("/api/applications/{}/accounts", id(&app))).await;
    let accounts = "login,full name,mail,number,active,last login,kind,cost centre\nakeller,Changed,,,yes,2026-02-30,,\n\
                    batch,Night Batch,,,no,,service,\n";
    let entitlements = "code,label,kind,about,owner,power\npay.approve,Approve,role,,,perhaps\n";
    let grants = "user,permission,since\nakeller,pay.read\nbatch,pay.read,\n";
    let import =
        server.import_all(&app, &[("accounts", accounts), ("entitlements", entitlements), ("grants", grants)]).await;
    assert_eq!((&import["status"], &import["metrics"]["rowsRejected"]), (&json!("Finished"), &json!(3)), "{import}");
    let after = server.items(&format!("/api/applications/{}/accounts", id(&app))).await;
    // Ann stays as she was, Robert is gone.
    assert_eq!(after, [before[0].clone(), before[1].clone()]);
    assert_eq!(server.keys(&app, "entitlements").await, ["pay.approve", "pay.read"]);
    assert_eq!(server.grants(&app).await, ["akeller pay.read", "batch pay.read"]);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn when_a_key_cannot_be_read_nothing_is_removed_and_the_log_says_so() {
    let server = TestServer::start().await;
    let app = server.create(payments("Payments")).await;
    server.import_all(&app, &[("accounts", ACCOUNTS), ("entitlements", ENTITLEMENTS), ("grants", GRANTS)]).await;
    let held = server.grants(&app).await;
    let header = "login,full name,mail,number,active,last login,kind,cost centre";
    for key in ["", "  ", "nul\u{0}", &"k".repeat(513)] {
        let feed = format!("{header}\nnew,New,,,,,,\n{key},Who?,,,,,,\n");
        let import = server.import(&app, "accounts", &feed).await;
        assert_eq!((&import["status"], &import["metrics"]["accounts"]["removed"]), (&json!("Finished"), &json!(0)));
        let log = import["log"].as_str().unwrap();
        assert!(log.contains("Nothing was removed because of accounts.csv") && log.contains("row 3"), "{log}");
        assert_eq!(server.keys(&app, "accounts").await, ["akeller", "batch", "new", "rmartinez"]);
    }
    let import =
        server.import_all(&app, &[("accounts", ACCOUNTS), ("grants", "user,permission,since\n,pay.read,\n")]).await;
    assert_eq!(import["metrics"]["grants"], counts(0, 0, 0, 4));
    assert!(import["log"].as_str().unwrap().contains("grants.csv: the key of row 2"), "{import}");
    assert_eq!(server.grants(&app).await, held);
    let import = server
        .import_all(&app, &[("accounts", ACCOUNTS), ("entitlements", "code,label,kind,about,owner,power\n,x,,,,\n")])
        .await;
    assert_eq!(import["metrics"]["entitlements"]["removed"], 0);
    assert!(import["log"].as_str().unwrap().contains("entitlements.csv"), "{import}");
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn an_unreadable_grant_removes_neither_accounts_nor_entitlements_that_grants_make() {
    let server = TestServer::start().await;
    let app = server.create(grants_only("Payroll")).await;
    server.import(&app, "grants", GRANTS).await;
    let held = server.grants(&app).await;
    let import = server.import(&app, "grants", "user,permission\nann,\n").await;
    assert_eq!((&import["status"], &import["metrics"]["rowsRejected"]), (&json!("Finished"), &json!(1)));
    assert_eq!(server.grants(&app).await, held);
    assert_eq!(server.keys(&app, "accounts").await.len(), 3);
    assert_eq!(server.keys(&app, "entitlements").await.len(), 2);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn of_contradicting_rows_none_applies_and_what_is_known_stays() {
    let server = TestServer::start().await;
    let app = server.create(application("Doors", &[group("accounts", &["key", "name"])])).await;
    server.import(&app, "accounts", "key,name\nann,Ann\nbob,Bob\n").await;
    let head = server.head().await;
    let import =
        server.import(&app, "accounts", "key,name\nann,Anna\nbob,Bob\nann,Anne\nann,Anna\nnew,A\nnew,B\n").await;
    assert_eq!(import["metrics"]["rowsRejected"], 5);
    assert_eq!(server.events_after(head, ACCESS).await, 0);
    let issues = server.items(&format!("/api/application-imports/{}/issues", id(&import))).await;
    let told: Vec<(i64, &str)> =
        issues.iter().map(|issue| (issue["row"].as_i64().unwrap(), issue["message"].as_str().unwrap())).collect();
    let message = |rows: &str| format!("The row contradicts row {rows} of the same key; none of them applies");
    let expected = [(2, "4, 5"), (4, "2, 5"), (5, "2, 4"), (6, "7"), (7, "6")];
    assert_eq!(told.len(), expected.len());
    for ((row, found), (wanted, rows)) in told.into_iter().zip(expected) {
        assert_eq!((row, found), (wanted, message(rows).as_str()));
    }
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn contradicting_grants_leave_the_grant_as_it_is() {
    let server = TestServer::start().await;
    let app = server.create(application("Doors", &[group("grants", &["account", "entitlement", "since"])])).await;
    server.import(&app, "grants", "account,entitlement,since\nann,in,2020\n").await;
    let head = server.head().await;
    let import = server.import(&app, "grants", "account,entitlement,since\nann,in,2021\nann,in,2022\n").await;
    assert_eq!(import["metrics"]["rowsRejected"], 2);
    assert_eq!(server.events_after(head, ACCESS).await, 0);
    assert_eq!(server.grants(&app).await, ["ann in"]);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn identical_rows_count_once_and_are_reported() {
    let server = TestServer::start().await;
    let app = server.create(grants_only("Payroll")).await;
    let import = server.import(&app, "grants", "user,permission\nann,read\nbob,read\nann,read\nann , read\n").await;
    let metrics = &import["metrics"];
    assert_eq!(
        (&metrics["rowsRead"], &metrics["rowsRejected"], &metrics["duplicates"]),
        (&json!(4), &json!(0), &json!(2))
    );
    assert_eq!(metrics["grants"], counts(2, 0, 0, 0));
    assert_eq!(server.issues(&import).await, ["4 duplicate_row", "5 duplicate_row"]);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_group_that_is_not_delivered_leaves_its_content_as_it_is() {
    let server = TestServer::start().await;
    let app = server.create(payments("Payments")).await;
    server.import_all(&app, &[("accounts", ACCOUNTS), ("entitlements", ENTITLEMENTS), ("grants", GRANTS)]).await;
    let shown = async || {
        let mut shown = Vec::new();
        for noun in ["accounts", "entitlements", "grants"] {
            shown.push(server.items(&format!("/api/applications/{}/{noun}", id(&app))).await);
        }
        shown
    };
    let before = shown().await;
    let head = server.head().await;
    let import = server.import(&app, "accounts", ACCOUNTS).await;
    assert_eq!(import["metrics"]["grants"], counts(0, 0, 0, 0));
    assert_eq!((server.events_after(head, ACCESS).await, shown().await), (0, before));
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn an_account_that_leaves_takes_its_access_along_and_brings_none_back() {
    let server = TestServer::start().await;
    let app = server.create(payments("Payments")).await;
    server.import_all(&app, &[("accounts", ACCOUNTS), ("grants", GRANTS)]).await;
    let before = server.items(&format!("/api/applications/{}/accounts", id(&app))).await;
    let without: String = ACCOUNTS
        .lines()
        .filter(|line| !line.starts_with("rmartinez"))
        .fold(String::new(), |all, line| all + line + "\n");
    let import = server.import(&app, "accounts", &without).await;
    assert_eq!(import["metrics"]["accounts"], counts(0, 0, 1, 2));
    assert_eq!(import["metrics"]["grants"]["removed"], 2);
    assert_eq!(server.grants(&app).await, ["akeller pay.read", "batch pay.read"]);
    let import = server.import(&app, "accounts", ACCOUNTS).await;
    assert_eq!(import["metrics"]["accounts"], counts(1, 0, 0, 2));
    assert_eq!(server.items(&format!("/api/applications/{}/accounts", id(&app))).await, before);
    assert_eq!(server.grants(&app).await, ["akeller pay.read", "batch pay.read"]);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn an_unknown_account_in_grants_is_an_issue_when_accounts_have_a_file() {
    let server = TestServer::start().await;
    let app = server.create(payments("Payments")).await;
    server.import(&app, "accounts", ACCOUNTS).await;
    let grants = "user,permission,since\nakeller,pay.read,\nghost,pay.read,\nghost,pay.approve,\n";
    let import = server.import_all(&app, &[("accounts", ACCOUNTS), ("grants", grants)]).await;
    assert_eq!((&import["status"], &import["metrics"]["rowsRejected"]), (&json!("Finished"), &json!(2)));
    assert_eq!(server.issues(&import).await, ["3 unknown_account", "4 unknown_account"]);
    let issues = server.items(&format!("/api/application-imports/{}/issues", id(&import))).await;
    assert_eq!(issues[0]["value"], "ghost");
    assert_eq!(server.grants(&app).await, ["akeller pay.read"]);
    assert_eq!(server.keys(&app, "entitlements").await, ["pay.read"]);
    // Without such a file grants make their accounts.
    let other = server.create(grants_only("Payroll")).await;
    let import = server.import(&other, "grants", "user,permission\nghost,read\n").await;
    assert_eq!(
        (server.issues(&import).await.len(), server.keys(&other, "accounts").await),
        (0, vec!["ghost".to_owned()])
    );
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn what_no_grant_names_any_more_is_removed_and_returns_under_the_same_id() {
    let server = TestServer::start().await;
    let app = server.create(grants_only("Payroll")).await;
    server.import(&app, "grants", "user,permission\nann,read\nbob,write\n").await;
    let path = |noun: &str| format!("/api/applications/{}/{noun}", id(&app));
    let before = (server.items(&path("accounts")).await, server.items(&path("entitlements")).await);
    let import = server.import(&app, "grants", "user,permission\nann,read\n").await;
    assert_eq!(import["metrics"]["accounts"], counts(0, 0, 1, 1));
    assert_eq!(import["metrics"]["entitlements"], counts(0, 0, 1, 1));
    assert_eq!(server.keys(&app, "accounts").await, ["ann"]);
    assert_eq!(server.keys(&app, "entitlements").await, ["read"]);
    let import = server.import(&app, "grants", "user,permission\nann,read\nbob,write\n").await;
    assert_eq!(import["metrics"]["accounts"], counts(1, 0, 0, 1));
    assert_eq!((server.items(&path("accounts")).await, server.items(&path("entitlements")).await), before);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn an_entitlement_with_a_file_of_its_own_is_there_without_a_grant() {
    let server = TestServer::start().await;
    let app = server.create(payments("Payments")).await;
    server.import_all(&app, &[("accounts", ACCOUNTS), ("entitlements", ENTITLEMENTS)]).await;
    assert_eq!(server.keys(&app, "entitlements").await, ["pay.approve", "pay.read"]);
    // A grant may name one that the file doesn't.
    let grants = "user,permission,since\nakeller,pay.undo,\n";
    server.import_all(&app, &[("accounts", ACCOUNTS), ("grants", grants)]).await;
    assert_eq!(server.keys(&app, "entitlements").await, ["pay.approve", "pay.read", "pay.undo"]);
    // Neither its file nor a grant names it: removed.
    let entitlements = "code,label,kind,about,owner,power\npay.read,Read payments,role,,,no\n";
    server.import_all(&app, &[("accounts", ACCOUNTS), ("entitlements", entitlements), ("grants", grants)]).await;
    assert_eq!(server.keys(&app, "entitlements").await, ["pay.read", "pay.undo"]);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn joined_columns_leave_empty_ones_out() {
    let server = TestServer::start().await;
    let mut body = grants_only("Payroll");
    body["connector"]["fileGroups"][0]["columns"]["entitlement"] =
        json!({"columns": ["area", "right", "level"], "join": "/"});
    let app = server.create(body).await;
    server.import(&app, "grants", "user,level,area,right\nann,2,pay,read\nbob,,pay,read\ncy,,,read\n").await;
    assert_eq!(server.grants(&app).await, ["ann pay/read/2", "bob pay/read", "cy read"]);
    server.stop().await;
}

#[tokio::test]
async fn an_address_that_changes_in_the_feed_that_also_brings_the_accounts_is_settled_at_once() {
    let server = TestServer::start().await;
    let groups =
        vec![group("identities", &["key", "email", "displayName", "supervisor"]), group("accounts", &["key", "email"])];
    let app = server.create(application("Directory", &groups)).await;
    let people = |mail: &str, name: &str| {
        format!("key,email,displayName,supervisor\np1,{mail},{name},\np2,bob@example.com,Bob,Ann Keller\n")
    };
    let accounts = "key,email\nann,ann@example.com\n";
    server.import_all(&app, &[("identities", &people("ann@example.com", "Ann Keller")), ("accounts", accounts)]).await;
    let changed = people("ann.frey@example.com", "Ann Frey");
    let files = [("identities", changed.as_str()), ("accounts", accounts)];
    server.import_all(&app, &files).await;
    // Nobody has the account's address any more, nor the supervisor's name.
    assert_eq!(server.keys(&app, "accounts?correlated=false").await, ["ann"]);
    let head = server.head().await;
    server.import_all(&app, &files).await;
    assert_eq!(server.events_after(head, ACCESS).await, 0, "the same feed again is no news");
    server.assert_verified().await;
    server.stop().await;
}
