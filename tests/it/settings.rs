//! System settings: which source of people comes first.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bodies::{application, grants_only, group};
use crate::support::{TestServer, id};

const PATH: &str = "/api/settings";

/// A source of people.
fn source(name: &str) -> Value {
    application(name, &[group("identities", &["key", "firstName", "lastName", "employeeId"])])
}

#[tokio::test]
async fn settings_are_what_was_set_and_the_same_again_is_no_event() {
    let server = TestServer::start().await;
    let (one, two) = (server.create(source("One")).await, server.create(source("Two")).await);
    let unset = server.client.get(PATH).await;
    let unset_body = json!({"identitySources": [], "timezone": "UTC", "customFields": [], "defaultResponders": []});
    assert_eq!((unset.status, &unset.json), (200, &unset_body));
    let body = json!({"identitySources": [id(&two), id(&one)]});
    let mut whole = unset_body;
    whole["identitySources"] = body["identitySources"].clone();
    let set = server.client.put(PATH, body.clone()).await;
    assert_eq!((set.status, &set.json), (200, &whole), "{}", set.text);
    assert_ne!(set.headers["etag"], unset.headers["etag"]);
    let head = server.head().await;
    // The same, and nothing at all.
    for again in [body.clone(), json!({}), json!({"identitySources": null})] {
        let same = server.client.put(PATH, again).await;
        assert_eq!((same.status, &same.json, &same.headers["etag"]), (200, &whole, &set.headers["etag"]));
    }
    assert_eq!(server.head().await, head);
    let read = server.client.get(PATH).await;
    assert_eq!((&read.json, &read.headers["etag"]), (&whole, &set.headers["etag"]));
    let events = server.client.get("/api/events?eventType=IdentitySourcesOrdered").await.json;
    assert_eq!(events["items"][0]["data"], json!({"order": [id(&two), id(&one)]}));
    assert_eq!(events["items"][0]["actor"]["name"], "administrator");
    let partial = server.client.put(PATH, json!({"identitySources": [id(&two)]})).await;
    assert_eq!((partial.status, &partial.json["identitySources"]), (200, &json!([id(&two)])));
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn settings_that_moved_on_are_not_overwritten() {
    let server = TestServer::start().await;
    let one = server.create(source("One")).await;
    let put = async |etag: &str, body: Value| {
        let request = server.client.request(Method::PUT, PATH).header("If-Match", etag);
        server.client.send(request.json(&body)).await
    };
    let etag = server.client.get(PATH).await.headers["etag"].to_str().unwrap().to_owned();
    let body = json!({"identitySources": [id(&one)]});
    assert_eq!(put(&etag, body.clone()).await.status, 200);
    // Neither with a change nor with none.
    for stale in [json!({"identitySources": []}), body.clone(), json!({})] {
        let answer = put(&etag, stale).await;
        assert_eq!((answer.status, &answer.json["error"]), (412, &json!("precondition_failed")));
    }
    assert_eq!(put("*", json!({})).await.json["identitySources"], body["identitySources"]);
    assert_eq!(put("yesterday's", body).await.violation().0, "If-Match");
    server.stop().await;
}

#[tokio::test]
async fn only_identity_sources_in_use_come_first_and_each_once() {
    let server = TestServer::start().await;
    let (one, two) = (server.create(source("One")).await, server.create(source("Two")).await);
    let payroll = server.create(grants_only("Payroll")).await;
    let archive = format!("/api/applications/{}/archive", id(&two));
    assert_eq!(server.client.post(&archive, json!({})).await.status, 200);
    let unknown = "018f0000-0000-7000-8000-00000000dead";
    let order = json!([id(&one), unknown, id(&two), id(&payroll), id(&one)]);
    let answer = server.client.put(PATH, json!({"identitySources": order})).await;
    assert_eq!((answer.status, &answer.json["error"]), (400, &json!("validation_error")));
    let fields: Vec<&Value> = answer.json["errors"].as_array().unwrap().iter().map(|error| &error["field"]).collect();
    assert_eq!(fields, ["identitySources[1]", "identitySources[2]", "identitySources[3]", "identitySources[4]"]);
    let malformed = server.client.put(PATH, json!({"identitySources": [id(&one), "two"]})).await;
    assert_eq!(malformed.violation().0, "identitySources[1]");
    assert_eq!(server.client.put(PATH, json!({"timeZone": "UTC"})).await.violation().0, "timeZone");
    assert_eq!(server.client.get(PATH).await.json["identitySources"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn an_order_leaves_the_api_switched_on() {
    let server = TestServer::start().await;
    let one = server.create(source("One")).await;
    assert_eq!(server.client.put(PATH, json!({"identitySources": [id(&one)]})).await.status, 200);
    assert_eq!(server.client.get(PATH).await.status, 200);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn what_personnel_events_need_is_set_as_a_whole_or_not_at_all() {
    let server = TestServer::start().await;
    let body = json!({"timezone": "Europe/Zurich", "customFields": ["customField10", "customField2", "customField2"]});
    let set = server.client.put(PATH, body).await;
    assert_eq!((set.status, &set.json["timezone"]), (200, &json!("Europe/Zurich")), "{}", set.text);
    assert_eq!(set.json["customFields"], json!(["customField2", "customField10"]));
    let head = server.head().await;
    let unknown = "018f0000-0000-7000-8000-00000000dead";
    let wrong = json!({"timezone": "Mars/Phobos", "customFields": ["customField11"], "defaultResponders": [unknown],
                       "identitySources": []});
    insta::assert_json_snapshot!("settings_wrong", crate::support::whole(&server.client.put(PATH, wrong).await));
    assert_eq!(server.head().await, head);
    assert_eq!(server.client.get(PATH).await.json, set.json);
    server.assert_verified().await;
    server.stop().await;
}
