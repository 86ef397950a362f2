use std::collections::BTreeMap;

use chrono::DateTime;
use cqrs_es::Aggregate;
use cqrs_es::test::TestFramework;

use super::*;

mod personnel;
mod words;

const IMPORT: Uuid = Uuid::from_u128(100);

/// The key of the same person in application 1, 2, 3, ...: a lower number was created earlier.
fn source(application: u128, key: &str) -> Source {
    Source { application_id: Uuid::from_u128(application), key: key.to_owned() }
}

fn titled(title: &str) -> IdentityRecord {
    IdentityRecord { title: Some(title.to_owned()), ..Default::default() }
}

fn named(source: Source, record: IdentityRecord) -> IdentityCommand {
    IdentityCommand::Observe { import: IMPORT, source, delivered: Some(record), matched_by: None }
}

fn named_no_more(source: Source) -> IdentityCommand {
    IdentityCommand::Observe { import: IMPORT, source, delivered: None, matched_by: None }
}

fn added(source: Source, record: IdentityRecord) -> IdentityEvent {
    IdentityEvent::IdentityAdded { import: IMPORT, source, record }
}

fn linked(source: Source, record: IdentityRecord) -> IdentityEvent {
    IdentityEvent::IdentityLinked { import: IMPORT, source, matched_by: "employeeId".to_owned(), record }
}

fn changed(source: Source, record: IdentityRecord) -> IdentityEvent {
    IdentityEvent::IdentityChanged { import: IMPORT, source, record }
}

fn removed(source: Source) -> IdentityEvent {
    IdentityEvent::IdentityRemoved { import: IMPORT, source }
}

#[track_caller]
fn then(given: Vec<IdentityEvent>, when: IdentityCommand, expected: Vec<IdentityEvent>) {
    TestFramework::<Identity>::with(()).given(given).when(when).then_expect_events(expected);
}

fn identity(events: Vec<IdentityEvent>) -> Identity {
    let mut identity = Identity::default();
    for event in events {
        identity.apply(event);
    }
    identity
}

// Commands

#[test]
fn a_person_whom_nobody_knew_is_added() {
    let hr = source(1, "E1");
    then(vec![], named(hr.clone(), titled("Clerk")), vec![added(hr, titled("Clerk"))]);
}

#[test]
fn the_key_of_another_source_is_linked_by_the_field_that_matched() {
    let directory = source(2, "jdoe");
    let command = IdentityCommand::Observe {
        import: IMPORT,
        source: directory.clone(),
        delivered: Some(titled("Clerk")),
        matched_by: Some("employeeId".to_owned()),
    };
    then(vec![added(source(1, "E1"), titled("Clerk"))], command, vec![linked(directory, titled("Clerk"))]);
}

#[test]
fn what_a_source_says_anew_is_a_change_of_that_source_only() {
    let (hr, directory) = (source(1, "E1"), source(2, "jdoe"));
    let given = vec![added(hr.clone(), titled("Clerk")), linked(directory.clone(), titled("Agent"))];
    then(given.clone(), named(directory.clone(), titled("Clerk")), vec![changed(directory.clone(), titled("Clerk"))]);
    then(given.clone(), named(hr, titled("Clerk")), vec![]);
    then(given, named(directory, titled("Agent")), vec![]);
}

#[test]
fn the_same_key_of_another_application_is_another_source() {
    let (first, second) = (source(1, "E1"), source(2, "E1"));
    let given = vec![added(first.clone(), titled("Clerk")), linked(second, titled("Agent"))];
    then(given.clone(), named(first.clone(), titled("Clerk")), vec![]);
    then(given, named_no_more(source(2, "E1")), vec![removed(source(2, "E1"))]);
    then(vec![added(first, titled("Clerk"))], named_no_more(source(1, "e1")), vec![]);
}

#[test]
fn a_person_whom_a_source_names_no_more_is_removed_there_once() {
    let hr = source(1, "E1");
    let given = vec![added(hr.clone(), titled("Clerk"))];
    then(given.clone(), named_no_more(hr.clone()), vec![removed(hr.clone())]);
    let gone = vec![given[0].clone(), removed(hr.clone())];
    then(gone, named_no_more(hr.clone()), vec![]);
    then(vec![], named_no_more(hr), vec![]);
}

#[test]
fn a_person_who_returns_is_the_same_one_and_is_not_matched_again() {
    let hr = source(1, "E1");
    let gone = vec![added(hr.clone(), titled("Clerk")), removed(hr.clone())];
    for title in ["Clerk", "Agent"] {
        let command = IdentityCommand::Observe {
            import: IMPORT,
            source: hr.clone(),
            delivered: Some(titled(title)),
            matched_by: Some("email".to_owned()),
        };
        then(gone.clone(), command, vec![changed(hr.clone(), titled(title))]);
    }
}

#[test]
fn an_identity_remembers_what_each_source_said_last() {
    let (hr, directory) = (source(1, "E1"), source(2, "jdoe"));
    let state = identity(vec![
        added(hr.clone(), titled("Clerk")),
        linked(directory.clone(), titled("Agent")),
        changed(hr.clone(), titled("Head")),
        removed(directory.clone()),
    ]);
    let expected = [says(hr.clone(), titled("Head")), left(directory, titled("Agent"))];
    assert_eq!(state.records, expected);
    let returned =
        identity(vec![added(hr.clone(), titled("Clerk")), removed(hr.clone()), changed(hr.clone(), titled("Clerk"))]);
    assert_eq!(returned.records, [says(hr, titled("Clerk"))]);
}

