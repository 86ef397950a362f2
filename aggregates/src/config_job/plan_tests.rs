use serde_json::json;

use super::directory::Directory;
use super::incoming::{Incoming, incoming, links};
use super::plan::{Message, Plan};
use super::*;
use crate::config_object::Reference;

fn called(kind: &str, id: &str, name: &str) -> Reference {
    Reference { kind: kind.to_owned(), id: id.to_owned(), name: name.to_owned() }
}

#[expect(clippy::needless_pass_by_value, reason = "shorter for all who call it")]
fn object(kind: &str, id: &str, name: &str, object: serde_json::Value) -> Incoming {
    incoming(&json!({"self": {"type": kind, "id": id, "name": name}, "version": 1, "object": object}).to_string())
        .unwrap()
}

/// What became of an object of the file.
struct Planned {
    reference: Reference,
    target: Reference,
    /// Its `object`, as it will be.
    written: serde_json::Value,
    infos: Vec<Message>,
    warnings: Vec<Message>,
    errors: Vec<Message>,
}

/// Plans as imports do: names first, then what each refers to, then each in its order.
fn plan(file: &[Incoming], options: &ImportOptions, known: &[Reference]) -> Vec<Planned> {
    let known: Directory = known.iter().cloned().collect();
    let mut plan = Plan::new(file.iter().map(|object| object.reference.clone()).collect(), options, &known);
    let document = |plan: &Plan<'_>, at| file[plan.place_in_file(at)].document.clone();
    for at in plan.places() {
        plan.refer(at, links(&document(&plan, at)));
    }
    let order = plan.in_order();
    let planned = |at: usize| {
        let resolved = plan.resolve(links(&document(&plan, at)), &Directory::default());
        let mut written = resolved.written(document(&plan, at)).value();
        let (reference, target) = (plan.called(at).clone(), plan.target(at));
        let errors = plan.errors(at).to_vec();
        Planned {
            reference,
            target,
            written: written["object"].take(),
            infos: resolved.infos,
            warnings: resolved.warnings,
            errors,
        }
    };
    order.into_iter().map(planned).collect()
}

fn options(json: serde_json::Value) -> ImportOptions {
    serde_json::from_value(json).unwrap()
}

fn names(planned: &[Planned]) -> Vec<&str> {
    planned.iter().map(|object| &*object.reference.name).collect()
}

fn errors(planned: &[Planned]) -> Vec<String> {
    planned.iter().flat_map(|object| object.errors.iter().map(|message| message.text.clone())).collect()
}

#[test]
fn an_object_means_the_one_with_its_id_else_the_one_with_its_name() {
    let known = [called("RULE", "1", "one"), called("RULE", "2", "two")];
    let file = vec![
        object("RULE", "1", "renamed", json!({})),
        object("RULE", "9", "two", json!({})),
        object("RULE", "8", "new", json!({})),
    ];
    let planned = plan(&file, &ImportOptions::default(), &known);
    let targets: Vec<&Reference> = planned.iter().map(|object| &object.target).collect();
    assert_eq!(targets, [&called("RULE", "1", "renamed"), &called("RULE", "2", "two"), &called("RULE", "8", "new")]);
}

#[test]
fn of_a_type_with_one_object_that_one_is_meant_and_never_two() {
    let known = [called("IDENTITY_OBJECT_CONFIG", "1", "one"), called("RULE", "0", "zero")];
    let schema = |id, name| object("IDENTITY_OBJECT_CONFIG", id, name, json!({}));
    let planned = plan(&[schema("2", "two")], &ImportOptions::default(), &known);
    assert_eq!(planned[0].target, called("IDENTITY_OBJECT_CONFIG", "1", "two"));
    assert_eq!(errors(&planned), Vec::<String>::new());
    let planned = plan(&[schema("2", "two")], &ImportOptions::default(), &[]);
    assert_eq!(planned[0].target, called("IDENTITY_OBJECT_CONFIG", "2", "two"));
    for known in [&known[..], &[]] {
        let errors = errors(&plan(&[schema("2", "two"), schema("3", "three")], &ImportOptions::default(), known));
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert!(errors[0].ends_with("the file has 2 objects of this type that mean the same one here"), "{errors:?}");
    }
}

