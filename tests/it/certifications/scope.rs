//! What is reviewed: access as it was when the certification was made, accounted for to the last row.

use serde_json::{Value, json};

use super::{NOBODY, ledger_workflow, path, reached, review_with};
use crate::support::bodies::grants_only;
use crate::support::people::{House, LOGINS, RIGHTS, STAFF};
use crate::support::reviews::{AWF, certification, certified, decided, row, rows, workflow};
use crate::support::{eventually, id};

/// Rows in the feeds, in scope, out of scope, of nobody; fails unless they add up.
#[track_caller]
fn account(of: &Value) -> [u64; 4] {
    let counts =
        ["rows_in_feeds", "in_scope", "out_of_scope_by_filter", "uncorrelated"].map(|name| of[name].as_u64().unwrap());
    assert_eq!(counts[0], counts[1..].iter().sum::<u64>(), "{of:#}");
    counts
}

/// The rows of a review as `account entitlement`, sorted.
async fn names(house: &House, review: &str) -> Vec<String> {
    let found = rows(&house.answers, review).await;
    let text = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let mut names: Vec<String> =
        found.iter().map(|row| format!("{} {}", text(&row["source"]), text(&row["destination"]))).collect();
    names.sort();
    names
}

#[tokio::test]
async fn every_row_of_the_feeds_is_accounted_for() {
    let house = House::open().await;
    // Nobody is known to have `robot` or `night`.
    let logins = format!("{LOGINS}robot,robot@example.com,yes\nold,dan@example.com,no\n");
    house.access(&logins, &format!("{RIGHTS}robot,book\nrobot,read\nold,read\n")).await;
    let payroll = house.server.create(grants_only("Payroll")).await;
    assert_eq!(house.server.import(&payroll, "grants", "user,permission\nnight,pay\n").await["status"], "Finished");
    let filter = "source.is_active eq true and destination.name ne \"book\"";
    let body = json!({"name": "Everything", "filter": filter});
    let review = certified(&house.answers, &workflow(&house.answers, body).await).await;
    let shown = certification(&house.answers, &review).await;
    let whole = &shown["completeness"];
    assert_eq!(account(whole), [7, 2, 2, 3], "{whole:#}");
    assert_eq!((&shown["total_result_count"], &shown["query_used"]), (&json!(2), &json!(filter)));
    let of: Vec<(&Value, [u64; 4])> =
        whole["applications"].as_array().unwrap().iter().map(|of| (&of["name"], account(of))).collect();
    // HR has no access; it is accounted for nevertheless.
    let (hr, ledger, payroll) = (json!("HR"), json!("Ledger"), json!("Payroll"));
    assert_eq!(of.len(), 3, "{whole:#}");
    assert!(of.contains(&(&hr, [0; 4])) && of.contains(&(&ledger, [6, 2, 2, 2])), "{of:?}");
    assert!(of.contains(&(&payroll, [1, 0, 0, 1])), "{of:?}");
    assert_eq!(names(&house, &review).await, ["ann read", "bob read"]);
    house.close().await;
}

#[tokio::test]
async fn a_certification_without_rows_is_reviewed_and_completed() {
    let house = House::open().await;
    let review = review_with(&house, json!({"filter": "source.name eq \"nobody\""})).await;
    let shown = certification(&house.answers, &review).await;
    assert_eq!(account(&shown["completeness"]), [3, 0, 3, 0]);
    let page = house.answers.get(&format!("{}/results", path(&review))).await.json;
    assert_eq!(page, json!({"values": [], "has_more": false, "next_page_token": "", "total_result_count": 0}));
    crate::support::reviews::complete(&house.answers, &review).await;
    house.close().await;
}

