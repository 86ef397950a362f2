use cqrs_es::test::TestFramework;

use super::*;
use crate::certification_rows::{Destination, Source, SourceIdentity};
use crate::violation::Violation;
use std::collections::BTreeMap;

const ANN: Uuid = Uuid::from_u128(1);
const BOSS: Uuid = Uuid::from_u128(2);
const OWNER: Uuid = Uuid::from_u128(3);
const FALLBACK: Uuid = Uuid::from_u128(4);

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn now() -> DateTime<Utc> {
    at("2026-03-15T12:00:00Z")
}

fn quarterly() -> CertificationDefinition {
    CertificationDefinition {
        workflow_id: Uuid::from_u128(9),
        name: "Quarterly".to_owned(),
        notes: String::new(),
        application_ids: Vec::new(),
        filter: String::new(),
        reviewers: Assignment::default(),
        is_self_review_allowed: false,
        due_at: Some(now() + TimeDelta::days(30)),
        history_id: None,
        automations: Vec::new(),
    }
}

fn proposed(definition: CertificationDefinition) -> Proposed {
    Proposed { definition, wrong_people: BTreeMap::new(), unattached: Vec::new(), at: now() }
}

fn create(proposed: Proposed) -> Command {
    Command::Create(Box::new(proposed))
}

fn created() -> Event {
    Event::CertificationCreated { definition: Box::new(quarterly()) }
}

fn claim() -> Command {
    Command::Claim { worker: "worker".to_owned() }
}

fn claimed() -> Event {
    Event::CertificationSearchClaimed { worker: "worker".to_owned() }
}

fn search_completed() -> Event {
    Event::CertificationSearchCompleted { completeness: Completeness::default(), run_id: None }
}

fn complete_search() -> Command {
    Command::CompleteSearch { completeness: Completeness::default(), run_id: None }
}

fn expire(at: DateTime<Utc>) -> Command {
    Command::Expire { at }
}

/// Events up to a state.
fn given(state: State) -> Vec<Event> {
    let mut events = vec![created()];
    match state {
        State::Searching => {}
        State::InProgress => events.push(search_completed()),
        State::Completed => events.extend([search_completed(), Event::CertificationCompleted {}]),
        State::Expired => events.extend([search_completed(), Event::CertificationExpired {}]),
    }
    events
}

#[track_caller]
fn then(given: Vec<Event>, when: Command, expected: Vec<Event>) {
    TestFramework::<Certification>::with(()).given(given).when(when).then_expect_events(expected);
}

#[track_caller]
fn refused(given: Vec<Event>, when: Command, message: &str) {
    let expected = Refusal::Conflict(message.to_owned());
    TestFramework::<Certification>::with(()).given(given).when(when).then_expect_error(expected);
}

#[test]
fn it_is_made_its_rows_are_recorded_it_is_reviewed_and_completed() {
    then(vec![], create(proposed(quarterly())), vec![created()]);
    then(given(State::Searching), claim(), vec![claimed()]);
    // Another worker goes on.
    then([given(State::Searching), vec![claimed()]].concat(), claim(), vec![claimed()]);
    then(given(State::Searching), complete_search(), vec![search_completed()]);
    then(given(State::InProgress), Command::Complete, vec![Event::CertificationCompleted {}]);
    // One whose rows can't be read has an end, too.
    then(given(State::Searching), Command::Complete, vec![Event::CertificationCompleted {}]);
}

#[test]
fn each_step_is_possible_in_its_state_alone() {
    refused(given(State::Searching), create(proposed(quarterly())), "The certification exists already");
    for state in [State::InProgress, State::Completed, State::Expired] {
        let message =
            format!("Recording rows is possible in CERT_STATE_SEARCHING; the certification is in {}", state.as_str());
        refused(given(state), claim(), &message);
        refused(given(state), complete_search(), &message);
    }
    for state in [State::Completed, State::Expired] {
        let message =
            format!("Completing is possible in CERT_STATE_IN_PROGRESS; the certification is in {}", state.as_str());
        refused(given(state), Command::Complete, &message);
    }
}

