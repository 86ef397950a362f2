//! The events as the log keeps them. `golden/<aggregate_type>/<EventType>-<version>.json` holds the very bytes of a payload
//! with every field filled; `…-minimal.json` one whose optional fields are absent.
//!
//! These files **never change**: logs hold such bytes, and leaf hashes cover them. No test writes or updates them, and none
//! ends with a line feed. An event that must look different is a new type or version with files of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use aggregates::DomainEvent;
use aggregates::access_request::Action;
use aggregates::api_client::Scope;
use aggregates::api_token::Role;
use aggregates::application::{Content, Priority};
use aggregates::application_import::ImportType;
use aggregates::automation_run::Field;
use aggregates::automation_run_rows::Outcome;
use aggregates::ballot::Answer;
use aggregates::certification_row::{Decision, NotificationStatus, SignedOffState};
use aggregates::event::{DecodeError, inner};
use aggregates::identity::{IdentityStatus, IdentityType};
use aggregates::personnel_event::{PersonnelEventType, Stage};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A golden file: where it lies, what its path says of it, and its bytes.
struct Golden {
    path: String,
    aggregate_type: String,
    event_type: String,
    version: String,
    is_minimal: bool,
    payload: String,
}

/// Every file under `golden`; panics at one whose path says nothing.
fn golden() -> Vec<Golden> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let entries = |directory: &Path| -> Vec<std::path::PathBuf> {
        let listed = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
        let mut paths: Vec<_> = listed.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        paths
    };
    let mut files = Vec::new();
    for directory in entries(&root) {
        for file in entries(&directory) {
            let path = file.strip_prefix(&root).unwrap_or(&file).display().to_string();
            let parsed = path.split_once('/').and_then(|(aggregate_type, name)| {
                let name = name.strip_suffix(".json")?;
                let (name, is_minimal) = match name.strip_suffix("-minimal") {
                    Some(name) => (name, true),
                    None => (name, false),
                };
                let (event_type, version) = name.split_once('-')?;
                Some((aggregate_type.to_owned(), event_type.to_owned(), version.to_owned(), is_minimal))
            });
            let Some((aggregate_type, event_type, version, is_minimal)) = parsed else {
                panic!("{path} isn't <aggregate_type>/<EventType>-<version>[-minimal].json")
            };
            let payload = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{path}: {error}"));
            files.push(Golden { path, aggregate_type, event_type, version, is_minimal, payload });
        }
    }
    files
}

fn decoded(file: &Golden) -> DomainEvent {
    DomainEvent::decode(&file.aggregate_type, &file.payload).unwrap_or_else(|error| panic!("{}: {error}", file.path))
}

#[test]
fn every_event_type_and_version_has_a_golden_file_and_every_file_a_type() {
    let types: BTreeSet<_> = DomainEvent::types()
        .into_iter()
        .map(|(aggregate_type, event_type, version)| {
            (aggregate_type.to_owned(), event_type.to_owned(), version.to_owned())
        })
        .collect();
    let of_files = |is_minimal: bool| -> BTreeSet<_> {
        golden()
            .into_iter()
            .filter(|file| file.is_minimal == is_minimal)
            .map(|file| (file.aggregate_type, file.event_type, file.version))
            .collect()
    };
    assert_eq!(of_files(false), types);
    let minimal_without_type: Vec<_> = of_files(true).difference(&types).cloned().collect();
    assert_eq!(minimal_without_type, []);
}

#[test]
fn every_golden_event_is_still_read_and_would_be_written_in_the_same_bytes() {
    for file in golden() {
        let event = decoded(&file);
        assert_eq!(event.payload().unwrap(), file.payload, "{}", file.path);
        assert_eq!(
            (event.aggregate_type(), event.type_name(), event.version()),
            (&*file.aggregate_type, &*file.event_type, &*file.version),
            "{}",
            file.path
        );
    }
}

#[test]
fn a_minimal_event_lacks_fields_of_the_full_one_and_has_no_others() {
    fn fields(payload: &str) -> BTreeSet<String> {
        fn collect(value: &Value, at: &str, found: &mut BTreeSet<String>) {
            match value {
                Value::Object(members) => {
                    for (name, member) in members {
                        let at = format!("{at}.{name}");
                        collect(member, &at, found);
                        found.insert(at);
                    }
                }
                Value::Array(items) => items.iter().for_each(|item| collect(item, &format!("{at}[]"), found)),
                _ => {}
            }
        }
        let mut found = BTreeSet::new();
        collect(&serde_json::from_str(payload).unwrap_or_default(), "", &mut found);
        found
    }
    let mut files: BTreeMap<_, BTreeMap<bool, BTreeSet<String>>> = BTreeMap::new();
    for file in golden() {
        let of_type = files.entry((file.event_type, file.version)).or_default();
        of_type.insert(file.is_minimal, fields(&file.payload));
    }
    for (name, of_type) in files {
        if let Some(minimal) = of_type.get(&true) {
            let full = &of_type[&false];
            assert!(minimal.is_subset(full) && minimal.len() < full.len(), "{name:?}: {minimal:?} of {full:?}");
        }
    }
}

