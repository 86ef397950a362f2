//! Personnel events: joiners, movers, leavers and leaves, from the request to the proof.

mod joiners;
mod leaves;
mod movers;
mod numbers;
mod requests;
mod responders;

use insta::assert_json_snapshot;
use serde_json::json;

use crate::support::people::{House, LOGINS, RIGHTS};
use crate::support::stable::{stable, whole};

#[tokio::test]
async fn a_leaver_keeps_nothing_and_an_import_proves_it() {
    let house = House::open().await;
    let ann = house.person("Ann").await;
    let body = json!({"identityId": ann, "effectiveDate": "2026-03-15", "comment": "Leaves for good"});
    let asked = house.asks.post("/api/personnel-events/offboard", body).await;
    assert_json_snapshot!("offboard_requested", whole(&asked));
    let open = house.approve(&asked.json).await;
    assert_json_snapshot!("offboard_open", stable(&open));
    let [request] = &house.requests(&ann).await[..] else { panic!("not one request") };
    assert_json_snapshot!("offboard_access_request", stable(&house.request(request).await));
    // The next import still shows it.
    house.access(LOGINS, RIGHTS).await;
    assert_eq!(house.request(request).await["status"], "Open");
    let provisioned = house.carry(request, "provision").await;
    assert_eq!((&provisioned["status"], &house.event(&open).await["status"]), (&json!("Resolved"), &json!("Resolved")));
    let import = house.access(&LOGINS.replace("ann,ann@example.com,yes\n", ""), "login,right\nbob,read\n").await;
    let proven = house.settled(request, "Completed").await;
    assert_eq!(proven["evidence"]["applicationImportId"], import["id"]);
    let completed = house.reached(&open, "Completed").await;
    assert_json_snapshot!("offboard_completed", stable(&completed));
    // A later import shows it again.
    let import = house.access(LOGINS, RIGHTS).await;
    let finding = house.settled(request, "Open").await;
    assert_json_snapshot!("offboard_finding", stable(&finding));
    assert_eq!(finding["evidence"]["applicationImportId"], import["id"]);
    house.close().await;
}

#[tokio::test]
async fn an_import_proves_only_what_it_had_a_file_for() {
    let house = House::open().await;
    let ann = house.person("Ann").await;
    let event = house.ask("offboard", json!({"identityId": ann, "effectiveDate": "2026-03-15"})).await;
    house.approve(&event).await;
    let request = house.requests(&ann).await[0].clone();
    house.carry(&request, "provision").await;
    // Somebody looked, before the ledger's next file.
    house.carry(&request, "verify").await;
    house.reached(&event, "Completed").await;
    // An import of log-ins only says nothing of rights: those that the tables hold are old.
    let group = crate::support::file_group(&house.ledger, "accounts");
    let known = house.asks.get(&format!("/api/applications/{}", crate::support::id(&house.ledger))).await.json;
    let mut groups = known["connector"]["fileGroups"].clone();
    for one in groups.as_array_mut().unwrap() {
        one["isRequired"] = json!(one["id"] == json!(group));
    }
    let body = json!({"name": "Ledger", "connector": {"type": "file", "fileGroups": groups}});
    let path = format!("/api/applications/{}", crate::support::id(&house.ledger));
    assert_eq!(house.asks.put(&path, body).await.status, 200);
    let import = house.server.import(&house.ledger, "accounts", LOGINS).await;
    assert_eq!((&import["status"], import["files"].as_array().unwrap().len()), (&json!("Finished"), 1));
    tokio::time::sleep(std::time::Duration::from_millis(1200)).await;
    assert_eq!(house.request(&request).await["isFinding"], false);
    house.access(LOGINS, RIGHTS).await;
    let finding = house.settled(&request, "Open").await;
    assert_eq!((&finding["isFinding"], &finding["provisioningStatus"]), (&json!(true), &json!("Provisioning")));
    house.close().await;
}

#[tokio::test]
async fn what_was_asked_for_and_canceled_is_not_proven() {
    let house = House::open().await;
    let ann = house.person("Ann").await;
    let event = house.ask("offboard", json!({"identityId": ann, "effectiveDate": "2026-03-15"})).await;
    // What would be given to who leaves is withdrawn.
    let wish = json!({"action": "Restore", "identityId": ann, "applicationId": crate::support::id(&house.ledger), "entitlements": ["read"]});
    let wish = house.asks.post("/api/access-requests", wish).await.json;
    house.approve(&event).await;
    assert_eq!(house.request(&wish).await["status"], "Canceled");
    let request = house.requests(&ann).await[0].clone();
    house.carry(&request, "cancel").await;
    tokio::time::sleep(std::time::Duration::from_millis(1200)).await;
    assert_eq!(house.event(&event).await["status"], "Resolved", "responders must answer for it");
    assert_eq!(house.step(&event, "stages/verification/approve").await["status"], "Completed");
    house.close().await;
}