#[test]
fn what_was_not_made_is_not_found() {
    for when in [claim(), complete_search(), Command::Complete, expire(now())] {
        let expected = Refusal::NotFound("The certification doesn't exist".to_owned());
        TestFramework::<Certification>::with(()).given_no_previous_events().when(when).then_expect_error(expected);
    }
}

#[test]
fn it_expires_at_its_due_date_while_it_is_reviewed_and_never_else() {
    let due = now() + TimeDelta::days(30);
    then(given(State::InProgress), expire(due - TimeDelta::microseconds(1)), vec![]);
    then(given(State::InProgress), expire(due), vec![Event::CertificationExpired {}]);
    for state in [State::Searching, State::Completed, State::Expired] {
        then(given(state), expire(due), vec![]);
    }
    let timeless = CertificationDefinition { due_at: None, ..quarterly() };
    let given = vec![Event::CertificationCreated { definition: Box::new(timeless) }, search_completed()];
    then(given, expire(due), vec![]);
}

#[test]
fn every_fault_of_a_new_one_is_named_at_once() {
    let mut asked = proposed(quarterly());
    asked.definition.name.clear();
    asked.definition.notes = "x".repeat(4001);
    asked.definition.filter = "source.nam pr".to_owned();
    asked.definition.reviewers.reviewers = vec![BOSS, ANN];
    asked.definition.reviewers.fallback_reviewers = vec![ANN];
    asked.definition.due_at = Some(now());
    asked.wrong_people.insert(ANN, "Ann has left".to_owned());
    asked.unattached.push(Uuid::from_u128(7));
    let found: Vec<String> = asked.violations().into_iter().map(|violation| violation.field).collect();
    let expected = [
        "name",
        "notes",
        "filter",
        "reviewer_assignment.reviewers[1]",
        "reviewer_assignment.fallback_reviewers[0]",
        "automation_ids",
        "due_date",
    ];
    assert_eq!(found, expected);
    let expected = Refusal::Invalid(asked.violations());
    TestFramework::<Certification>::with(()).given_no_previous_events().when(create(asked)).then_expect_error(expected);
}

#[test]
fn an_automation_that_is_named_must_be_attached() {
    let mut asked = proposed(quarterly());
    asked.unattached.push(Uuid::from_u128(7));
    let message = "Automation 00000000-0000-0000-0000-000000000007 isn't attached to the workflow";
    assert_eq!(asked.violations(), [Violation::new("automation_ids", message)]);
}

#[test]
fn a_hundred_people_may_review() {
    let people = |count: u128| (1..=count).map(Uuid::from_u128).collect::<Vec<_>>();
    let fields = |count| {
        let mut asked = proposed(quarterly());
        asked.definition.reviewers.reviewers = people(count);
        asked.violations().into_iter().map(|violation| violation.field).collect::<Vec<_>>()
    };
    assert_eq!(fields(100), Vec::<String>::new());
    assert_eq!(fields(101), ["reviewer_assignment.reviewers"]);
}

#[test]
fn rows_are_decided_in_progress_and_seven_days_after_the_end_the_rest_is_over() {
    let ended = now();
    let phase = |state: State, after: TimeDelta| state.phase(Some(ended), ended + after);
    assert_eq!(State::Searching.phase(None, now()), Phase::Searching);
    assert_eq!(State::InProgress.phase(None, now()), Phase::InProgress);
    for state in [State::Completed, State::Expired] {
        assert_eq!(phase(state, TimeDelta::zero()), Phase::Grace);
        assert_eq!(phase(state, GRACE - TimeDelta::microseconds(1)), Phase::Grace);
        assert_eq!(phase(state, GRACE), Phase::Over);
        assert_eq!(state.phase(None, now()), Phase::Over);
    }
}

