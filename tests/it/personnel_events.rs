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
