use cqrs_es::Aggregate;
use serde_json::json;

use super::*;

fn reference(kind: &str, id: &str, name: &str) -> Reference {
    Reference { kind: kind.to_owned(), id: id.to_owned(), name: name.to_owned() }
}

fn put(document: &serde_json::Value) -> Command {
    let reference = reference("TRANSFORM", "1", "Lower");
    Command::Put { reference, document: Document::from(document), job_id: Uuid::nil() }
}

#[test]
fn a_document_is_canonical_and_loses_nothing() {
    let text = "{\"b\" : [ 1.0, 12345678901234567890123, 1e2, true , null, {} , [ ] ],\n \"a\":\"\\u00e9\\n\", \"\": {\"z\":1,\"y\":2}}";
    let canonical = r#"{"":{"y":2,"z":1},"a":"é\n","b":[1.0,12345678901234567890123,1e2,true,null,{},[]]}"#;
    let document = Document::read(text).unwrap();
    assert_eq!(document.as_str(), canonical);
    assert_eq!(Document::read(canonical).unwrap(), document);
    let again: Document = serde_json::from_str(&serde_json::to_string(&document).unwrap()).unwrap();
    assert_eq!(again, document);
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(Document::read(&nested(100)).is_ok());
    for depth in [102, 200, 10_000, 1_000_000] {
        assert!(Document::read(&nested(depth)).is_err(), "{depth}");
    }
    assert!(Document::read("{\"a\":}").is_err());
}

#[test]
fn what_is_so_already_appends_nothing() {
    let mut object = ConfigObject::default();
    let made = object.decide(put(&json!({"type": "lower"}))).unwrap().unwrap();
    object.apply(made);
    assert_eq!(object.decide(put(&json!({"type": "lower"}))), Ok(None));
    let changed = object.decide(put(&json!({"type": "upper"}))).unwrap().unwrap();
    assert!(matches!(&changed, Event::ConfigObjectUpdated { old, .. } if old.as_str() == r#"{"type":"lower"}"#));
    object.apply(changed);
    let deleted = object.decide(Command::Delete { job_id: Uuid::nil() }).unwrap().unwrap();
    object.apply(deleted);
    assert!(matches!(object.decide(Command::Delete { job_id: Uuid::nil() }), Err(Refusal::NotFound(_))));
    assert!(matches!(object.decide(put(&json!({}))), Ok(Some(Event::ConfigObjectCreated { .. }))));
}

#[test]
fn a_name_a_known_type_and_an_id_are_required() {
    let reference = reference("ROLE", "", " ");
    let refused = ConfigObject::default().decide(Command::Put {
        reference,
        document: Document::from(&json!({})),
        job_id: Uuid::nil(),
    });
    let Err(Refusal::Invalid(violations)) = refused else { panic!("{refused:?}") };
    assert_eq!(violations.iter().map(|found| &*found.field).collect::<Vec<_>>(), ["self.name", "self.id", "self.type"]);
}

#[test]
fn references_are_found_wherever_they_are_and_replaced() {
    let mut document = json!({
        "type": "SOURCE", "id": "1", "name": "itself",
        "owner": {"type": "IDENTITY", "id": "2", "name": "Ann"},
        "rules": [{"type": "RULE", "name": "r", "id": null}, {"type": "RULE", "id": "3", "name": "r", "more": 1}],
        "attributes": {"input": {"type": "lower", "name": "not a reference"}},
    });
    let found = references(&document);
    let referred: Vec<&Reference> = found.iter().map(|(_, reference)| reference).collect();
    assert_eq!(referred, [&reference("IDENTITY", "2", "Ann"), &reference("RULE", "", "r")]);
    replace(&mut document, &found[1].0, &reference("RULE", "9", "R"));
    assert_eq!(document["rules"][0], json!({"type": "RULE", "id": "9", "name": "R"}));
}

#[test]
fn secrets_are_taken_out_and_told_with_their_places() {
    let mut document = json!({
        "httpConfig": {"basicAuthConfig": {"userName": "u", "password": "p"}, "bearerTokenAuthConfig": {"bearerToken": "t"}},
        "list": [{"a/b~secret": "s"}], "tokenUrl": "https://x", "password": null, "clientSecret": REDACTED, "secret": "",
    });
    let found = redact(&mut document);
    let found: Vec<(&str, &str)> = found.iter().map(|secret| (&*secret.pointer, &*secret.value)).collect();
    assert_eq!(
        found,
        [
            ("/httpConfig/basicAuthConfig/password", "p"),
            ("/httpConfig/bearerTokenAuthConfig/bearerToken", "t"),
            ("/list/0/a~1b~0secret", "s"),
        ]
    );
    assert_eq!(document.pointer("/list/0/a~1b~0secret"), Some(&json!(REDACTED)));
    assert_eq!(redact(&mut document), []);
}

#[test]
fn documents_differ_field_by_field() {
    let before = json!({"a": 1, "b": {"c/d": [1, 2], "same": true}, "gone": null, "list": [1]});
    let after = json!({"a": "1", "b": {"c/d": [1, 3], "same": true}, "new": {}, "list": [1, 2]});
    let found = differences(&before, &after);
    let found: Vec<String> = found
        .iter()
        .map(|change| {
            let text =
                |value: &Option<serde_json::Value>| value.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
            format!("{} {} {}", change.path, text(&change.before), text(&change.after))
        })
        .collect();
    assert_eq!(found, ["/a 1 \"1\"", "/b/c~1d/1 2 3", "/gone null -", "/list [1] [1,2]", "/new - {}"]);
    assert_eq!(differences(&before, &before), []);
}

#[test]
fn two_objects_claim_the_same_if_they_share_a_name_or_there_may_be_one_of_their_type() {
    let claims = |kind: &str, name: &str| {
        let reference = Reference { kind: kind.to_owned(), id: "1".to_owned(), name: name.to_owned() };
        crate::Stream::claims(&ConfigObject { kept: Some((reference, Document::read("{}").unwrap())) })
    };
    assert_ne!(claims("RULE", "a"), claims("RULE", "b"));
    assert_ne!(claims("RULE", "a"), claims("TRANSFORM", "a"));
    assert_eq!(claims("IDENTITY_OBJECT_CONFIG", "a"), claims("IDENTITY_OBJECT_CONFIG", "b"));
    assert_eq!(claims("RULE", "a"), claims("RULE", "a"));
}