#[test]
fn states_have_the_words_of_the_api() {
    let words = State::ALL.map(State::as_str);
    assert_eq!(words, ["CERT_STATE_SEARCHING", "CERT_STATE_IN_PROGRESS", "CERT_STATE_COMPLETED", "CERT_STATE_EXPIRED"]);
    for state in State::ALL {
        assert_eq!(State::read(state.as_str()), Some(state));
    }
    assert_eq!(State::read("CERT_STATE_OTHER"), None);
}

#[test]
fn the_account_of_all_applications_is_the_sum_of_theirs() {
    let of = |name: &str, rows_in_feeds, in_scope, out_of_scope_by_filter, uncorrelated| ApplicationCompleteness {
        application_id: Uuid::nil(),
        name: name.to_owned(),
        rows_in_feeds,
        in_scope,
        out_of_scope_by_filter,
        uncorrelated,
    };
    let all = Completeness::of(vec![of("Ledger", 10, 6, 3, 1), of("Payments", 5, 5, 0, 0)]);
    assert_eq!((all.rows_in_feeds, all.in_scope, all.out_of_scope_by_filter, all.uncorrelated), (15, 11, 3, 1));
    assert_eq!(all.rows_in_feeds, all.in_scope + all.out_of_scope_by_filter + all.uncorrelated);
    assert_eq!(Completeness::of(Vec::new()), Completeness::default());
}

fn assignment(reviewers: &[Uuid]) -> Assignment {
    Assignment { reviewers: reviewers.to_vec(), fallback_reviewers: vec![FALLBACK, ANN], ..Assignment::default() }
}

/// Who reviews Ann's row, whose boss is BOSS and whose entitlement belongs to OWNER.
fn of_ann(assignment: &Assignment) -> Vec<Uuid> {
    assignment.of_row(ANN, Some(BOSS), &[OWNER], false)
}

#[test]
fn a_row_is_reviewed_by_those_named_the_boss_and_the_owner_each_once() {
    assert_eq!(of_ann(&assignment(&[OWNER])), [OWNER]);
    assert_eq!(of_ann(&Assignment { users_manager: true, ..assignment(&[]) }), [BOSS]);
    assert_eq!(of_ann(&Assignment { resource_managers: true, ..assignment(&[]) }), [OWNER]);
    let all = Assignment { users_manager: true, resource_managers: true, ..assignment(&[OWNER, FALLBACK]) };
    assert_eq!(of_ann(&all), [OWNER, FALLBACK, BOSS]);
    assert_eq!(all.of_row(ANN, None, &[], false), [OWNER, FALLBACK]);
}

#[test]
fn nobody_reviews_their_own_access_so_it_goes_to_the_fallback_reviewers() {
    assert_eq!(of_ann(&assignment(&[ANN, BOSS])), [BOSS]);
    assert_eq!(of_ann(&assignment(&[ANN])), [FALLBACK]);
    // Of nobody at all the fallback reviewers take care, too; neither of them their own.
    assert_eq!(of_ann(&assignment(&[])), [FALLBACK]);
    let only_ann = Assignment { fallback_reviewers: vec![ANN], ..assignment(&[ANN]) };
    assert_eq!(of_ann(&only_ann), Vec::<Uuid>::new());
    // Her own boss, and an entitlement of her own.
    let managers = Assignment { users_manager: true, resource_managers: true, ..assignment(&[]) };
    assert_eq!(managers.of_row(ANN, Some(ANN), &[ANN], false), [FALLBACK]);
}

#[test]
fn a_workflow_may_let_people_review_their_own_access() {
    assert_eq!(assignment(&[ANN, BOSS]).of_row(ANN, None, &[], true), [ANN, BOSS]);
}