// The merge of what the sources say

fn says(source: Source, record: IdentityRecord) -> SourceRecord {
    SourceRecord { source, record, is_present: true }
}

fn left(source: Source, record: IdentityRecord) -> SourceRecord {
    SourceRecord { is_present: false, ..says(source, record) }
}

/// A record in which every field is filled.
fn full(word: &str, number: i64) -> IdentityRecord {
    let text = |field: &str| Some(format!("{word} {field}"));
    let time = |offset: i64| DateTime::from_timestamp(1_700_000_000 + number * 1000 + offset, 0);
    let is_first = number == 1;
    IdentityRecord {
        first_name: text("first name"),
        last_name: text("last name"),
        display_name: text("display name"),
        email: text("email"),
        employee_id: text("employee id"),
        r#type: Some(if is_first { IdentityType::Vendor } else { IdentityType::Employee }),
        title: text("title"),
        company: text("company"),
        division: text("division"),
        department: text("department"),
        office: text("office"),
        supervisor: text("supervisor"),
        supervisor_id: Some(Uuid::from_u128(number.unsigned_abs().into())),
        status: Some(if is_first { IdentityStatus::Disabled } else { IdentityStatus::Active }),
        created_date: time(1),
        updated_date: time(2),
        inactivated_date: time(3),
        attributes: BTreeMap::from([("building".to_owned(), word.to_owned())]),
    }
}

#[test]
fn nobody_says_nothing() {
    assert_eq!(merge(&[], &[]), IdentityRecord::default());
}

#[test]
fn the_application_that_was_created_first_decides_every_field() {
    let first = says(source(1, "z"), full("first", 1));
    let second = says(source(2, "a"), full("second", 2));
    assert_eq!(merge(&[first.clone(), second.clone()], &[]), full("first", 1));
    assert_eq!(merge(&[second, first], &[]), full("first", 1));
}

#[test]
fn applications_that_are_set_first_decide_before_those_that_were_created_first() {
    let [one, two, three] = [1, 2, 3].map(|number| says(source(number, "a"), full(&number.to_string(), 2)));
    let [first, second, third] = [&one, &two, &three].map(|known| known.source.application_id);
    let all = [one, two, three];
    for (order, decides) in [
        (vec![third, first, second], "3"),
        (vec![second], "2"),
        (vec![first, third], "1"),
        // Who doesn't name the person decides nothing.
        (vec![Uuid::nil(), third], "3"),
    ] {
        let merged = merge(&all, &order);
        assert_eq!(merged.title, Some(format!("{decides} title")), "{order:?}");
    }
    // The others follow by creation.
    let silent = [SourceRecord { record: IdentityRecord::default(), ..all[2].clone() }, all[1].clone(), all[0].clone()];
    assert_eq!(merge(&silent, &[third]), full("1", 2));
}

#[test]
fn a_field_that_the_first_does_not_say_is_taken_from_the_next_that_does() {
    let silent = says(source(1, "a"), IdentityRecord::default());
    let also_silent = says(source(2, "a"), IdentityRecord::default());
    let third = says(source(3, "a"), full("third", 3));
    let fourth = says(source(4, "a"), full("fourth", 4));
    assert_eq!(merge(&[fourth, third, also_silent, silent], &[]), full("third", 3));
}

#[test]
fn two_keys_of_one_application_count_in_the_order_of_the_keys() {
    let one = says(source(1, "A"), titled("Clerk"));
    let two = says(source(1, "B"), titled("Agent"));
    assert_eq!(merge(&[two, one], &[]), titled("Clerk"));
}

#[test]
fn a_source_that_names_the_person_no_more_does_not_count_beside_one_that_does() {
    let gone = left(source(1, "a"), full("gone", 1));
    let there = says(source(2, "a"), titled("Clerk"));
    assert_eq!(merge(&[gone, there], &[]), titled("Clerk"));
}

#[test]
fn a_person_who_left_all_sources_is_remembered_by_the_same_precedence() {
    let first = left(source(1, "a"), titled("Clerk"));
    let second = left(source(2, "a"), full("second", 2));
    assert_eq!(merge(&[second, first], &[]), IdentityRecord { title: Some("Clerk".to_owned()), ..full("second", 2) });
}

#[test]
fn attributes_are_merged_one_by_one() {
    let with = |pairs: &[(&str, &str)]| IdentityRecord {
        attributes: pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ..Default::default()
    };
    let first = says(source(1, "a"), with(&[("building", "A"), ("floor", "1")]));
    let second = says(source(2, "a"), with(&[("building", "B"), ("desk", "7")]));
    assert_eq!(merge(&[second, first], &[]), with(&[("building", "A"), ("floor", "1"), ("desk", "7")]));
}

#[test]
fn the_supervisor_and_whom_it_means_come_from_the_same_source() {
    let supervised = |text: &str, id: Option<u128>| IdentityRecord {
        supervisor: Some(text.to_owned()),
        supervisor_id: id.map(Uuid::from_u128),
        ..Default::default()
    };
    let unresolved = says(source(1, "a"), supervised("Ada", None));
    let resolved = says(source(2, "a"), supervised("Bob", Some(2)));
    assert_eq!(merge(&[resolved.clone(), unresolved], &[]), supervised("Ada", None));
    let silent = says(source(1, "a"), titled("Clerk"));
    assert_eq!(
        merge(&[resolved, silent], &[]),
        IdentityRecord { title: Some("Clerk".to_owned()), ..supervised("Bob", Some(2)) }
    );
}