#[test]
fn an_event_type_is_unique_in_the_whole_system() {
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (aggregate_type, event_type, version) in DomainEvent::types() {
        assert!(seen.insert((event_type, version)), "{event_type} {version} exists twice");
        let owner = *owners.entry(event_type).or_insert(aggregate_type);
        assert_eq!(owner, aggregate_type, "{event_type} belongs to two aggregates");
    }
    assert!(!seen.is_empty());
}

#[test]
fn event_types_are_pascal_case_and_aggregate_types_snake_case() {
    for (aggregate_type, event_type, version) in DomainEvent::types() {
        assert!(
            event_type.starts_with(|c: char| c.is_ascii_uppercase())
                && event_type.chars().all(|c| c.is_ascii_alphanumeric())
                && !event_type.as_bytes().windows(2).any(|two| two.iter().all(u8::is_ascii_uppercase)),
            "{event_type}"
        );
        assert!(
            aggregate_type.split('_').all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase())),
            "{aggregate_type}"
        );
        let (major, minor) = version.split_once('.').unwrap();
        assert!(major.parse::<u32>().unwrap() >= 1 && minor.parse::<u32>().is_ok(), "{version}");
    }
}

#[test]
fn what_the_api_shows_of_an_event_is_the_inside_of_its_payload() {
    for file in golden() {
        let tag = format!("{{\"{}\":", file.event_type);
        let inside = file.payload.strip_prefix(&tag).and_then(|rest| rest.strip_suffix('}'));
        assert_eq!(Some(inner(&file.payload).unwrap().get()), inside, "{}", file.path);
    }
}

