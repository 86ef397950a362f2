//! "If Automation processing fails" (seed 004, rulings 36).

use aggregates::automation::{Automation, AutomationEvent};
use muniment::journal::{Append, Expected, StreamId};
use serde_json::{Value, json};

use super::{always, counted, counts, decisions, only_run, quarterly, words};
use crate::support::TestServer;
use crate::support::reviews::{AWF, certification, certified, decided, row};

/// The attribute that an automation names is gone since it was saved.
async fn forget_its_attribute(server: &TestServer, automation: &str) {
    let journal = &server.server.app.journal;
    let id: uuid::Uuid = automation.parse().unwrap();
    let old = journal.load::<Automation>(id).await.unwrap().aggregate.definition.unwrap();
    let new = aggregates::automation::AutomationDefinition { filter: "source.shoe_size pr".to_owned(), ..old.clone() };
    let event = AutomationEvent::AutomationUpdated { old, new };
    let stream = StreamId::of::<Automation>(&id);
    journal.append(Append::one(stream, Expected::Any, vec![event.into()], TestServer::context())).await.unwrap();
}

#[tokio::test]
async fn if_processing_fails_the_run_stops_with_a_message_and_the_certification_is_not_errored() {
    let (house, workflow) = quarterly().await;
    let client = &house.answers;
    always(client, &workflow, "Reject Ann", r#"source.name eq "ann""#, json!({"decision": "REJECTED"})).await;
    let broken = always(client, &workflow, "Shoes", "source.name pr", json!({"decision": "ACCEPTED"})).await;
    forget_its_attribute(&house.server, &broken).await;
    let review = certified(client, &workflow).await;
    let shown = certification(client, &review).await;
    assert_eq!(shown["state"], "CERT_STATE_IN_PROGRESS");
    assert_ne!(shown["query_completed_at"], Value::Null);
    let run = only_run(client, &review).await;
    assert_eq!(run["status"], "ERROR");
    let message = run["message"].as_str().unwrap();
    assert!(message.starts_with("Automation \"Shoes\": filter: character 1: found source.shoe_size"), "{message}");
    // No further automations are applied, and here none was.
    assert_eq!(counts(&run), counted(&[("Reject Ann", [0, 0, 0, 0]), ("Shoes", [0, 0, 0, 0])]));
    let expected = [("ann book", "NONE"), ("ann read", "NONE"), ("bob read", "NONE")];
    assert_eq!(decisions(client, &review).await, words(&expected));
    // People go on.
    let found = row(client, &review, "ann", "book").await;
    decided(client, &review, &found, json!({"decision": "ACCEPTED"})).await;
    let answer = client.post(&format!("{AWF}/certifications/{review}:complete"), json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    house.close().await;
}