#[tokio::test]
async fn what_is_imported_after_its_creation_changes_no_row() {
    let house = House::open().await;
    let made = ledger_workflow(&house, json!({})).await;
    let hold = house.server.hold("work.leases").await;
    let created = house.answers.post(&format!("{AWF}/certifications"), json!({"workflow_id": made})).await.json;
    let review = created["certification_id"].as_str().unwrap();
    // Both wait for the lease: the import comes first in the log, or the search does; the rows are the same.
    let parts = [
        ("accounts", LOGINS.replace("ann,ann@example.com,yes", "ann,ann@example.com,no")),
        ("grants", "login,right\nann,book\nbob,book\n".to_owned()),
    ];
    let parts = parts.map(|(group, csv)| {
        (crate::support::file_group(&house.ledger, group), format!("{group}.csv"), csv.into_bytes())
    });
    let import = house.server.client.upload(id(&house.ledger), parts.into()).await;
    assert_eq!(import.status, 201, "{}", import.text);
    hold.release().await;
    assert_eq!(house.server.ended(&import.json).await["status"], "Finished");
    reached(&house.answers, review, "CERT_STATE_IN_PROGRESS").await;
    assert_eq!(names(&house, review).await, ["ann book", "ann read", "bob read"]);
    assert_eq!(row(&house.answers, review, "ann", "book").await["source"]["is_active"], true);
    // Later imports neither.
    house.access(LOGINS, "login,right\nbob,pay\nann,read\n").await;
    house.staff(&STAFF.replace("Clerk", "Head clerk")).await;
    assert_eq!(names(&house, review).await, ["ann book", "ann read", "bob read"]);
    assert_eq!(row(&house.answers, review, "ann", "read").await["source"]["identity"]["title"], "Clerk");
    // Who decides about what is gone by now gets what they asked for.
    let gone = row(&house.answers, review, "bob", "read").await;
    decided(&house.answers, review, &gone, json!({"decision": "REJECTED"})).await;
    eventually("the row is fixed by the next import", async || {
        house.access(LOGINS, "login,right\nbob,pay\nann,read\n").await;
        (row(&house.answers, review, "bob", "read").await["decision"] == "RESULT_DECISION_FIXED").then_some(())
    })
    .await;
    house.close().await;
}

#[tokio::test]
async fn a_certification_is_what_its_workflow_was() {
    let house = House::open().await;
    let made = ledger_workflow(&house, json!({"notes": "Look twice"})).await;
    let review = certified(&house.answers, &made).await;
    let shown = certification(&house.answers, &review).await;
    assert_eq!((&shown["name"], &shown["notes"]), (&json!("Quarterly 2026-03-15"), &json!("Look twice")));
    let path = format!("{AWF}/workflows/{made}");
    let changed = json!({"name": "Yearly", "filter": "source.name eq \"bob\""});
    assert_eq!(house.answers.put(&path, changed).await.status, 200);
    assert_eq!(certification(&house.answers, &review).await, shown);
    let next = certified(&house.answers, &made).await;
    assert_eq!(names(&house, &next).await, ["bob read"]);
    assert_eq!(house.answers.delete(&path).await.status, 200);
    let list = house.answers.get(&format!("{AWF}/certifications?workflow_id={made}")).await.json;
    let ids: Vec<&Value> = list["values"].as_array().unwrap().iter().map(|one| &one["certification_id"]).collect();
    assert_eq!(
        (ids, &list["total_result_count"], &list["has_more"]),
        (vec![&json!(review), &json!(next)], &json!(2), &json!(false))
    );
    assert_eq!(house.answers.post(&format!("{AWF}/certifications"), json!({"workflow_id": made})).await.status, 404);
    house.close().await;
}

#[tokio::test]
async fn a_name_that_nobody_gave_is_never_too_long() {
    let house = House::open().await;
    let review = review_with(&house, json!({"name": "x".repeat(256)})).await;
    let name = certification(&house.answers, &review).await["name"].as_str().unwrap().to_owned();
    assert!(name.chars().count() == 256 && name.ends_with("x 2026-03-15"), "{name}");
    house.close().await;
}

#[tokio::test]
async fn only_access_as_it_is_can_be_reviewed_for_now() {
    let house = House::open().await;
    let made = ledger_workflow(&house, json!({})).await;
    let head = house.server.head().await;
    for (source, snapshot) in [(1, Value::Null), (2, json!(NOBODY))] {
        let body = json!({"workflow_id": made, "data_source": source, "snapshot_id": snapshot});
        let answer = house.answers.post(&format!("{AWF}/certifications"), body).await;
        let (field, message) = super::violation(&answer);
        assert_eq!(
            (field, message),
            ("data_source", format!("{source} is not supported; allowed is 0, access as it is").as_str())
        );
    }
    assert_eq!(house.server.head().await, head);
    house.close().await;
}
