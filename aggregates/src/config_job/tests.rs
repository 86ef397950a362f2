use serde_json::json;

use super::*;
use crate::config_object::Reference;

fn options(json: serde_json::Value) -> ImportOptions {
    serde_json::from_value(json).unwrap()
}

fn object(kind: &str, id: &str, name: &str) -> Reference {
    Reference { kind: kind.to_owned(), id: id.to_owned(), name: name.to_owned() }
}

#[test]
fn lists_that_are_null_or_empty_are_absent() {
    let all = options(json!({
        "excludeTypes": null, "includeTypes": [], "objectOptions": null, "defaultReferences": null, "excludeBackup": null
    }));
    assert_eq!(all, ImportOptions::default());
    assert!(all.selection.selects(&object("RULE", "1", "one")));
}

#[test]
fn types_that_are_included_are_all_that_count() {
    let some = options(json!({"includeTypes": ["RULE"], "excludeTypes": ["RULE"]}));
    assert!(some.selection.selects(&object("RULE", "1", "one")));
    assert!(!some.selection.selects(&object("SOURCE", "1", "one")));
}

#[test]
fn objects_are_selected_by_one_of_their_ids_or_one_of_their_names() {
    let some =
        options(json!({"objectOptions": {"RULE": {"includedIds": ["1"], "includedNames": ["two"]}, "SOURCE": {}}}));
    let selected = [("1", "one"), ("2", "two"), ("3", "three")]
        .map(|(id, name)| some.selection.selects(&object("RULE", id, name)));
    assert_eq!(selected, [true, true, false]);
    assert!(some.selection.selects(&object("SOURCE", "3", "three")), "all of a type without ids and names");
}

#[test]
fn default_references_come_in_both_forms() {
    let both = options(json!({"defaultReferences": ["RULE", {"type": "SOURCE", "id": "1", "name": "one"}]}));
    assert!(both.may_mean_known("RULE"));
    assert!(!both.may_mean_known("SOURCE"));
    assert_eq!(both.fallback("SOURCE"), Some(&object("SOURCE", "1", "one")));
    assert!(ImportOptions::default().may_mean_known("SOURCE"), "absent = all");
}

#[test]
fn types_that_nobody_knows_are_refused_and_those_of_other_tenants_may_be_excluded() {
    let wrong = options(json!({
        "includeTypes": ["ROLE", "WORKFLOWS"], "excludeTypes": ["ROLE", "NOTHING"], "objectOptions": {"EVERYTHING": {}},
        "defaultReferences": ["RULES"]
    }));
    let found: Vec<String> = wrong.violations().into_iter().map(|violation| violation.field).collect();
    assert_eq!(found, ["includeTypes", "includeTypes", "excludeTypes", "objectOptions", "defaultReferences[0]"]);
}

#[test]
fn a_job_ends_once() {
    use cqrs_es::Aggregate;
    let mut job = ConfigJob::default();
    let start = || Command::Start {
        task: Task::Export { selection: Selection::default(), backup_of: None },
        description: None,
        expires_at: DateTime::UNIX_EPOCH,
    };
    assert!(matches!(job.decide(Command::Cancel), Err(Refusal::NotFound(_))));
    let started = job.decide(start()).unwrap();
    job.apply(started);
    assert!(matches!(job.decide(start()), Err(Refusal::Conflict(_))));
    for _ in 0..2 {
        let claimed = job.decide(Command::Claim { worker: "w".to_owned() }).unwrap();
        job.apply(claimed);
    }
    assert_eq!((job.status, job.attempts), (Status::InProgress, 2));
    let canceled = job.decide(Command::Cancel).unwrap();
    job.apply(canceled);
    assert_eq!(job.decide(Command::Cancel), Err(Refusal::Conflict("The job is CANCELLED already".to_owned())));
}
