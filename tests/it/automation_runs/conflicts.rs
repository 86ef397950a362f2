//! Several automations and one row (seed 004, rulings 30 and 35).

use aggregates::automation::{Action, AutomationDefinition};
use aggregates::automation_run::{AutomationRun, AutomationRunEvent, Plan};
use aggregates::certification::NamedAutomation;
use aggregates::certification_row::{
    self, CertificationRow, CertificationRowEvent, Decision, SignedOffState, Standing,
};
use muniment::journal::{Append, Expected, StreamId};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{always, by_name, counted, counts, decisions, only_run, outcomes, quarterly, words};
use crate::support::TestServer;
use crate::support::reviews::{AWF, certified, run_is};

const ANN: &str = r#"source.name eq "ann""#;
const READ: &str = r#"destination.name eq "read""#;

#[tokio::test]
async fn each_change_that_updates_the_field_to_the_same_value_is_applied_and_each_ones_notes_are_logged() {
    let (house, workflow) = quarterly().await;
    let client = &house.answers;
    let reject = |notes: &str| json!({"decision": "REJECTED", "notes": notes});
    let first = always(client, &workflow, "Left", ANN, reject("Ann has left")).await;
    let second = always(client, &workflow, "Readers", READ, reject("Nobody reads")).await;
    let review = certified(client, &workflow).await;
    let expected = [("ann book", "REJECTED"), ("ann read", "REJECTED"), ("bob read", "REJECTED")];
    assert_eq!(decisions(client, &review).await, words(&expected));
    let run = only_run(client, &review).await;
    let expected = [("ann book", "CHANGED"), ("ann read", "CHANGED"), ("bob read", "CHANGED")];
    assert_eq!(outcomes(client, &review, &run["id"]).await, words(&expected));
    assert_eq!(counts(&run), counted(&[("Left", [2, 2, 0, 0]), ("Readers", [2, 2, 0, 0])]));
    let rows = by_name(client, &review).await;
    assert_eq!(
        (&rows["ann book"]["notes"], &rows["bob read"]["notes"]),
        (&json!("Ann has left"), &json!("Nobody reads"))
    );
    // Differing notes are no conflict: they are logged, and the row's stay.
    let both = &rows["ann read"];
    assert_eq!(both["notes"], "");
    let entries = both["action_log"]["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 1, "{both:#}");
    assert_eq!(entries[0]["action"], "DECISION");
    assert_eq!(entries[0]["note"], "Left: Ann has left\nReaders: Nobody reads");
    assert_eq!(entries[0]["decision_detail"]["decision"], "RESULT_DECISION_REJECTED");
    let expected = json!([
        {"id": first, "name": "Left", "notes": "Ann has left"},
        {"id": second, "name": "Readers", "notes": "Nobody reads"},
    ]);
    assert_eq!(entries[0]["automations"], expected);
    house.close().await;
}

#[tokio::test]
async fn equal_notes_become_the_rows() {
    let (house, workflow) = quarterly().await;
    let client = &house.answers;
    always(client, &workflow, "A", ANN, json!({"decision": "ACCEPTED", "notes": "Seen"})).await;
    always(client, &workflow, "B", READ, json!({"signed_off_state": "SIGNED_OFF", "notes": "Seen"})).await;
    let review = certified(client, &workflow).await;
    let expected = [("ann book", "ACCEPTED"), ("ann read", "ACCEPTED*"), ("bob read", "NONE*")];
    assert_eq!(decisions(client, &review).await, words(&expected));
    for (name, row) in by_name(client, &review).await {
        assert_eq!(row["notes"], "Seen", "{name}");
    }
    house.close().await;
}

#[tokio::test]
async fn differing_values_of_a_field_are_skipped_and_the_run_goes_on_with_other_fields_and_rows() {
    let (house, workflow) = quarterly().await;
    let client = &house.answers;
    always(client, &workflow, "Reject Ann", ANN, json!({"decision": "REJECTED"})).await;
    let accept = json!({"decision": "ACCEPTED", "signed_off_state": "SIGNED_OFF"});
    always(client, &workflow, "Accept readers", READ, accept).await;
    let review = certified(client, &workflow).await;
    let expected = [("ann book", "REJECTED"), ("ann read", "NONE*"), ("bob read", "ACCEPTED*")];
    assert_eq!(decisions(client, &review).await, words(&expected));
    let run = only_run(client, &review).await;
    assert_eq!((&run["status"], &run["message"]), (&json!("COMPLETED"), &Value::Null));
    let expected = [("ann book", "CHANGED"), ("ann read", "CHANGED decision"), ("bob read", "CHANGED")];
    assert_eq!(outcomes(client, &review, &run["id"]).await, words(&expected));
    // Of Ann's reading the first one changed nothing: all that it says was in conflict.
    let expected = [("Reject Ann", [2, 1, 1, 0]), ("Accept readers", [2, 2, 1, 0])];
    assert_eq!(counts(&run), counted(&expected));
    house.close().await;
}

#[tokio::test]
async fn a_row_about_which_they_disagree_in_everything_is_left_alone() {
    let (house, workflow) = quarterly().await;
    let client = &house.answers;
    let reject = json!({"decision": "REJECTED", "signed_off_state": "NOT_SIGNED_OFF"});
    always(client, &workflow, "Reject Ann", ANN, reject).await;
    let accept = json!({"decision": "ACCEPTED", "signed_off_state": "SIGNED_OFF"});
    always(client, &workflow, "Accept readers", READ, accept).await;
    let review = certified(client, &workflow).await;
    let expected = [("ann book", "REJECTED"), ("ann read", "NONE"), ("bob read", "ACCEPTED*")];
    assert_eq!(decisions(client, &review).await, words(&expected));
    let run = only_run(client, &review).await;
    let conflict = "CONFLICTING decision signed_off_state";
    let expected = [("ann book", "CHANGED"), ("ann read", conflict), ("bob read", "CHANGED")];
    assert_eq!(outcomes(client, &review, &run["id"]).await, words(&expected));
    let expected = [("Reject Ann", [2, 1, 1, 0]), ("Accept readers", [2, 1, 1, 0])];
    assert_eq!(counts(&run), counted(&expected));
    let rows = by_name(client, &review).await;
    assert_eq!(rows["ann read"]["action_log"]["entries"], json!([]));
    assert_eq!(rows["ann read"]["access_request_id"], Value::Null);
    house.close().await;
}

#[tokio::test]
async fn priority_has_no_effect() {
    let (house, workflow) = quarterly().await;
    let client = &house.answers;
    let rules = [
        ("Reject Ann", ANN, json!({"decision": "REJECTED", "notes": "Left"})),
        ("Accept readers", READ, json!({"decision": "ACCEPTED", "signed_off_state": "SIGNED_OFF"})),
        ("All", "source.name pr", json!({"decision": "ACCEPTED", "notes": "Seen"})),
    ];
    let mut ids = Vec::new();
    for (name, filter, action) in &rules {
        ids.push(always(client, &workflow, name, filter, action.clone()).await);
    }
    let mut seen = Vec::new();
    for priorities in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        for (at, (name, filter, action)) in rules.iter().enumerate() {
            let mut body = super::rule(name, filter, "", action.clone());
            body["id"] = json!(ids[at]);
            body["priority"] = json!(priorities[at]);
            let answer = client.put(&format!("{AWF}/automations"), json!({"value": body})).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
        let review = certified(client, &workflow).await;
        let run = only_run(client, &review).await;
        let notes: Vec<(String, Value)> =
            by_name(client, &review).await.into_iter().map(|(name, row)| (name, row["notes"].clone())).collect();
        let found =
            (decisions(client, &review).await, notes, outcomes(client, &review, &run["id"]).await, counts(&run));
        seen.push(found);
    }
    let expected = [("ann book", "NONE"), ("ann read", "NONE*"), ("bob read", "ACCEPTED*")];
    assert_eq!(seen[0].0, words(&expected));
    for other in &seen[1..] {
        assert_eq!(other, &seen[0]);
    }
    house.close().await;
}

/// A run, and in the same append somebody's decision about a row: between its beginning and its turn.
async fn run_and_touch(server: &TestServer, certification: &str, result: &Value) -> String {
    let certification_id = Uuid::parse_str(certification).unwrap();
    let result_id = u32::try_from(result.as_u64().unwrap()).unwrap();
    let run = Uuid::from_u128(0xD0D0);
    let definition = AutomationDefinition {
        name: "Reject all".to_owned(),
        description: String::new(),
        priority: 0,
        attach_to_new_workflows: false,
        opt_in: false,
        filter: "source.name pr".to_owned(),
        mutable_filter: String::new(),
        action: Action {
            decision: Decision::Rejected,
            signed_off_state: SignedOffState::Unknown,
            notes: String::new(),
        },
    };
    let automations = vec![NamedAutomation { id: Uuid::from_u128(0xA), only_unchanged: false, definition }];
    let started =
        AutomationRunEvent::AutomationRunStarted { certification_id, plan: Plan::Automations { automations } };
    let touched = CertificationRowEvent::CertificationRowDecided {
        certification_id,
        result_id,
        was: Standing::default(),
        now: Standing { decision: Decision::Accepted, ..Standing::default() },
        is_forced: false,
        run_id: None,
        opened: None,
        withdrawn: None,
    };
    let row = StreamId::of::<CertificationRow>(&certification_row::stream(certification_id, result_id));
    let context = TestServer::context();
    let append = Append::one(StreamId::of::<AutomationRun>(&run), Expected::New, vec![started.into()], context.clone());
    let append = append.and(Append::one(row, Expected::New, vec![touched.into()], context));
    server.server.app.journal.append(append).await.unwrap();
    run.to_string()
}

#[tokio::test]
async fn a_row_that_a_person_decided_meanwhile_is_skipped_and_counted() {
    let (house, workflow) = quarterly().await;
    let client = &house.answers;
    let review = certified(client, &workflow).await;
    let rows = by_name(client, &review).await;
    let signed =
        crate::support::reviews::decide(client, &review, &rows["bob read"], json!({"signed_off_state": 2})).await;
    assert_eq!(signed.status, 200, "{}", signed.text);
    let run = run_and_touch(&house.server, &review, &rows["ann book"]["result_id"]).await;
    let run = run_is(client, &run, "COMPLETED").await;
    // So is what was signed off before.
    let expected = [("ann book", "ACCEPTED"), ("ann read", "REJECTED"), ("bob read", "NONE*")];
    assert_eq!(decisions(client, &review).await, words(&expected));
    let expected = [("ann book", "SKIPPED"), ("ann read", "CHANGED"), ("bob read", "SKIPPED")];
    assert_eq!(outcomes(client, &review, &run["id"]).await, words(&expected));
    assert_eq!(counts(&run), counted(&[("Reject all", [3, 1, 0, 2])]));
    house.close().await;
}
