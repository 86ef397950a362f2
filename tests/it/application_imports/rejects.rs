//! The rows that were left out, to be mended and delivered again.

use insta::assert_snapshot;

use crate::support::bodies::{ACCOUNTS, GRANTS, grants_only, payments};
use crate::support::{TestServer, file_group, id};

#[tokio::test]
async fn rejects_hold_the_header_and_the_rows_left_out_harmless_in_a_spreadsheet() {
    let server = TestServer::start().await;
    let app = server.create(payments("Payments")).await;
    let feed = "login,full name,mail,number,active,last login,kind,cost centre,=cmd\n\
                ok,Fine,,,yes,,,,\n\
                =1+1,\"=HYPERLINK(\"\"http://x\"\")\",@sum,+41,maybe,-1,,\"a, \"\"b\"\"\n c\",\tx\n\
                ragged,row\n\
                twice,A,,,yes,,,,\n\
                twice,A,,,yes,,,,\n\
                against,A,,,yes,,,,\n\
                against,B,,,yes,,,,\n";
    let import = server.import(&app, "accounts", feed).await;
    let rejects = server.client.get(&format!("/api/application-imports/{}/rejects", id(&import))).await;
    assert_eq!(rejects.status, 200);
    assert_eq!(rejects.headers["content-type"], "text/csv; charset=utf-8");
    let name = format!("attachment; filename=\"rejects-{}.csv\"", id(&import));
    assert_eq!(rejects.headers["content-disposition"], name);
    assert_snapshot!("rejects", rejects.text);
    server.stop().await;
}

#[tokio::test]
async fn of_several_files_one_must_be_named() {
    let server = TestServer::start().await;
    let app = server.create(payments("Payments")).await;
    let grants = "user,permission,since\nghost,pay.read,\n";
    let import = server.import_all(&app, &[("accounts", ACCOUNTS), ("grants", grants)]).await;
    let path = format!("/api/application-imports/{}/rejects", id(&import));
    let rejects = async |query: String| server.client.get(&format!("{path}{query}")).await;
    let answer = rejects(String::new()).await;
    let (field, message) = answer.violation();
    assert_eq!(field, "fileGroupId");
    assert!(message.contains("(Users)") && message.contains("(Members)"), "{message}");
    assert_eq!(rejects("?fileGroupId=members".into()).await.violation().0, "fileGroupId");
    let absent = rejects(format!("?fileGroupId={}", file_group(&app, "entitlements"))).await;
    assert_eq!(absent.violation().0, "fileGroupId");
    let answer = rejects(format!("?fileGroupId={}", file_group(&app, "grants"))).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, grants));
    let answer = rejects(format!("?fileGroupId={}", file_group(&app, "accounts"))).await;
    assert_eq!((answer.status, answer.text.trim_end()), (200, ACCOUNTS.lines().next().unwrap()));
    server.stop().await;
}

#[tokio::test]
async fn mended_rejects_can_be_delivered_again() {
    let server = TestServer::start().await;
    let app = server.create(grants_only("Payroll")).await;
    let import = server.import(&app, "grants", "user,permission\nann,read\nbob\n").await;
    let rejects = server.client.get(&format!("/api/application-imports/{}/rejects", id(&import))).await.text;
    assert_eq!(rejects, "user,permission\nbob\n");
    let mended = rejects.replace("bob\n", "bob,read\nann,read\n");
    let import = server.import(&app, "grants", &mended).await;
    assert_eq!(import["metrics"]["rowsRejected"], 0);
    assert_eq!(server.grants(&app).await, ["ann read", "bob read"]);
    server.stop().await;
}

#[tokio::test]
async fn a_file_that_is_no_table_has_no_rejects_and_one_that_is_not_read_yet_has_none_to_give() {
    let server = TestServer::start().await;
    let app = server.create(grants_only("Payroll")).await;
    let failed = server.import(&app, "grants", "\n").await;
    let rejects = server.client.get(&format!("/api/application-imports/{}/rejects", id(&failed))).await;
    assert_eq!((rejects.status, rejects.text.as_str()), (200, ""));
    server.share("g.csv", GRANTS);
    server.schedule(&app, &[("grants", "g.csv")]).await;
    let hold = server.hold("work.leases").await;
    let staged = server.stage(&app).await.json;
    let answer = server.client.get(&format!("/api/application-imports/{}/rejects", id(&staged))).await;
    assert_eq!(answer.violation(), ("fileGroupId", "The import has read no file yet"));
    hold.release().await;
    server.ended(&staged).await;
    server.stop().await;
}
