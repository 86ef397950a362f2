//! What callers ask for, field by field, and which days there are.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::{America, Asia, Europe, Pacific, Tz};

use super::*;
use crate::identity::{IdentityRecord, IdentityType};

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn facts(now: &str, timezone: Tz) -> DraftFacts {
    DraftFacts { now: time(now), timezone, custom_fields: vec!["customField1".to_owned()] }
}

/// Noon in UTC.
fn noon() -> DraftFacts {
    facts("2026-03-15T12:00:00Z", Tz::UTC)
}

#[expect(clippy::unnecessary_wraps, reason = "every field of a draft may be absent")]
fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn person() -> IdentityDraft {
    IdentityDraft { first_name: some("Jane"), last_name: some("Doe"), ..Default::default() }
}

/// The least that an onboarding needs.
fn joiner() -> Draft {
    Draft { identity: Some(person()), effective_date: some("2026-04-15"), ..Default::default() }
}

const PERSON: &str = "01890a5d-ac96-774b-bcce-b302099a8004";

/// The least that any other event needs.
fn known() -> Draft {
    Draft { identity_id: some(PERSON), effective_date: some("2026-04-15"), ..Default::default() }
}

use PersonnelEventType::{Absence, Offboard, Onboard, RoleTransition};

#[track_caller]
fn refused(draft: Draft, kind: PersonnelEventType, facts: &DraftFacts, expected: &[(&str, &str)]) {
    let violations = draft.check(kind, facts).unwrap_err();
    let found: Vec<(&str, &str)> =
        violations.iter().map(|violation| (&*violation.field, &*violation.message)).collect();
    assert_eq!(found, expected);
}

fn fields(draft: Draft, kind: PersonnelEventType) -> Vec<String> {
    match draft.check(kind, &noon()) {
        Ok(_) => Vec::new(),
        Err(violations) => violations.into_iter().map(|violation| violation.field).collect(),
    }
}

// What is needed