#[test]
fn a_payload_of_another_aggregate_or_of_an_unknown_one_is_not_read() {
    let unknown = DomainEvent::decode("ledger", r#"{"ApiEnabled":{}}"#);
    assert!(matches!(unknown, Err(DecodeError::UnknownAggregate(name)) if name == "ledger"));
    let anothers = DomainEvent::decode("account", r#"{"ApiEnabled":{}}"#);
    assert!(matches!(anothers, Err(DecodeError::Payload(_))));
    let lacking = DomainEvent::decode("account", r#"{"AccountRemoved":{}}"#);
    assert!(matches!(lacking, Err(DecodeError::Payload(_))));
}

/// Each of these words, and no other, is the value at its place.
#[track_caller]
fn words<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(expected: &[(T, &str)]) {
    for (value, word) in expected {
        let word = Value::from(*word);
        assert_eq!(serde_json::to_value(value).ok().as_ref(), Some(&word));
        assert_eq!(serde_json::from_value::<T>(word).ok().as_ref(), Some(value));
    }
}

#[test]
fn the_words_inside_golden_events_never_change() {
    words(&[
        (Role::Reader, "reader"),
        (Role::Auditor, "auditor"),
        (Role::Operator, "operator"),
        (Role::Administrator, "administrator"),
    ]);
    words(&[
        (Scope::ConfigRead, "sp:config:read"),
        (Scope::ConfigManage, "sp:config:manage"),
        (Scope::All, "sp:scopes:all"),
    ]);
    words(&[
        (Priority::None, "None"),
        (Priority::Low, "Low"),
        (Priority::Moderate, "Moderate"),
        (Priority::High, "High"),
        (Priority::Critical, "Critical"),
    ]);
    words(&[
        (Content::Identities, "identities"),
        (Content::Entitlements, "entitlements"),
        (Content::Accounts, "accounts"),
        (Content::Grants, "grants"),
    ]);
    words(&[(ImportType::Scheduled, "Scheduled"), (ImportType::Manual, "Manual"), (ImportType::Api, "API")]);
    words(&[(IdentityStatus::Active, "Active"), (IdentityStatus::Disabled, "Disabled")]);
    words(&[
        (IdentityType::Employee, "Employee"),
        (IdentityType::ServiceAccount, "Service Account"),
        (IdentityType::Vendor, "Vendor"),
        (IdentityType::Shared, "Shared"),
        (IdentityType::Mailbox, "Mailbox"),
        (IdentityType::Client, "Client"),
        (IdentityType::Temporary, "Temporary"),
        (IdentityType::Administrator, "Administrator"),
        (IdentityType::Auditor, "Auditor"),
        (IdentityType::Unknown, "Unknown"),
    ]);
    words(&[
        (PersonnelEventType::Onboard, "Onboard"),
        (PersonnelEventType::Offboard, "Offboard"),
        (PersonnelEventType::RoleTransition, "Role Transition"),
        (PersonnelEventType::Absence, "Absence"),
    ]);
    words(&[
        (Stage::Approval, "Approval"),
        (Stage::Provision, "Provision"),
        (Stage::TransitionIn, "Transition In"),
        (Stage::TransitionOut, "Transition Out"),
        (Stage::Removal, "Removal"),
        (Stage::Verification, "Verification"),
    ]);
    words(&[(Answer::Approved, "Approved"), (Answer::Rejected, "Rejected")]);
    words(&[
        (Action::Add, "Add"),
        (Action::Change, "Change"),
        (Action::Remove, "Remove"),
        (Action::Suspend, "Suspend"),
        (Action::Restore, "Restore"),
    ]);
    words(&[
        (Decision::Unknown, "UNKNOWN"),
        (Decision::None, "NONE"),
        (Decision::Accepted, "ACCEPTED"),
        (Decision::Rejected, "REJECTED"),
        (Decision::Fixed, "FIXED"),
    ]);
    words(&[
        (SignedOffState::Unknown, "UNKNOWN"),
        (SignedOffState::NotSignedOff, "NOT_SIGNED_OFF"),
        (SignedOffState::SignedOff, "SIGNED_OFF"),
    ]);
    words(&[
        (NotificationStatus::Unknown, "UNKNOWN"),
        (NotificationStatus::Pending, "PENDING"),
        (NotificationStatus::Succeed, "SUCCEED"),
        (NotificationStatus::Failed, "FAILED"),
    ]);
    words(&[
        (Outcome::Changed, "CHANGED"),
        (Outcome::Unchanged, "UNCHANGED"),
        (Outcome::Conflicting, "CONFLICTING"),
        (Outcome::Skipped, "SKIPPED"),
    ]);
    words(&[(Field::Decision, "decision"), (Field::SignedOffState, "signed_off_state")]);
}

/// Bytes as fixed as golden files, of what these can't hold: a run is one of two kinds, an account is found by fields or by a rule,
/// and optional fields came to events after their files, which never change.
#[test]
fn later_fields_and_another_kind_are_still_read_and_would_be_written_in_the_same_bytes() {
    let run = r#"{"AutomationRunStarted":{"certificationId":"01890a5d-ac96-774b-bcce-b302099a8201","plan":{"kind":"automations","automations":[{"id":"01890a5d-ac96-774b-bcce-b302099a8302","name":"Reject A","priority":0,"attachToNewWorkflows":false,"optIn":false,"filter":"source.name sw \"A\"","action":{"decision":"REJECTED","signedOffState":"UNKNOWN"}}]}}}"#;
    let workflow = r#"{"AccessWorkflowCreated":{"definition":{"name":"Quarterly","fallbackReviewers":["01890a5d-ac96-774b-bcce-b302099a8072"],"isSelfReviewAllowed":true}}}"#;
    let request = r#"{"AccessRequested":{"request":{"action":"Remove","identityId":"01890a5d-ac96-774b-bcce-b302099a8004","applicationId":"01890a5d-ac96-774b-bcce-b302099a8001","privileges":[{"key":"jdoe"}],"reviewItem":{"certificationId":"01890a5d-ac96-774b-bcce-b302099a8201","resultId":500}},"reporter":{"actorId":"01890a5d-ac96-774b-bcce-b302099a8064","name":"HRIS Integration"},"responders":[],"isApproved":false,"isDue":true,"at":"2026-03-15T14:30:00.123456Z"}}"#;
    let correlated = r#"{"AccountCorrelated":{"import":"01890a5d-ac96-774b-bcce-b302099a8002","identityId":"01890a5d-ac96-774b-bcce-b302099a8003","rule":"Mail by name"}}"#;
    let released = r#"{"AccountReleased":{"correlation":{"identityId":"01890a5d-ac96-774b-bcce-b302099a8003","rule":"Mail by name"}}}"#;
    let application = r#"{"ApplicationCreated":{"definition":{"name":"Ledger","priority":"None","isIdentitySource":false,"removalLimit":0,"connector":{"type":"file","fileGroups":[{"id":"01890a5d-ac96-774b-bcce-b302099a8012","name":"Log-ins","content":"accounts","isRequired":true,"format":"csv","columns":{"key":"LOGIN"},"rules":["Log-ins have a name"]}]},"correlation":[{"rule":"Mail by name"},{"account":"email","identity":"email"}]}}}"#;
    for (aggregate_type, payload) in [
        ("automation_run", run),
        ("access_workflow", workflow),
        ("access_request", request),
        ("account", correlated),
        ("account", released),
        ("application", application),
    ] {
        let event = DomainEvent::decode(aggregate_type, payload).unwrap();
        assert_eq!(event.payload().unwrap(), payload);
    }
}