fn account() -> Source {
    Source {
        id: Uuid::from_u128(11),
        r#type: Some("User".to_owned()),
        name: "ann".to_owned(),
        key: "ann".to_owned(),
        email: None,
        employee_id: None,
        datasource_id: Uuid::from_u128(12),
        datasource_name: "Ledger".to_owned(),
        is_active: true,
        last_login_at: None,
        attributes: BTreeMap::new(),
        identity: SourceIdentity {
            id: ANN,
            r#type: "Employee".to_owned(),
            status: "Active".to_owned(),
            is_active: true,
            first_name: None,
            last_name: None,
            display_name: None,
            email: None,
            employee_id: None,
            title: Some("Clerk".to_owned()),
            company: None,
            division: None,
            department: None,
            office: None,
            supervisor: None,
            supervisor_id: None,
            created_date: None,
            updated_date: None,
            inactivated_date: None,
            attributes: BTreeMap::new(),
        },
    }
}

fn right() -> Destination {
    Destination {
        id: Uuid::from_u128(21),
        r#type: None,
        name: "book".to_owned(),
        key: "book".to_owned(),
        description: None,
        owner: None,
        datasource_id: Uuid::from_u128(12),
        datasource_name: "Ledger".to_owned(),
        is_active: true,
        is_privileged: None,
        attributes: BTreeMap::new(),
    }
}

fn since(year: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("since".to_owned(), year.to_owned())])
}

/// Row 7 of the certification before: Ann may book since 2020.
fn before() -> History {
    let mut history = History::default();
    history.source(3, &account());
    history.destination(5, &right());
    history.row(7, 3, 5, since("2020"));
    history
}

/// The row that was the same, with a change to the account, the entitlement and the grant.
fn found(
    account_is: impl FnOnce(&mut Source),
    right_is: impl FnOnce(&mut Destination),
    attributes: &BTreeMap<String, String>,
) -> Option<(u32, bool)> {
    let (mut source, mut destination) = (account(), right());
    account_is(&mut source);
    right_is(&mut destination);
    before().find(&Known::from(&source), &Known::from(&destination), attributes)
}

#[test]
fn a_row_is_the_same_when_entities_and_relationship_are_exactly_equal() {
    let as_it_was = since("2020");
    assert_eq!(found(|_| (), |_| (), &as_it_was), Some((7, true)));
    let other = Uuid::from_u128(99);
    // Data-source ids included.
    assert_eq!(found(|source| source.datasource_id = other, |_| (), &as_it_was), None);
    assert_eq!(found(|_| (), |destination| destination.datasource_id = other, &as_it_was), None);
    assert_eq!(found(|source| source.id = other, |_| (), &as_it_was), None);
    assert_eq!(found(|_| (), |destination| destination.id = other, &as_it_was), None);
    assert_eq!(found(|source| source.r#type = None, |_| (), &as_it_was), None);
    assert_eq!(found(|_| (), |destination| destination.r#type = Some("Role".to_owned()), &as_it_was), None);
    // The relationship is the grant with its attributes.
    assert_eq!(found(|_| (), |_| (), &since("2021")), None);
    assert_eq!(found(|_| (), |_| (), &BTreeMap::new()), None);
}

#[test]
fn the_same_row_is_unchanged_when_nothing_but_times_differs() {
    let as_it_was = since("2020");
    let same_but_changed = Some((7, false));
    assert_eq!(found(|source| source.identity.title = Some("Head".to_owned()), |_| (), &as_it_was), same_but_changed);
    assert_eq!(found(|source| source.name = "Ann".to_owned(), |_| (), &as_it_was), same_but_changed);
    assert_eq!(found(|_| (), |right| right.is_privileged = Some(true), &as_it_was), same_but_changed);
    assert_eq!(found(|source| source.last_login_at = Some(now()), |_| (), &as_it_was), Some((7, true)));
    assert_eq!(found(|source| source.identity.updated_date = Some(now()), |_| (), &as_it_was), Some((7, true)));
}

#[test]
fn account_and_entitlement_alone_are_no_row() {
    let mut history = before();
    let read = Destination { id: Uuid::from_u128(22), key: "read".to_owned(), ..right() };
    history.destination(6, &read);
    assert_eq!(history.find(&Known::from(&account()), &Known::from(&read), &BTreeMap::new()), None);
    let none = History::default();
    assert_eq!(none.find(&Known::from(&account()), &Known::from(&right()), &since("2020")), None);
}
