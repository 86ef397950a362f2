//! Which automations run in which workflows: rulings 27 to 30 in their own words.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    ATTACH, AUTOMATIONS, DETACH, NOBODY, assert_empty, attached, create, events, everywhere, rejects, violation,
    whole_of, workflow,
};
use crate::support::TestServer;

fn named(all: &[(&str, bool)]) -> Vec<(String, bool)> {
    all.iter().map(|(name, opt_in)| ((*name).to_owned(), *opt_in)).collect()
}

#[tokio::test]
async fn attach_to_new_workflows_attaches_to_every_existing_one_and_to_each_later_one() {
    let server = TestServer::start().await;
    let client = &server.client;
    let before = workflow(client, "Before").await;
    create(client, everywhere("Optional", true)).await;
    create(client, everywhere("Always", false)).await;
    create(client, rejects("Nowhere")).await;
    let after = workflow(client, "After").await;
    for id in [&before, &after] {
        assert_eq!(attached(client, id).await, named(&[("Optional", true), ("Always", false)]));
    }
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn turning_it_on_attaches_turning_it_off_detaches_nothing_and_a_deliberate_detach_stays() {
    let server = TestServer::start().await;
    let client = &server.client;
    let (one, two) = (workflow(client, "One").await, workflow(client, "Two").await);
    let id = create(client, rejects("Rule")).await;
    assert_eq!(attached(client, &one).await, []);
    assert_empty(&client.put(AUTOMATIONS, whole_of(&id, everywhere("Rule", true))).await);
    assert_eq!(attached(client, &one).await, named(&[("Rule", true)]));
    assert_empty(&client.post(DETACH, json!({"id": id, "workflow_id": one})).await);
    assert_empty(&client.put(AUTOMATIONS, whole_of(&id, everywhere("Rule, renamed", true))).await);
    assert_eq!(attached(client, &one).await, []);
    assert_empty(&client.put(AUTOMATIONS, whole_of(&id, rejects("Rule"))).await);
    assert_eq!(attached(client, &two).await, named(&[("Rule", true)]));
    let three = workflow(client, "Three").await;
    assert_eq!(attached(client, &three).await, []);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn the_attachment_decides_and_repeating_it_updates_opt_in() {
    let server = TestServer::start().await;
    let client = &server.client;
    let one = workflow(client, "One").await;
    let mut optional = rejects("Optional");
    optional["attachment_behavior"]["opt_in"] = json!(true);
    let id = create(client, optional.clone()).await;
    let attach = async |body: Value| assert_empty(&client.post(ATTACH, body).await);
    // Absent: the automation's own.
    attach(json!({"id": id, "workflow_id": one})).await;
    assert_eq!(attached(client, &one).await, named(&[("Optional", true)]));
    attach(json!({"id": id, "workflow_id": one, "all": false, "opt_in": false})).await;
    assert_eq!(attached(client, &one).await, named(&[("Optional", false)]));
    let head = server.head().await;
    attach(json!({"id": id, "workflow_id": one, "opt_in": false, "unknown": 1})).await;
    assert_eq!(server.head().await, head);
    // The automation's own is for attachments to come.
    optional["priority"] = json!(9);
    assert_empty(&client.put(AUTOMATIONS, whole_of(&id, optional)).await);
    assert_eq!(attached(client, &one).await, named(&[("Optional", false)]));
    server.stop().await;
}

#[tokio::test]
async fn all_means_every_automation_with_a_workflow_and_every_workflow_without_one() {
    let server = TestServer::start().await;
    let client = &server.client;
    let (one, two) = (workflow(client, "One").await, workflow(client, "Two").await);
    let a = create(client, rejects("A")).await;
    create(client, rejects("B")).await;
    let before = server.head().await;
    // `id` is ignored, whatever it is.
    assert_empty(&client.post(ATTACH, json!({"id": "string", "workflow_id": one, "all": true, "opt_in": true})).await);
    assert_eq!(attached(client, &one).await, named(&[("A", true), ("B", true)]));
    assert_eq!(server.head().await, before + 2);
    assert_empty(&client.post(ATTACH, json!({"id": a, "workflow_id": "", "all": true})).await);
    assert_eq!(attached(client, &two).await, named(&[("A", false)]));
    // It says the automation's own opt_in of every workflow.
    assert_eq!(attached(client, &one).await, named(&[("A", false), ("B", true)]));
    assert_empty(&client.post(DETACH, json!({"id": NOBODY, "workflow_id": one, "all": true})).await);
    assert_eq!((attached(client, &one).await, attached(client, &two).await.len()), (vec![], 1));
    // One request, one append: its events carry one correlation id and one time.
    let answer = client.get("/api/events?eventType=AutomationDetached").await.json;
    let items = answer["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(items[0]["correlationId"], items[1]["correlationId"]);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn otherwise_both_are_needed() {
    let server = TestServer::start().await;
    let client = &server.client;
    let (one, a) = (workflow(client, "One").await, create(client, rejects("A")).await);
    let head = server.head().await;
    for (path, body, field) in [
        (ATTACH, json!({}), "id"),
        (ATTACH, json!({"id": a}), "workflow_id"),
        (ATTACH, json!({"id": a, "all": false}), "workflow_id"),
        (ATTACH, json!({"workflow_id": one}), "id"),
        (ATTACH, json!({"all": true}), "id"),
        (ATTACH, json!({"id": "string", "workflow_id": one, "all": false}), "id"),
        (ATTACH, json!({"id": a, "workflow_id": "string"}), "workflow_id"),
        (ATTACH, json!({"id": a, "workflow_id": one, "opt_in": "yes"}), "opt_in"),
        (DETACH, json!({}), "workflow_id"),
        (DETACH, json!({"id": a, "all": true}), "workflow_id"),
        (DETACH, json!({"workflow_id": one}), "id"),
        (DETACH, json!({"id": "string", "workflow_id": one}), "id"),
    ] {
        assert_eq!(violation(&client.post(path, body.clone()).await).0, field, "{path} {body}");
    }
    assert_eq!(server.head().await, head);
    server.stop().await;
}

#[tokio::test]
async fn detaching_what_is_not_attached_is_no_event_and_what_is_unknown_is_not_found() {
    let server = TestServer::start().await;
    let client = &server.client;
    let (one, a) = (workflow(client, "One").await, create(client, rejects("A")).await);
    let head = server.head().await;
    assert_empty(&client.post(DETACH, json!({"id": a, "workflow_id": one, "all": false})).await);
    assert_empty(&client.post(DETACH, json!({"workflow_id": one, "all": true})).await);
    for (body, kind) in [
        (json!({"id": a, "workflow_id": NOBODY}), "workflow"),
        (json!({"workflow_id": NOBODY, "all": true}), "workflow"),
        (json!({"id": NOBODY, "workflow_id": one}), "automation"),
    ] {
        for path in [ATTACH, DETACH] {
            let answer = client.post(path, body.clone()).await;
            assert_eq!((answer.status, &answer.json["code"]), (404, &json!("NotFound")), "{path} {body}");
            assert_eq!(answer.json["details"][0]["resource_type"], kind, "{path} {body}");
        }
    }
    assert_eq!(server.head().await, head);
    server.stop().await;
}

#[tokio::test]
async fn deleting_an_attached_automation_detaches_it_everywhere_in_one_append() {
    let server = TestServer::start().await;
    let client = &server.client;
    let (one, two) = (workflow(client, "One").await, workflow(client, "Two").await);
    let (a, _b) = (create(client, everywhere("A", false)).await, create(client, everywhere("B", false)).await);
    assert_empty(&client.delete(&format!("{AUTOMATIONS}/{a}")).await);
    for id in [&one, &two] {
        assert_eq!(attached(client, id).await, named(&[("B", false)]));
    }
    // In the order of ids, which nobody knows before.
    let said = |event: &Value| event["workflowId"].as_str().unwrap().to_owned();
    let detached: BTreeSet<String> = events(&server, "AutomationDetached").await.iter().map(said).collect();
    assert_eq!(detached, BTreeSet::from([one.clone(), two.clone()]));
    for answer in [
        client.delete(&format!("{AUTOMATIONS}/{a}")).await,
        client.get(&format!("{AUTOMATIONS}/{a}")).await,
        client.put(AUTOMATIONS, whole_of(&a, rejects("A"))).await,
        client.post(ATTACH, json!({"id": a, "workflow_id": one})).await,
    ] {
        assert_eq!(answer.status, 404, "{}", answer.text);
    }
    // Its name is free again, and its id isn't given again.
    assert_ne!(create(client, rejects("A")).await, a);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn priority_is_stored_returned_and_has_no_effect() {
    let server = TestServer::start().await;
    let client = &server.client;
    let one = workflow(client, "One").await;
    for (name, priority) in [("A", 9), ("B", -1), ("C", 5)] {
        let mut body = everywhere(name, false);
        body["priority"] = json!(priority);
        create(client, body).await;
    }
    assert_eq!(attached(client, &one).await, named(&[("A", false), ("B", false), ("C", false)]));
    let listed = client.get(AUTOMATIONS).await.json;
    let priorities: Vec<i64> =
        listed["values"].as_array().unwrap().iter().map(|one| one["priority"].as_i64().unwrap()).collect();
    assert_eq!(priorities, [0, 0, 9, -1, 5]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workflows_and_automations_made_at_once_find_each_other() {
    const EACH: usize = 6;
    let server = TestServer::start().await;
    let other = server.start_beside().await;
    let mut making = Vec::new();
    for number in 0..EACH {
        let (client, beside) = (server.client.clone(), other.client.clone());
        making.push(tokio::spawn(async move {
            let automation = async {
                // Whoever comes too late eight times is told so, and asks again.
                while client.post(AUTOMATIONS, everywhere(&format!("Rule {number}"), false)).await.status != 200 {}
            };
            let workflow = async {
                let body = json!({"name": format!("Workflow {number}")});
                while beside.post("/api/preview/awf/workflows", body.clone()).await.status != 200 {}
            };
            tokio::join!(automation, workflow);
        }));
    }
    for made in making {
        made.await.unwrap();
    }
    let listed = server.client.get("/api/preview/awf/workflows").await.json;
    let workflows = listed["values"].as_array().unwrap();
    assert_eq!(workflows.len(), EACH);
    for one in workflows {
        assert_eq!(attached(&server.client, one["workflow_id"].as_str().unwrap()).await.len(), EACH);
    }
    server.assert_verified().await;
    other.stop().await;
    server.stop().await;
}
