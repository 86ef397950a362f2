//! Bad files and bad rows: a clear reason, and nothing lost, half-applied or guessed.

use std::fmt::Write;

use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::support::bodies::{ACCOUNTS, GRANTS, application, grants_only, group, payments};
use crate::support::{TestServer, id, stable};

#[tokio::test]
async fn a_fault_of_the_file_fails_the_import_and_leaves_everything_as_it_was() {
    let server = TestServer::start().await;
    let app = server.create(grants_only("Payroll")).await;
    server.import(&app, "grants", GRANTS).await;
    let known = server.grants(&app).await;
    let before = server.head().await;
    let columns = "c,".repeat(5001);
    let mut utf16: Vec<u8> = GRANTS.encode_utf16().flat_map(u16::to_le_bytes).collect();
    utf16.pop();
    let cases: Vec<(&str, Vec<u8>, &[&str])> = vec![
        (
            "an unknown column",
            b"user,role\nann,read\n".into(),
            &["grants.csv", "no column \"permission\"", "entitlement", "user, role"],
        ),
        ("another separator", b"user;permission\nann;read\n".into(), &["no column \"user\"", "user;permission"]),
        ("a column twice", b"user,permission,user\nann,read,bob\n".into(), &["\"user\" twice"]),
        ("a header only", b"user,permission\n".into(), &["a header and no rows"]),
        ("a header only, no line break", b"user,permission".into(), &["a header and no rows"]),
        ("blank lines only", b"\n\r\n\n".into(), &["is empty"]),
        ("a byte order mark only", b"\xEF\xBB\xBF".into(), &["is empty"]),
        ("bytes of no encoding", b"user,permission\nann,read\nb\x81b,read\n".into(), &["not UTF-8", "row 3"]),
        ("half a character of UTF-16", utf16, &["grants.csv", "no character of it"]),
        ("5,001 columns", columns.into(), &["5002 columns", "at most 5000"]),
        ("a spreadsheet", b"PK\x03\x04\x14\x00\x06\x00\x08\x00\xFF\xFE\n".into(), &["grants.csv"]),
        ("NUL bytes in the header", b"us\0er,permission\nann,read\n".into(), &["no column \"user\""]),
        ("a quote that is never closed", b"user,permission\nann,\"read\nbob,write\n".into(), &["quote"]),
    ];
    for (what, bytes, words) in cases {
        let import = server.import_bytes(&app, "grants", bytes).await;
        assert_eq!((&import["status"], &import["metrics"]), (&json!("Failed"), &Value::Null), "{what}: {import}");
        let log = import["log"].as_str().unwrap();
        for words in words {
            assert!(log.contains(words), "{what}: {log}");
        }
        assert!(log.len() < 4000, "{what}: a log of {} bytes", log.len());
        assert_eq!(server.grants(&app).await, known, "{what}");
    }
    assert_eq!(server.events_after(before, &["account", "entitlement", "identity"]).await, 0);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_header_of_ten_megabytes_fails_with_a_short_log() {
    let server = TestServer::start().await;
    let app = server.create(grants_only("Payroll")).await;
    let import = server.import_bytes(&app, "grants", format!("{}\na,b\n", "x".repeat(10 << 20))).await;
    assert_eq!(import["status"], "Failed");
    assert!(import["log"].as_str().unwrap().len() < 4000, "a log of {} bytes", import["log"].as_str().unwrap().len());
    server.stop().await;
}

#[tokio::test]
async fn every_row_fault_is_an_issue_and_the_other_rows_are_applied() {
    let server = TestServer::start().await;
    let app = server.create(payments("Payments")).await;
    let feed = "login,full name,mail,number,active,last login,kind,cost centre\n\
                ok,Fine,,,yes,2024-02-29,,\n\
                day,No such day,,,yes,2026-02-30,,\n\
                leap,No leap year,,,yes,2025-02-29T08:00:00Z,,\n\
                order,Not ISO,,,maybe,15/03/2026,,\n\
                short,Ragged\n\
                long,Ragged,,,yes,,,,too,many\n\
                nul,Zero \u{0} byte,,,yes,,,\n\
                ,No key,,,yes,,,\n\
                twice,Same,,,yes,,,\n\
                twice,Same,,,yes,,,\n\
                against,One,,,yes,,,\n\
                against,Other,,,yes,,,\n\
                against,Third,,,yes,,,\n";
    let import = server.import_bytes(&app, "accounts", feed).await;
    assert_eq!(import["status"], "Finished", "{import}");
    assert_json_snapshot!("import_with_row_faults", stable(&import["metrics"]));
    let issues = server.client.get(&format!("/api/application-imports/{}/issues", id(&import))).await;
    assert_json_snapshot!("import_issues", stable(&issues.json));
    assert_eq!(server.keys(&app, "accounts").await, ["ok", "twice"]);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_line_of_ten_megabytes_is_a_rejected_row_with_a_short_issue() {
    let server = TestServer::start().await;
    let app = server.create(payments("Payments")).await;
    server.import(&app, "accounts", ACCOUNTS).await;
    let huge = "x".repeat(10 << 20);
    let header = "login,full name,mail,number,active,last login,kind,cost centre\n";
    let feed = format!("{header}akeller,{huge},,,yes,,,\nnew,New,,,yes,,,\n");
    let import = server.import_bytes(&app, "accounts", feed).await;
    assert_eq!((&import["status"], &import["metrics"]["rowsRejected"]), (&json!("Finished"), &json!(1)), "{import}");
    let issues = server.items(&format!("/api/application-imports/{}/issues", id(&import))).await;
    assert_eq!((&issues[0]["code"], &issues[0]["column"]), (&json!("value_too_long"), &json!("full name")));
    assert!(issues[0].to_string().len() < 1000);
    // The rejected row's key is protected; the others' absence counts.
    assert_eq!(server.keys(&app, "accounts").await, ["akeller", "new"]);
    // In the key itself it can't be read: nothing is removed.
    let import = server.import_bytes(&app, "accounts", format!("{header}{huge},Huge,,,yes,,,\n")).await;
    assert_eq!(
        (&import["status"], &import["metrics"]["accounts"]["removed"]),
        (&json!("Finished"), &json!(0)),
        "{import}"
    );
    assert!(import["log"].as_str().unwrap().contains("row 2"), "{import}");
    assert_eq!(server.keys(&app, "accounts").await, ["akeller", "new"]);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_thousand_columns_are_read() {
    let server = TestServer::start().await;
    let fields: Vec<String> =
        (0..1000).map(|number| if number == 0 { "key".into() } else { format!("field{number}") }).collect();
    let names: Vec<&str> = fields.iter().map(String::as_str).collect();
    let app = server.create(application("Wide", &[group("accounts", &names)])).await;
    let values: Vec<String> = (0..1000).map(|number| format!("v{number}")).collect();
    let feed = format!("{}\n{}\n", fields.join(","), values.join(","));
    let import = server.import_bytes(&app, "accounts", feed.clone()).await;
    assert_eq!(import["status"], "Finished", "{import}");
    let account = &server.items(&format!("/api/applications/{}/accounts", id(&app))).await[0];
    assert_eq!(account["attributes"].as_object().unwrap().len(), 999);
    assert_eq!((&account["key"], &account["attributes"]["field999"]), (&json!("v0"), &json!("v999")));
    // One more can't be mapped.
    let names: Vec<&str> = names.into_iter().chain(["one-more"]).collect();
    let answer = server.client.post("/api/applications", application("Wider", &[group("accounts", &names)])).await;
    assert!(answer.violation().1.contains("at most 1000"), "{}", answer.text);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn issues_are_paged_like_every_list() {
    let server = TestServer::start().await;
    let app = server.create(grants_only("Payroll")).await;
    let mut feed = String::from("user,permission\n");
    for number in 0..120 {
        writeln!(feed, "user{number}").unwrap();
    }
    let import = server.import_bytes(&app, "grants", feed).await;
    let issues = server.items(&format!("/api/application-imports/{}/issues", id(&import))).await;
    let rows: Vec<i64> = issues
        .iter()
        .filter(|issue| issue["code"] == "ragged_row")
        .map(|issue| issue["row"].as_i64().unwrap())
        .collect();
    assert_eq!(rows, (2..122).collect::<Vec<i64>>());
    let beyond = server.client.get(&format!("/api/application-imports/{}/issues?page=99", id(&import))).await;
    assert_eq!((beyond.status, &beyond.json["items"]), (200, &json!([])));
    server.stop().await;
}

#[tokio::test]
async fn quotes_line_breaks_blanks_and_a_byte_order_mark_are_read_as_csv_means_them() {
    let server = TestServer::start().await;
    let app = server.create(grants_only("Payroll")).await;
    let feed = "\u{feff} permission ,extra,user\r\n\"read, \"\"all\"\"\",x, ann \r\n\r\n\"two\nlines\",y,\"bob\"\r\n";
    let import = server.import_bytes(&app, "grants", feed).await;
    assert_eq!((&import["status"], &import["metrics"]["rowsRead"]), (&json!("Finished"), &json!(2)), "{import}");
    assert_eq!(server.grants(&app).await, ["ann read, \"all\"", "bob two\nlines"]);
    server.stop().await;
}

#[tokio::test]
async fn names_in_any_script_stay_as_they_are() {
    let server = TestServer::start().await;
    let app = server.create(grants_only("Zürich 東京")).await;
    let feed = "user,permission\n山田,читать\nå\u{301},😀\n' OR 1=1 --,\"{\"\"a\"\":1}\"\n";
    server.import_bytes(&app, "grants", feed).await;
    let mut expected = ["山田 читать", "å\u{301} 😀", "' OR 1=1 -- {\"a\":1}"];
    expected.sort_unstable();
    assert_eq!(server.grants(&app).await, expected);
    server.assert_verified().await;
    server.stop().await;
}
