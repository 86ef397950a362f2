use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::DomainEvent;
use crate::config_object::{ConfigObjectEvent, Document, Reference, redact};

fn entry(object: &Value) -> Value {
    let mut entry = json!({"version": 1, "object": object});
    redact(&mut entry);
    entry
}

/// A subscription with these fields beside what every one needs.
fn with(more: &Value) -> Value {
    let mut object = json!({
        "name": "hook", "type": "HTTP", "enabled": true, "triggerId": NATIVE, "eventTypes": ["AccessRequested"],
        "httpConfig": {"url": "https://example.com/hook", "httpAuthenticationType": "NO_AUTH", "signingSecret": "s3cret"},
    });
    for (name, value) in more.as_object().unwrap() {
        object[name] = value.clone();
    }
    entry(&object)
}

fn refused(more: &Value) -> String {
    Subscription::read(&with(more)).unwrap_err()
}

#[test]
fn a_subscription_says_where_events_go_and_which() {
    let read = Subscription::read(&with(&json!({}))).unwrap();
    assert!(read.is_enabled && read.has_signing_secret);
    assert_eq!(read.url.as_str(), "https://example.com/hook");
    assert_eq!(read.event_types.into_iter().collect::<Vec<_>>(), ["AccessRequested"]);
    assert_eq!(read.authentication, Authentication::None);
    let basic = json!({"httpConfig": {"url": "https://example.com", "httpAuthenticationType": "BASIC_AUTH",
                                      "basicAuthConfig": {"userName": "ann", "password": "s3cret"}}});
    let read = Subscription::read(&with(&basic)).unwrap();
    assert_eq!(read.authentication, Authentication::Basic { user_name: "ann".to_owned() });
    assert!(read.is_signed().unwrap_err().contains("nothing is sent unsigned"));
    let bearer = json!({"httpConfig": {"url": "https://example.com", "httpAuthenticationType": "BEARER_TOKEN",
                                       "bearerTokenAuthConfig": {"bearerToken": "s3cret"}}});
    assert_eq!(Subscription::read(&with(&bearer)).unwrap().authentication, Authentication::Bearer);
    assert!(!Subscription::read(&with(&json!({"enabled": false}))).unwrap().is_enabled);
    assert!(Subscription::read(&with(&json!({"enabled": null, "filter": ""}))).unwrap().is_enabled);
}

#[test]
fn the_contracts_sample_means_access_requests_that_are_opened() {
    // Seed 003.
    let sample = json!({
        "type": "HTTP", "enabled": true, "triggerName": "Access Request Submitted", "responseDeadline": "PT1H", "name": "test trigger",
        "httpConfig": {"url": "https://localhost", "httpAuthenticationType": "NO_AUTH", "basicAuthConfig": null,
                       "bearerTokenAuthConfig": null, "httpDispatchMode": "SYNC"},
        "triggerId": "idn:access-request-pre-approval",
    });
    let read = Subscription::read(&entry(&sample)).unwrap();
    assert_eq!(read.event_types.iter().collect::<Vec<_>>(), [&"AccessRequested"]);
    assert!(read.is_signed().is_err());
}