#[test]
fn references_are_resolved_by_id_then_by_name_then_by_the_defaults_and_each_is_told() {
    let known = [called("SOURCE", "s1", "HR"), called("SOURCE", "s2", "AD"), called("RULE", "r", "fallback")];
    let refers = json!({
        "a": {"type": "SOURCE", "id": "s1", "name": "old name"}, "b": {"type": "SOURCE", "id": "gone", "name": "AD"},
        "c": {"type": "RULE", "id": "x", "name": "y"}, "d": {"type": "IDENTITY", "id": "nobody", "name": "Nobody"},
    });
    let options = options(json!({"defaultReferences": [{"type": "RULE", "id": "r", "name": "fallback"}]}));
    let file = [object("IDENTITY_PROFILE", "p", "P", refers)];
    let planned = plan(&file, &options, &known);
    let expected = json!({
        "a": {"type": "SOURCE", "id": "s1", "name": "HR"}, "b": {"type": "SOURCE", "id": "s2", "name": "AD"},
        "c": {"type": "RULE", "id": "r", "name": "fallback"}, "d": {"type": "IDENTITY", "id": "nobody", "name": "Nobody"},
    });
    assert_eq!(planned[0].written, expected);
    let infos: Vec<&str> = planned[0].infos.iter().map(|message| &*message.text).collect();
    assert_eq!(
        infos,
        [
            "Reference at $.a to [type: SOURCE, id: s1, name: old name] resolved by id to [id: s1, name: HR]",
            "Reference at $.b to [type: SOURCE, id: gone, name: AD] resolved by name to [id: s2, name: AD]",
            "Reference at $.c to [type: RULE, id: x, name: y] resolved by defaultReferences to [id: r, name: fallback]",
        ]
    );
    assert_eq!(
        planned[0].warnings[0].text,
        "Unable to resolve reference for object [type: IDENTITY, id: nobody, name: Nobody] at $.d"
    );
    assert_eq!(errors(&planned), Vec::<String>::new());
}

#[test]
fn types_among_the_default_references_say_which_known_objects_may_be_meant() {
    let known = [called("SOURCE", "s", "HR")];
    let file = || vec![object("IDENTITY_PROFILE", "p", "P", json!({"source": {"type": "SOURCE", "id": "s"}}))];
    assert_eq!(errors(&plan(&file(), &options(json!({"defaultReferences": ["SOURCE"]})), &known)).len(), 0);
    assert_eq!(errors(&plan(&file(), &options(json!({"defaultReferences": ["RULE"]})), &known)).len(), 1);
}

#[test]
fn objects_come_after_those_that_they_refer_to_whatever_their_order_in_the_file() {
    let to = |name: &str| json!({"to": {"type": "RULE", "name": name}});
    let file =
        vec![object("RULE", "1", "c", to("b")), object("RULE", "2", "b", to("a")), object("RULE", "3", "a", json!({}))];
    let planned = plan(&file, &ImportOptions::default(), &[]);
    assert_eq!(names(&planned), ["a", "b", "c"]);
    assert_eq!(planned[1].written["to"]["id"], "3");
}

#[test]
fn circles_of_references_and_what_hangs_on_them_are_refused_and_nothing_else() {
    let to = |name: &str| json!({"to": {"type": "RULE", "name": name}});
    let file = vec![
        object("RULE", "1", "a", to("b")),
        object("RULE", "2", "b", to("a")),
        object("RULE", "3", "c", to("b")),
        object("RULE", "4", "itself", to("itself")),
        object("RULE", "5", "free", json!({})),
    ];
    let planned = plan(&file, &ImportOptions::default(), &[]);
    let refused: Vec<&str> =
        planned.iter().filter(|object| !object.errors.is_empty()).map(|object| &*object.reference.name).collect();
    assert_eq!(refused, ["a", "b", "c"]);
    assert!(errors(&planned)[0].ends_with("its references lead into a circle, by way of b"), "{:?}", errors(&planned));
}