#[test]
fn who_joins_needs_a_name_and_a_date_and_is_an_employee() {
    let requested = joiner().check(Onboard, &noon()).unwrap();
    let expected = IdentityRecord {
        first_name: some("Jane"),
        last_name: some("Doe"),
        r#type: Some(IdentityType::Employee),
        ..Default::default()
    };
    assert_eq!((requested.r#type, requested.identity_id), (Onboard, None));
    assert_eq!(requested.identity, expected);
    assert_eq!((requested.effective_at, requested.end_at), (time("2026-04-15T00:00:00Z"), None));
}

#[test]
fn whoever_is_known_is_named_by_id() {
    for kind in [Offboard, RoleTransition, Absence] {
        let requested = known().check(kind, &noon()).unwrap();
        assert_eq!(requested.identity_id, PERSON.parse().ok());
        assert_eq!(requested.identity, IdentityRecord::default());
    }
}

#[test]
fn everything_that_is_missing_is_named_at_once() {
    let nobody = Draft { identity: Some(IdentityDraft::default()), ..Default::default() };
    refused(
        nobody,
        Onboard,
        &noon(),
        &[
            ("identity.firstName", "First name is required"),
            ("identity.lastName", "Last name is required"),
            ("effectiveDate", "Effective date is required"),
        ],
    );
    refused(
        Draft::default(),
        Onboard,
        &noon(),
        &[("identity", "Identity is required"), ("effectiveDate", "Effective date is required")],
    );
    for kind in [Offboard, RoleTransition, Absence] {
        let expected = [("identityId", "Identity ID is required"), ("effectiveDate", "Effective date is required")];
        refused(Draft::default(), kind, &noon(), &expected);
    }
}

#[test]
fn what_holds_only_spaces_is_missing() {
    let blank = IdentityDraft { first_name: some(" \t"), last_name: some(""), ..Default::default() };
    let draft = Draft { identity: Some(blank), effective_date: some("  "), end_date: some(" "), ..Default::default() };
    assert_eq!(fields(draft, Onboard), ["identity.firstName", "identity.lastName", "effectiveDate"]);
    assert_eq!(fields(Draft { identity_id: some(" "), ..known() }, Offboard), ["identityId"]);
    let spaced = IdentityDraft { first_name: some(" Jane "), title: some(" "), ..person() };
    let requested = Draft { identity: Some(spaced), comment: some("  "), ..joiner() }.check(Onboard, &noon()).unwrap();
    assert_eq!((requested.identity.first_name, requested.identity.title), (some("Jane"), None));
    assert_eq!(requested.comment, None);
}

#[test]
fn a_move_changes_only_what_it_names() {
    let identity = IdentityDraft { title: some("Head"), ..Default::default() };
    let requested = Draft { identity: Some(identity), ..known() }.check(RoleTransition, &noon()).unwrap();
    assert_eq!(requested.identity, IdentityRecord { title: some("Head"), ..Default::default() });
}

#[test]
fn ids_are_guids() {
    refused(
        Draft { identity_id: some("E-17"), ..known() },
        Offboard,
        &noon(),
        &[("identityId", "\"E-17\" is not a GUID")],
    );
    let supervised =
        |id: &str| Draft { identity: Some(IdentityDraft { supervisor_id: some(id), ..person() }), ..joiner() };
    refused(supervised("Ada"), Onboard, &noon(), &[("identity.supervisorId", "\"Ada\" is not a GUID")]);
    let id = |text: &str| supervised(text).check(Onboard, &noon()).unwrap().identity.supervisor_id;
    assert_eq!(id(&format!(" {} ", PERSON.to_uppercase())), PERSON.parse().ok());
    assert_eq!(id(" "), None);
}

// How long it may be

type Setter = fn(&mut IdentityDraft, String);

/// Every text of a person with its limit (contracts §1.8).
const LIMITS: [(&str, &str, usize, Setter); 8] = [
    ("firstName", "First name", 256, |draft, text| draft.first_name = Some(text)),
    ("lastName", "Last name", 256, |draft, text| draft.last_name = Some(text)),
    ("email", "Email", 256, |draft, text| draft.email = Some(text)),
    ("company", "Company", 256, |draft, text| draft.company = Some(text)),
    ("division", "Division", 256, |draft, text| draft.division = Some(text)),
    ("department", "Department", 128, |draft, text| draft.department = Some(text)),
    ("office", "Office", 256, |draft, text| draft.office = Some(text)),
    ("title", "Title", 256, |draft, text| draft.title = Some(text)),
];

#[test]
fn a_text_is_as_long_as_its_limit_and_not_a_character_longer() {
    for (field, label, limit, set) in LIMITS {
        // Characters count, not bytes.
        let draft = |length: usize| {
            let mut identity = person();
            set(&mut identity, "ü".repeat(length));
            identity
        };
        let path = format!("identity.{field}");
        let message = format!("{label} has {} characters; at most {limit} are allowed", limit + 1);
        for (kind, base) in [(Onboard, joiner()), (RoleTransition, known())] {
            let with = |length: usize| Draft { identity: Some(draft(length)), ..base.clone() };
            assert!(with(limit).check(kind, &noon()).is_ok(), "{field}");
            refused(with(limit + 1), kind, &noon(), &[(&path, &message)]);
        }
    }
}

#[test]
fn a_text_without_what_postgresql_can_not_keep() {
    for (field, label, _, set) in LIMITS {
        let mut identity = person();
        set(&mut identity, "a\0b".to_owned());
        let (path, message) = (format!("identity.{field}"), format!("{label} contains a NUL character"));
        refused(Draft { identity: Some(identity), ..joiner() }, Onboard, &noon(), &[(&path, &message)]);
    }
}

#[test]
fn a_comment_has_up_to_4000_characters() {
    let with = |length: usize| Draft { comment: Some("ü".repeat(length)), ..known() };
    assert!(with(4000).check(Offboard, &noon()).is_ok());
    let message = "Comment has 4001 characters; at most 4000 are allowed";
    refused(with(4001), Offboard, &noon(), &[("comment", message)]);
}

// Types and custom fields

fn typed(word: &str) -> Draft {
    Draft { identity: Some(IdentityDraft { identity_type: some(word), ..person() }), ..joiner() }
}

#[test]
fn a_type_is_one_of_those_that_the_contract_names() {
    let kind = |word: &str| typed(word).check(Onboard, &noon()).unwrap().identity.r#type;
    for word in IdentityType::ALLOWED.replace(" or ", ", ").split(", ") {
        assert_eq!(kind(word).map(|kind| kind.as_str().replace(' ', "")).as_deref(), Some(word));
    }
    assert_eq!(kind("Service Account"), Some(IdentityType::ServiceAccount));
    assert_eq!(kind("vendor"), Some(IdentityType::Vendor));
    assert_eq!(kind(" "), Some(IdentityType::Employee), "as if it weren't said");
    let message = "\"Robot\" is no identity type; allowed are Employee, ServiceAccount, Vendor, Shared, Mailbox, Client, \
                   Temporary, Administrator, Auditor or Unknown";
    refused(typed("Robot"), Onboard, &noon(), &[("identity.identityType", message)]);
}

#[test]
fn a_type_has_up_to_50_characters() {
    let padded = |length: usize| format!("{:-<length$}", "Employee");
    assert!(typed(&padded(50)).check(Onboard, &noon()).is_ok());
    let message = "Identity type has 51 characters; at most 50 are allowed";
    refused(typed(&padded(51)), Onboard, &noon(), &[("identity.identityType", message)]);
}

fn custom(fields: &[(&str, &str)]) -> Draft {
    let custom_fields: BTreeMap<String, String> =
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Draft { identity: Some(IdentityDraft { custom_fields, ..person() }), ..joiner() }
}

#[test]
fn a_custom_field_that_is_enabled_becomes_an_attribute() {
    let requested = custom(&[("customField1", " Badge 4711 ")]).check(Onboard, &noon()).unwrap();
    assert_eq!(requested.identity.attributes, BTreeMap::from([("customField1".to_owned(), "Badge 4711".to_owned())]));
}

#[test]
fn a_custom_field_that_is_not_enabled_is_refused_unless_it_says_nothing() {
    let message = "customField2 is not enabled in the system settings";
    let both = custom(&[("customField1", "a"), ("customField2", "b")]);
    refused(both, Onboard, &noon(), &[("identity.customField2", message)]);
    assert!(custom(&[("customField2", " ")]).check(Onboard, &noon()).is_ok());
}

#[test]
fn a_custom_field_has_up_to_2048_characters() {
    assert!(custom(&[("customField1", &"ü".repeat(2048))]).check(Onboard, &noon()).is_ok());
    let message = "customField1 has 2049 characters; at most 2048 are allowed";
    let long = custom(&[("customField1", &"ü".repeat(2049))]);
    refused(long, Onboard, &noon(), &[("identity.customField1", message)]);
}

// Dates

fn dated(effective: &str, end: Option<&str>) -> Draft {
    Draft { effective_date: some(effective), end_date: end.map(str::to_owned), ..known() }
}

#[test]
fn a_date_is_a_day_or_a_time() {
    for (text, expected) in [
        ("2026-04-15", "2026-04-14T22:00:00Z"),
        (" 2026-04-15 ", "2026-04-14T22:00:00Z"),
        ("2026-04-15T00:00:00Z", "2026-04-15T00:00:00Z"),
        ("2026-04-15T09:30:00+02:00", "2026-04-15T07:30:00Z"),
        ("2026-04-15T09:30:00.1234569Z", "2026-04-15T09:30:00.123456Z"),
    ] {
        assert_eq!(date(text, Europe::Zurich), Some(time(expected)), "{text}");
    }
}

#[test]
fn what_is_no_date_is_refused_with_what_would_be_one() {
    for word in ["15.04.2026", "2026-02-30", "2026-4-15", "tomorrow", "20260415", "2026-04-15Z", "2026-04-15T25:00:00Z"]
    {
        let message = format!("{word:?} is not a date (2026-03-15) or a time (2026-03-15T14:30:00Z) that exists");
        refused(dated(word, None), Offboard, &noon(), &[("effectiveDate", &message)]);
        refused(dated("2026-04-15", Some(word)), Absence, &noon(), &[("endDate", &message)]);
    }
}

#[test]
fn a_day_that_postgresql_can_not_keep_is_no_date_in_any_timezone() {
    assert_eq!(date("0001-01-01", Europe::Zurich), None, "midnight there is the year before in UTC");
    assert!(date("0001-01-01", America::New_York).is_some());
    assert!(date("9999-12-31", America::New_York).is_some());
}

#[test]
fn it_is_today_in_the_configured_timezone() {
    for (now, zone, today, yesterday, since) in [
        // Half past midnight in Zurich, when UTC has the day before.
        ("2026-03-15T23:30:00Z", Europe::Zurich, "2026-03-16", "2026-03-15", "2026-03-15T23:00:00Z"),
        // Half an hour before.
        ("2026-03-15T22:30:00Z", Europe::Zurich, "2026-03-15", "2026-03-14", "2026-03-14T23:00:00Z"),
        // Evening in New York, when UTC has the day after.
        ("2026-03-16T01:00:00Z", America::New_York, "2026-03-15", "2026-03-14", "2026-03-15T04:00:00Z"),
        ("2026-03-15T12:00:00Z", Tz::UTC, "2026-03-15", "2026-03-14", "2026-03-15T00:00:00Z"),
        // Midnight itself.
        ("2026-03-14T18:15:00Z", Asia::Kathmandu, "2026-03-15", "2026-03-14", "2026-03-14T18:15:00Z"),
    ] {
        let facts = facts(now, zone);
        assert_eq!(facts.today(), time(since), "{now} {zone}");
        let message = "Effective date must be today or later";
        for kind in [Offboard, RoleTransition, Absence] {
            assert!(dated(today, None).check(kind, &facts).is_ok(), "{now} {zone}");
            refused(dated(yesterday, None), kind, &facts, &[("effectiveDate", message)]);
            // A time counts from the day's first moment on, though it has passed already.
            assert!(dated(since, None).check(kind, &facts).is_ok(), "{now} {zone}");
            let before = (time(since) - TimeDelta::microseconds(1)).to_rfc3339();
            refused(dated(&before, None), kind, &facts, &[("effectiveDate", message)]);
        }
    }
}

#[test]
fn who_joined_already_can_be_onboarded() {
    let joined = Draft { effective_date: some("2019-01-07"), end_date: some("2025-12-31"), ..joiner() };
    let requested = joined.check(Onboard, &noon()).unwrap();
    assert_eq!(requested.effective_at, time("2019-01-07T00:00:00Z"));
    assert_eq!(requested.end_at, Some(time("2025-12-31T00:00:00Z")));
}

#[test]
fn a_day_begins_when_the_clocks_say_so() {
    for (day, zone, begins) in [
        // The clocks jump from midnight to one.
        ("2018-11-04", America::Sao_Paulo, "2018-11-04T03:00:00Z"),
        // Midnight comes twice: the first one counts.
        ("2025-11-02", America::Havana, "2025-11-02T04:00:00Z"),
        // Samoa left this day out.
        ("2011-12-30", Pacific::Apia, "2011-12-30T10:00:00Z"),
    ] {
        assert_eq!(date(day, zone), Some(time(begins)), "{day} {zone}");
    }
    // The day without a midnight is today from its first moment to its last.
    for now in ["2018-11-04T03:00:00Z", "2018-11-05T01:59:59Z"] {
        let facts = facts(now, America::Sao_Paulo);
        assert_eq!(facts.today(), time("2018-11-04T03:00:00Z"));
        assert!(dated("2018-11-04", None).check(Offboard, &facts).is_ok());
        assert_eq!(dated("2018-11-03", None).check(Offboard, &facts).unwrap_err()[0].field, "effectiveDate");
    }
}

#[test]
fn today_has_begun_and_is_the_day_that_a_date_means_whatever_the_clocks_do() {
    let zones = [
        America::Sao_Paulo,
        America::Havana,
        America::St_Johns,
        Asia::Tehran,
        Europe::Zurich,
        Pacific::Chatham,
        Tz::UTC,
    ];
    for zone in zones {
        let mut now = time("2018-01-01T00:10:00Z");
        while now < time("2019-01-01T00:00:00Z") {
            let facts = DraftFacts { now, timezone: zone, custom_fields: Vec::new() };
            let today = facts.today();
            let day = now.with_timezone(&zone).date_naive();
            assert!(today <= now && now - today < TimeDelta::hours(25), "{now} {zone}: {today}");
            assert_eq!(date(&day.to_string(), zone), Some(today), "{now} {zone}");
            assert_eq!(today.with_timezone(&zone).date_naive(), day, "{now} {zone}");
            // Every time of day has its turn.
            now += TimeDelta::minutes(97);
        }
    }
}

#[test]
fn what_ends_ends_after_it_began() {
    let message = "End date must be after effective date";
    for end in ["2026-04-14", "2026-04-15", "2026-04-15T00:00:00Z"] {
        for kind in [RoleTransition, Absence] {
            refused(dated("2026-04-15", Some(end)), kind, &noon(), &[("endDate", message)]);
        }
        let joiner = Draft { end_date: some(end), ..joiner() };
        refused(joiner, Onboard, &noon(), &[("endDate", message)]);
    }
    let requested = dated("2026-04-15", Some("2026-04-16")).check(Absence, &noon()).unwrap();
    assert_eq!(requested.end_at, Some(time("2026-04-16T00:00:00Z")));
}

#[test]
fn both_dates_are_judged_in_one_answer() {
    refused(
        dated("2026-03-14", Some("2026-03-13")),
        Absence,
        &noon(),
        &[
            ("effectiveDate", "Effective date must be today or later"),
            ("endDate", "End date must be after effective date"),
        ],
    );
}