#[test]
fn what_cant_be_delivered_as_asked_for_is_said_in_words() {
    for (more, expected) in [
        (json!({"type": "EVENTBRIDGE"}), "its type is \"EVENTBRIDGE\"; only HTTP is delivered"),
        (json!({"type": null}), "it has no type; HTTP is delivered"),
        (json!({"enabled": "yes"}), "enabled is \"yes\"; true or false is expected"),
        (json!({"filter": "$[?($.identityId == \"1\")]"}), "filters aren't evaluated"),
        (json!({"filter": {}}), "filter is {}; a text is expected"),
        (
            json!({"triggerId": "idn:outlier-detected"}),
            "its triggerId is \"idn:outlier-detected\"; known: muniment:events, idn:",
        ),
        (json!({"triggerId": null}), "triggerId is missing"),
        (json!({"eventTypes": []}), "eventTypes must be a list of event types"),
        (json!({"eventTypes": "AccessRequested"}), "eventTypes must be a list of event types"),
        (
            json!({"eventTypes": ["AccessRequested", "AccessRequest"]}),
            "names \"AccessRequest\", which is no event type",
        ),
        (json!({"eventTypes": [7]}), "names 7, which is no event type"),
        (json!({"eventTypes": ["ApiTokenCreated"]}), "\"ApiTokenCreated\", which never leaves this system"),
        (json!({"httpConfig": null}), "httpConfig.url is missing"),
        (json!({"httpConfig": {"url": "hook"}}), "httpConfig.url is no URL: relative URL without a base"),
        (json!({"httpConfig": {"url": "ftp://example.com"}}), "httpConfig.url begins with ftp:; https is expected"),
        (json!({"httpConfig": {"url": "https://ann:pw@example.com"}}), "httpConfig.url names a user"),
        (
            json!({"httpConfig": {"url": "https://x.example", "httpAuthenticationType": "MTLS"}}),
            "is \"MTLS\"; NO_AUTH, ",
        ),
        (
            json!({"httpConfig": {"url": "https://x.example", "httpAuthenticationType": "BEARER_TOKEN"}}),
            "httpConfig.bearerTokenAuthConfig.bearerToken is missing",
        ),
        (
            json!({"httpConfig": {"url": "https://x.example", "httpAuthenticationType": "BASIC_AUTH",
                                  "basicAuthConfig": {"userName": "a:b", "password": "p"}}}),
            "has a colon",
        ),
    ] {
        let reason = refused(&more);
        assert!(reason.contains(expected), "{more}: {reason}");
    }
}

#[test]
fn every_event_of_a_trigger_is_one_that_may_leave() {
    let types = DomainEvent::types();
    for (trigger, meant) in super::events::TRIGGERS {
        for event_type in meant {
            let known = types.iter().find(|(_, name, _)| name == event_type);
            let (aggregate_type, ..) = known.unwrap_or_else(|| panic!("{trigger}: {event_type} is no event"));
            assert!(!never_leaves(aggregate_type, event_type), "{trigger}: {event_type}");
        }
    }
}

fn put(history: &mut Vec<(i64, ConfigObjectEvent)>, position: i64, entry: &Value) {
    let reference = Reference { kind: "TRIGGER_SUBSCRIPTION".to_owned(), id: "1".to_owned(), name: "hook".to_owned() };
    let (document, job_id) = (Document::from(entry), Uuid::nil());
    history.push((position, ConfigObjectEvent::ConfigObjectCreated { reference, document, job_id }));
}

#[test]
fn what_is_asked_for_begins_when_it_is_asked_for_without_a_break() {
    let types = |names: &[&str]| with(&json!({"eventTypes": names}));
    let mut history = Vec::new();
    let asked = |history: &[(i64, ConfigObjectEvent)]| Asked::of(history.iter().map(|(at, event)| (*at, event)));
    assert!(asked(&history).is_empty());
    put(&mut history, 10, &types(&["AccessRequested"]));
    let now = asked(&history);
    assert_eq!((now.begins_after(), now.types()), (10, vec!["AccessRequested"]));
    assert!(!now.means("AccessRequested", 10) && now.means("AccessRequested", 11) && !now.means("ImportFailed", 11));
    put(&mut history, 20, &types(&["AccessRequested", "ImportFailed"]));
    let now = asked(&history);
    assert!(now.means("AccessRequested", 11) && !now.means("ImportFailed", 20) && now.means("ImportFailed", 21));
    put(&mut history, 30, &with(&json!({"enabled": false})));
    assert!(asked(&history).is_empty());
    put(&mut history, 40, &types(&["AccessRequested"]));
    assert_eq!(asked(&history).begins_after(), 40);
    put(&mut history, 50, &with(&json!({"httpConfig": {"url": "https://elsewhere.example", "signingSecret": "s"}})));
    assert_eq!(asked(&history).begins_after(), 40, "another address is the same subscription");
    history.push((60, ConfigObjectEvent::ConfigObjectDeleted { job_id: Uuid::nil() }));
    assert!(asked(&history).is_empty());
}
