use std::collections::{BTreeMap, HashMap};

use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::account::AccountRecord;
use crate::application::{Content, fields};
use crate::entitlement::EntitlementRecord;
use crate::identity::{IdentityRecord, IdentityStatus, IdentityType};
use crate::values::time;

fn document(kind: &str, script: &str) -> Value {
    json!({"type": kind, "language": "scim", "sourceCode": {"version": "1.0", "script": script}})
}

#[track_caller]
fn validation(script: &str) -> Validation {
    match Rule::read(&document("Validation", script)) {
        Ok(Rule::Validation(rule)) => rule,
        other => panic!("{script}: {other:?}"),
    }
}

#[track_caller]
fn correlation(script: &str) -> Correlation {
    match Rule::read(&document("Correlation", script)) {
        Ok(Rule::Correlation(rule)) => rule,
        other => panic!("{script}: {other:?}"),
    }
}

/// Why a document isn't executed.
#[track_caller]
fn reason(document: &Value) -> String {
    Rule::read(document).unwrap_err().to_string()
}

fn pairs(attributes: &[(&str, &str)]) -> BTreeMap<String, String> {
    attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

// Reading

#[test]
fn what_is_written_in_another_language_is_not_executed_and_the_place_is_told() {
    let bean_shell = json!({"type": "Correlation", "sourceCode": {"version": "1.0", "script": "return null;"}});
    assert_eq!(reason(&bean_shell), "language: nothing is said; executed are rules in the language \"scim\"");
    let mut other = document("Validation", "key pr");
    other["language"] = json!("beanshell");
    assert_eq!(reason(&other), "language: it is \"beanshell\"; executed are rules in the language \"scim\"");
    other["language"] = json!("SCIM");
    assert!(Rule::read(&other).is_ok());
    assert_eq!(
        reason(&document("BuildMap", "key pr")),
        "type: it is \"BuildMap\"; executed are Validation and Correlation"
    );
    for (mut broken, told) in [
        (document("Validation", ""), "sourceCode.script: nothing is said; a filter is needed"),
        (document("Validation", ""), "sourceCode.script: it is 7; a filter is needed"),
    ] {
        broken["sourceCode"]["script"] = if told.contains('7') { json!(7) } else { Value::Null };
        assert_eq!(reason(&broken), told);
    }
    for nothing in [json!(null), json!([]), json!("rule"), json!({}), json!({"sourceCode": []})] {
        assert!(reason(&nothing).starts_with("language: "), "{nothing}");
    }
}

#[test]
fn a_filter_that_is_none_or_names_what_no_row_has_is_not_executed() {
    for (script, told) in [
        ("", "character 1: found the end, expected an attribute"),
        ("departmnt pr", "character 1: found departmnt, expected an attribute; the nearest is department"),
        ("email == \"x\"", "character 7: found ==, expected one of eq, ne"),
        ("isActive gt false", "character 10: found gt, expected eq, ne or pr, since isActive is true or false"),
        ("lastLoginAt lt \"yesterday\"", "character 16: found \"yesterday\", expected a date (2026-03-15)"),
        (
            "department pr and isPrivileged eq true",
            "No rows have all that it names. Of identities: character 19: found isPrivileged",
        ),
    ] {
        let reason = reason(&document("Validation", script));
        assert!(reason.starts_with(&format!("sourceCode.script: {told}")), "{script}: {reason}");
    }
    let reason = reason(&document("Correlation", "isActive eq true"));
    assert!(reason.starts_with("sourceCode.script: character 1: found isActive, expected "), "{reason}");
}

#[test]
fn a_severity_is_error_or_warning() {
    let mut rule = document("Validation", "key pr");
    rule["description"] = json!(" Why ");
    for (severity, is_warning) in [(Value::Null, false), (json!("error"), false), (json!("warning"), true)] {
        rule["attributes"] = json!({"severity": severity, "more": 1});
        let Ok(Rule::Validation(read)) = Rule::read(&rule) else { panic!("{rule}") };
        assert_eq!((read.is_warning, read.description.as_deref()), (is_warning, Some("Why")));
    }
    rule["attributes"] = json!({"severity": "fatal"});
    assert_eq!(reason(&rule), "attributes.severity: it is \"fatal\"; error (which is usual) or warning are allowed");
}

// Validation

#[test]
fn a_rule_for_rows_of_another_content_says_what_does_not_fit() {
    let rule = validation("department pr");
    assert!(rule.of(Content::Identities).is_ok());
    let misfit = rule.of(Content::Accounts).unwrap_err().to_string();
    assert_eq!(
        misfit,
        "character 1: found department, expected one of the attributes key, name, identity, email, employeeId, isActive, \
         lastLoginAt, type, attributes.<name>"
    );
}

/// A record of each content that says something in every field.
fn full() -> (IdentityRecord, AccountRecord, EntitlementRecord, BTreeMap<String, String>) {
    let (word, day) = (Some(" Word ".to_owned()), time("2026-03-15"));
    let attributes = pairs(&[("costCentre", "4711"), ("Größe", "XL"), ("twice", "a"), ("Twice", "b")]);
    let identity = IdentityRecord {
        first_name: word.clone(),
        last_name: word.clone(),
        display_name: word.clone(),
        email: word.clone(),
        employee_id: word.clone(),
        r#type: Some(IdentityType::ServiceAccount),
        title: word.clone(),
        company: word.clone(),
        division: word.clone(),
        department: word.clone(),
        office: word.clone(),
        supervisor: word.clone(),
        supervisor_id: None,
        status: Some(IdentityStatus::Disabled),
        created_date: day,
        updated_date: day,
        inactivated_date: day,
        attributes: attributes.clone(),
    };
    let account = AccountRecord {
        name: word.clone(),
        identity: word.clone(),
        email: word.clone(),
        employee_id: word.clone(),
        is_active: Some(true),
        last_login_at: day,
        r#type: word.clone(),
        attributes: attributes.clone(),
    };
    let entitlement = EntitlementRecord {
        name: word.clone(),
        r#type: word.clone(),
        description: word.clone(),
        owner: word,
        is_privileged: Some(true),
        attributes: attributes.clone(),
    };
    (identity, account, entitlement, attributes)
}

#[test]
fn every_field_of_every_content_can_be_asked_for() {
    let (identity, account, entitlement, attributes) = full();
    let (empty_identity, empty_account, empty_entitlement) = Default::default();
    for (content, full, empty) in [
        (
            Content::Identities,
            Subject::Identity { key: "K", record: &identity, status: None },
            Subject::Identity { key: "K", record: &empty_identity, status: None },
        ),
        (
            Content::Accounts,
            Subject::Account { key: "K", record: &account },
            Subject::Account { key: "K", record: &empty_account },
        ),
        (
            Content::Entitlements,
            Subject::Entitlement { key: "K", record: &entitlement },
            Subject::Entitlement { key: "K", record: &empty_entitlement },
        ),
        (
            Content::Grants,
            Subject::Grant { account: "K", entitlement: "K", attributes: &attributes },
            Subject::Grant { account: "K", entitlement: "K", attributes: &BTreeMap::new() },
        ),
    ] {
        for field in fields::known(content) {
            let condition = validation(&format!("{field} pr")).of(content).unwrap();
            let is_key = fields::required(content).contains(field);
            assert_eq!((condition.holds(full), condition.holds(empty)), (true, is_key), "{field}");
            let typed = match *field {
                "isActive" | "isPrivileged" => "eq true",
                "lastLoginAt" | "createdDate" | "updatedDate" | "inactivatedDate" => "ge \"2026-03-15\"",
                "type" if content == Content::Identities => "eq \"service account\"",
                "status" => "eq \"DISABLED\"",
                _ if is_key => "eq \"k\"",
                _ => "eq \"word\"",
            };
            let condition = validation(&format!("{field} {typed}")).of(content).unwrap();
            assert!(condition.holds(full), "{field} {typed}");
        }
        for (script, is_so) in [
            ("attributes.COSTCENTRE eq \"4711\"", true),
            ("attributes.costCentre gt 4000", true),
            ("attributes.\"gRÖSSE\" pr", false),
            ("attributes.\"GRÖßE\" eq \"xl\"", true),
            ("attributes.twice eq \"a\"", true),
            ("attributes.badge pr", false),
        ] {
            assert_eq!(validation(script).of(content).unwrap().holds(full), is_so, "{script}");
        }
    }
}

#[test]
fn a_condition_reads_only_what_it_names() {
    let condition = validation("not (email pr) or attributes.Badge co \"x\" and EMAIL ew \"y\"").of(Content::Accounts);
    let condition = condition.unwrap();
    let places: Vec<String> = condition.places().iter().map(ToString::to_string).collect();
    assert_eq!(places, ["attributes.badge", "email"]);
    assert_eq!(condition.places()[1].known(), Some("email"));
    assert!(condition.places()[0].is_custom("BADGE") && !condition.places()[1].is_custom("email"));
}

// Correlation

const ADA: Uuid = Uuid::from_u128(1);
const BOB: Uuid = Uuid::from_u128(2);
const NOBODY: [Uuid; 0] = [];

/// People with their keys and statuses.
#[derive(Default)]
struct Crowd {
    people: HashMap<Uuid, (Vec<&'static str>, IdentityRecord, &'static str)>,
    index: HashMap<(Place, String), Vec<Uuid>>,
}

impl Crowd {
    fn of(rule: &Correlation, people: &[(Uuid, &[&'static str], IdentityRecord, &'static str)]) -> Self {
        let mut crowd = Self::default();
        for (id, keys, record, status) in people {
            for place in rule.places() {
                for key in *keys {
                    let person = Subject::Identity { key, record, status: Some(status) };
                    let Some(text) = person.folded(place) else { continue };
                    let ids = crowd.index.entry((place.clone(), text)).or_default();
                    if !ids.contains(id) {
                        ids.push(*id);
                    }
                }
            }
            crowd.people.insert(*id, (keys.to_vec(), record.clone(), status));
        }
        crowd
    }
}

impl People for Crowd {
    fn with(&self, place: &Place, folded: &str) -> &[Uuid] {
        self.index.get(&(place.clone(), folded.to_owned())).map_or(&[], Vec::as_slice)
    }

    fn is_meant(&self, identity: Uuid, holds: &dyn Fn(Subject<'_>) -> bool) -> bool {
        let (keys, record, status) = &self.people[&identity];
        keys.iter().any(|key| holds(Subject::Identity { key, record, status: Some(status) }))
    }
}

fn person(email: &str, department: &str) -> IdentityRecord {
    IdentityRecord { email: Some(email.to_owned()), department: Some(department.to_owned()), ..Default::default() }
}

/// Ada in Sales, Bob in Research, who has two keys and has left.
fn people() -> Vec<(Uuid, &'static [&'static str], IdentityRecord, &'static str)> {
    let ada = IdentityRecord {
        employee_id: Some("17".to_owned()),
        attributes: pairs(&[("Badge", "B-1")]),
        ..person("ada@x.com", "Sales")
    };
    vec![(ADA, &["a1"], ada, "Active"), (BOB, &["b1", "B2"], person("bob@x.com", "Research"), "Removed")]
}

/// Whom a rule means for an account.
#[track_caller]
fn finds(script: &str, key: &str, record: &AccountRecord) -> Vec<Uuid> {
    let rule = correlation(script);
    let crowd = Crowd::of(&rule, &people());
    rule.find(Subject::Account { key, record }, &crowd)
}

fn named(name: &str) -> AccountRecord {
    AccountRecord { name: Some(name.to_owned()), ..Default::default() }
}

#[test]
fn placeholders_are_what_the_account_says() {
    let record = AccountRecord {
        name: Some(" ADA ".to_owned()),
        r#type: Some("sales".to_owned()),
        attributes: pairs(&[("Badge No", "b-1")]),
        ..Default::default()
    };
    for script in [
        "email eq \"{account.name}@x.com\"",
        "email eq \"{ Account.NAME }@X.com\"",
        "email eq \"{account.name}@x.com\" and department eq \"{account.type}\"",
        "attributes.badge eq \"{account.attributes.badge no}\"",
        "key eq \"a1\" and email eq \"{account.name}@x.com\"",
        "key eq \"{account.key}\"",
        "email eq \"{account.name}@x.com\" and email ne \"{account.key}\"",
        "email eq \"{account.name}@x.com\" and email sw \"{account.name}@\" and not (department eq \"Research\")",
        "(employeeId eq \"{account.employeeId}\" or email eq \"{account.name}@x.com\") and status eq \"active\"",
    ] {
        assert_eq!(finds(script, "A1", &record), [ADA], "{script}");
    }
    for script in [
        "email eq \"{account.name}@y.com\"",
        "email eq \"{account.name}@x.com\" and department ne \"{account.type}\"",
        "email eq \"{account.name}@x.com\" and status eq \"Removed\"",
        "email eq \"{{account.name}}@x.com\" and key eq \"{account.key}\"",
    ] {
        assert_eq!(finds(script, "A1", &record), NOBODY, "{script}");
    }
}

#[test]
fn who_has_several_keys_is_meant_under_each() {
    for key in ["B1", "b2"] {
        assert_eq!(finds("key eq \"{account.key}\" and status eq \"Removed\"", key, &named("x")), [BOB]);
    }
    assert_eq!(finds("key eq \"{account.key}\" and key ne \"b2\"", "b2", &named("x")), NOBODY);
}

#[test]
fn an_account_without_a_value_is_compared_with_nobody_and_with_nobody_not() {
    let blank = AccountRecord { name: Some("  ".to_owned()), ..Default::default() };
    for record in [AccountRecord::default(), blank] {
        for script in [
            "email eq \"{account.name}\"",
            "email eq \"{account.name}@x.com\"",
            "key eq \"{account.key}\" and department ne \"{account.name}\"",
            "key eq \"{account.key}\" and not (department eq \"{account.name}\")",
            "key eq \"{account.key}\" and department sw \"{account.name}\"",
            "key eq \"{account.key}\" and not (not (department sw \"{account.name}\"))",
        ] {
            assert_eq!(finds(script, "a1", &record), NOBODY, "{script}");
        }
        let or = "email eq \"{account.name}\" or key eq \"{account.key}\"";
        assert_eq!(finds(or, "a1", &record), [ADA]);
    }
}

#[test]
fn what_an_account_says_stays_inside_its_literal() {
    for name in [
        "x\" or email pr or email eq \"y",
        "\\",
        "\\\" or key pr or email eq \\\"",
        "{account.key}",
        "{{",
        "}",
        "ada@x.com\" or \"",
    ] {
        assert_eq!(finds("email eq \"{account.name}\" or key eq \"{account.name}\"", "a1", &named(name)), NOBODY);
        let rule = correlation("email eq \"<{account.name}>\" and key pr");
        let odd = person(&format!("<{name}>"), "Sales");
        let crowd = Crowd::of(&rule, &[(ADA, &["a1"], odd, "Active"), (BOB, &["b1"], person("x", "y"), "Active")]);
        assert_eq!(rule.find(Subject::Account { key: "k", record: &named(name) }, &crowd), [ADA], "{name}");
    }
}

#[test]
fn two_stand_for_everybody_who_is_meant() {
    let rule = correlation("department eq \"{account.type}\" and email pr");
    let all: Vec<(Uuid, &[&str], IdentityRecord, &str)> =
        (1..=5).map(|id| (Uuid::from_u128(id), &["k"][..], person("e", "Sales"), "Active")).collect();
    let account = AccountRecord { r#type: Some("SALES".to_owned()), ..Default::default() };
    let found = rule.find(Subject::Account { key: "k", record: &account }, &Crowd::of(&rule, &all));
    assert_eq!(found.len(), 2);
}

#[test]
fn a_rule_by_which_nobody_can_be_looked_up_is_not_executed() {
    for script in [
        "email eq \"ada@x.com\"",
        "email sw \"{account.name}\"",
        "email ne \"{account.name}\"",
        "not (email eq \"{account.name}\")",
        "email eq \"{account.name}\" or department eq \"Sales\"",
        "email eq \"{{account.name}}\"",
        "email pr",
    ] {
        let reason = reason(&document("Correlation", script));
        assert!(reason.starts_with("sourceCode.script: Nobody can be looked up by it"), "{script}: {reason}");
    }
    for (script, told) in [
        (
            "email eq \"{account.nme}\"",
            "character 10: found {account.nme}, expected a placeholder: {account.x} with one of key, name,",
        ),
        ("email eq \"{name}\"", "character 10: found {name}, "),
        ("email eq \"{account.attributes.}\"", "character 10: found {account.attributes.}, "),
        ("email eq \"{account.isActive}\"", "character 10: found {account.isActive}, "),
        ("key pr and email eq \"{account.name\"", "character 21: found {, "),
        ("email eq \"account.name}\"", "character 10: found }, "),
        ("createdDate eq \"{account.name}\"", "character 16: found \"{account.name}\", expected a date"),
    ] {
        let reason = reason(&document("Correlation", script));
        assert!(reason.starts_with(&format!("sourceCode.script: {told}")), "{script}: {reason}");
    }
}

#[test]
fn an_account_that_only_a_grant_names_is_found_by_its_key_alone() {
    for (script, is_enough) in [
        ("key eq \"{account.key}\"", true),
        ("email eq \"{account.key}@x.com\" and department eq \"{account.type}\"", true),
        ("email eq \"{account.name}\" or key eq \"{account.key}\"", true),
        ("email eq \"{account.name}{account.key}\"", false),
        ("email eq \"{account.attributes.key}\"", false),
    ] {
        assert_eq!(correlation(script).finds_by_key(), is_enough, "{script}");
    }
}

// The guides

#[test]
fn the_guides_tell_the_truth() {
    let guides = [include_str!("../../../docs/API.md"), include_str!("../../../docs/CONFIGURATION.md")];
    let blocks = guides.iter().flat_map(|guide| guide.split("```json\n").skip(1));
    let documents = blocks.filter_map(|block| serde_json::from_str::<Value>(block.split("```").next()?).ok());
    let rules: Vec<Value> = documents.filter(|document| document["language"] == "scim").collect();
    assert_eq!(rules.len(), 2);
    for rule in rules {
        assert!(Rule::read(&rule).is_ok(), "{rule}");
    }
    let filters = include_str!("../../../docs/FILTERS.md");
    let section = filters.split("## Rules").nth(1).unwrap().split("## ").next().unwrap();
    for content in subject::CONTENTS {
        let line = section.lines().find(|line| line.starts_with(&format!("| {}", content.as_str()))).unwrap();
        for field in fields::known(content) {
            assert!(line.contains(&format!("`{field}`")), "{field} of {}", content.as_str());
        }
    }
}