#[test]
fn two_objects_with_one_id_or_one_name_are_both_refused() {
    let file = vec![
        object("RULE", "1", "a", json!({})),
        object("RULE", "1", "b", json!({})),
        object("RULE", "2", "b", json!({})),
    ];
    let planned = plan(&file, &ImportOptions::default(), &[]);
    assert_eq!(
        errors(&planned),
        [
            "There was an error importing 'RULE' with name 'a' and id '1': the file has 2 objects of this type with this id",
            "There was an error importing 'RULE' with name 'b' and id '1': the file has 2 objects of this type with this id",
            "There was an error importing 'RULE' with name 'b' and id '2': the file has 2 objects of this type with this name",
        ]
    );
}

#[test]
fn two_objects_that_mean_one_that_is_known_are_both_refused() {
    let known = [called("RULE", "1", "one")];
    let file = vec![object("RULE", "1", "renamed", json!({})), object("RULE", "9", "one", json!({}))];
    let planned = plan(&file, &ImportOptions::default(), &known);
    assert!(
        planned.iter().all(|object| object.errors[0].text.ends_with("that mean the same one here")),
        "{:?}",
        errors(&planned)
    );
}

#[test]
fn a_default_that_isnt_there_resolves_nothing() {
    let options = options(json!({"defaultReferences": [{"type": "RULE", "id": "gone", "name": "gone"}]}));
    let file = vec![object("RULE", "1", "one", json!({"to": {"type": "RULE", "name": "nowhere"}}))];
    assert_eq!(errors(&plan(&file, &options, &[])).len(), 1);
}

#[test]
fn what_the_options_leave_out_is_in_no_plan() {
    let file = vec![object("RULE", "1", "a", json!({})), object("SOURCE", "2", "b", json!({}))];
    let planned = plan(&file, &options(json!({"includeTypes": ["SOURCE"]})), &[]);
    assert_eq!(names(&planned), ["b"]);
}

#[test]
fn entries_that_are_no_objects_are_told() {
    let cases = [
        ("[]", "it is no object"),
        ("{}", "it has no self"),
        (r#"{"self":{"type":"RULE","id":"1"}}"#, "its self has no name"),
        (r#"{"self":{"type":"RULE","id":1,"name":"n"}}"#, "its self.id is no text"),
        (r#"{"self":{"type":"RULE","id":"1","name":"n"},"version":2,"object":{}}"#, "its version is 2; 1 is known"),
        (r#"{"self":{"type":"RULE","id":"1","name":"n"}}"#, "it has no object"),
    ];
    for (entry, reason) in cases {
        assert_eq!(incoming(entry), Err(reason.to_owned()), "{entry}");
    }
}

#[test]
fn what_lies_beside_an_object_stays_beside_it() {
    let entry = r#"{"jwsSignature":"s","object":{"n":1.50},"jwsHeader":"h","self":{"type":"RULE","id":"1","name":"n"},"version":1}"#;
    let expected = r#"{"jwsHeader":"h","jwsSignature":"s","object":{"n":1.50},"version":1}"#;
    assert_eq!(incoming(entry).unwrap().document.as_str(), expected);
}

#[test]
fn what_is_found_is_the_last_of_those_that_are_called_so() {
    let called =
        [called("RULE", "1", "a"), called("RULE", "2", "a"), called("SOURCE", "1", "a"), called("RULE", "1", "b")];
    let directory: Directory = called.iter().cloned().collect();
    let wanted = |kind: &str, id: &str, name: &str| super::plan_tests::called(kind, id, name);
    assert_eq!(directory.by_id(&wanted("RULE", "1", "")), Some(3));
    assert_eq!(directory.by_name(&wanted("RULE", "", "a")), Some(1));
    assert_eq!(directory.by_name(&wanted("SOURCE", "", "a")), Some(2));
    let nothing = [wanted("RULE", "", ""), wanted("RULE", "3", "c"), wanted("A", "1", "a"), wanted("Z", "1", "a")];
    for wanted in nothing {
        assert_eq!((directory.by_id(&wanted), directory.by_name(&wanted)), (None, None), "{wanted:?}");
    }
}
