//! What personnel events make of an identity: who joins, moves and leaves beside, before and without a feed.

use super::*;

const EVENT: Uuid = Uuid::from_u128(501);
const LATER: Uuid = Uuid::from_u128(502);

fn onboarded(record: IdentityRecord) -> IdentityEvent {
    IdentityEvent::IdentityOnboarded { personnel_event: EVENT, record }
}

fn offboarded() -> IdentityEvent {
    IdentityEvent::IdentityOffboarded { personnel_event: LATER, onboarding: EVENT }
}

fn transitioned(personnel_event: Uuid, record: IdentityRecord) -> IdentityEvent {
    IdentityEvent::IdentityTransitioned { personnel_event, record }
}

fn ended(personnel_event: Uuid) -> IdentityEvent {
    IdentityEvent::IdentityTransitionEnded { personnel_event }
}

fn onboard(record: IdentityRecord) -> IdentityCommand {
    IdentityCommand::Onboard { personnel_event: EVENT, record }
}

fn offboard() -> IdentityCommand {
    IdentityCommand::Offboard { personnel_event: LATER }
}

fn transition(personnel_event: Uuid, record: IdentityRecord) -> IdentityCommand {
    IdentityCommand::Transition { personnel_event, record }
}

fn end(personnel_event: Uuid) -> IdentityCommand {
    IdentityCommand::EndTransition { personnel_event }
}

fn hr() -> Source {
    source(1, "E1")
}

fn title(events: Vec<IdentityEvent>) -> Option<String> {
    merge(&identity(events).records, &[]).title
}

#[track_caller]
fn is_titled(events: Vec<IdentityEvent>, expected: &str) {
    assert_eq!(title(events).as_deref(), Some(expected));
}

fn is_here(events: Vec<IdentityEvent>) -> bool {
    is_present(&identity(events).records)
}

// Joiners

#[test]
fn an_onboarding_makes_somebody_whom_no_feed_names_yet() {
    then(vec![], onboard(titled("Clerk")), vec![onboarded(titled("Clerk"))]);
    is_titled(vec![onboarded(titled("Clerk"))], "Clerk");
    assert!(is_here(vec![onboarded(titled("Clerk"))]));
}

#[test]
fn an_identity_comes_into_being_once() {
    for given in [onboarded(titled("Clerk")), added(hr(), titled("Clerk"))] {
        TestFramework::<Identity>::with(())
            .given(vec![given])
            .when(onboard(titled("Clerk")))
            .then_expect_error(Refusal::Conflict("The identity exists already".to_owned()));
    }
}

#[test]
fn a_feed_that_names_the_joiner_decides_from_then_on() {
    let given = vec![onboarded(full("asked for", 2))];
    let command = IdentityCommand::Observe {
        import: IMPORT,
        source: hr(),
        delivered: Some(titled("Agent")),
        matched_by: Some("email".to_owned()),
    };
    let said = IdentityEvent::IdentityLinked {
        import: IMPORT,
        source: hr(),
        matched_by: "email".to_owned(),
        record: titled("Agent"),
    };
    then(given.clone(), command, vec![said.clone()]);
    let joined = identity(vec![given[0].clone(), said]);
    assert_eq!(
        merge(&joined.records, &[]),
        titled("Agent"),
        "what the feed doesn't say isn't taken from the onboarding"
    );
}

#[test]
fn a_joiner_whom_a_feed_named_once_leaves_with_the_feed() {
    let left = vec![onboarded(titled("Clerk")), linked(hr(), titled("Clerk")), removed(hr())];
    assert!(!is_here(left.clone()), "the onboarding speaks no more");
    is_titled(left, "Clerk");
}

#[test]
fn who_left_a_feed_is_here_again_by_an_onboarding_until_the_feed_speaks() {
    let left = vec![added(hr(), titled("Clerk")), removed(hr())];
    then(left.clone(), onboard(titled("Agent")), vec![onboarded(titled("Agent"))]);
    let back = [left, vec![onboarded(titled("Agent"))]].concat();
    assert!(is_here(back.clone()));
    is_titled(back.clone(), "Agent");
    let named = [back, vec![changed(hr(), titled("Head"))]].concat();
    is_titled(named.clone(), "Head");
    assert!(!is_here([named, vec![removed(hr())]].concat()));
}

#[test]
fn whom_no_feed_ever_named_leaves_by_an_offboarding() {
    then(vec![onboarded(titled("Clerk"))], offboard(), vec![offboarded()]);
    let gone = vec![onboarded(titled("Clerk")), offboarded()];
    assert!(!is_here(gone.clone()));
    is_titled(gone.clone(), "Clerk");
    then(gone, offboard(), vec![]);
}

#[test]
fn whom_a_feed_names_leaves_when_the_feed_says_so_and_not_before() {
    then(vec![added(hr(), titled("Clerk"))], offboard(), vec![]);
    let joined = vec![onboarded(titled("Clerk")), linked(hr(), titled("Clerk"))];
    then(joined.clone(), offboard(), vec![]);
    then([joined, vec![removed(hr())]].concat(), offboard(), vec![]);
    then(vec![], offboard(), vec![]);
}

#[test]
fn who_left_and_is_named_by_a_feed_after_all_is_here() {
    assert!(is_here(vec![onboarded(titled("Clerk")), offboarded(), linked(hr(), titled("Clerk"))]));
}

// Movers

#[test]
fn a_transition_holds_before_what_feeds_say() {
    let given = vec![added(hr(), full("HR", 2))];
    then(given.clone(), transition(EVENT, titled("Head")), vec![transitioned(EVENT, titled("Head"))]);
    let moved = identity(vec![given[0].clone(), transitioned(EVENT, titled("Head"))]);
    assert_eq!(
        merge(&moved.records, &[Uuid::from_u128(1)]),
        IdentityRecord { title: Some("Head".to_owned()), ..full("HR", 2) }
    );
}

#[test]
fn a_transition_holds_until_a_feed_speaks_of_the_person_again() {
    let moved = vec![added(hr(), titled("Clerk")), transitioned(EVENT, titled("Head"))];
    // The feed says what it said before: it doesn't know of the transition yet.
    then(moved.clone(), named(hr(), titled("Clerk")), vec![]);
    is_titled(moved.clone(), "Head");
    let directory = linked(source(2, "jdoe"), titled("Agent"));
    for (said, expected) in [(changed(hr(), titled("Director")), "Director"), (directory, "Clerk")] {
        is_titled([moved.clone(), vec![said]].concat(), expected);
    }
}

#[test]
fn that_a_source_names_the_mover_no_more_does_not_undo_the_transition() {
    let directory = source(2, "jdoe");
    let moved = vec![
        added(hr(), titled("Clerk")),
        linked(directory.clone(), titled("Agent")),
        transitioned(EVENT, titled("Head")),
        removed(directory),
    ];
    is_titled(moved, "Head");
}

#[test]
fn a_mover_who_left_all_sources_has_left_and_is_remembered_as_last_known() {
    let left = vec![added(hr(), full("HR", 2)), transitioned(EVENT, titled("Head")), removed(hr())];
    assert!(!is_here(left.clone()), "a transition keeps nobody here");
    let expected = IdentityRecord { title: Some("Head".to_owned()), ..full("HR", 2) };
    assert_eq!(merge(&identity(left).records, &[]), expected);
}

#[test]
fn a_transition_begins_once_and_one_that_changes_nothing_about_the_person_is_no_event() {
    let moved = vec![added(hr(), titled("Clerk")), transitioned(EVENT, titled("Head"))];
    then(moved.clone(), transition(EVENT, titled("Head")), vec![]);
    then([moved, vec![ended(EVENT)]].concat(), transition(EVENT, titled("Head")), vec![]);
    then(vec![added(hr(), titled("Clerk"))], transition(EVENT, IdentityRecord::default()), vec![]);
}

#[test]
fn a_transition_for_a_time_ends_once_and_the_feeds_decide_again() {
    let moved = vec![added(hr(), titled("Clerk")), transitioned(EVENT, titled("Head"))];
    then(moved.clone(), end(EVENT), vec![ended(EVENT)]);
    let back = [moved, vec![ended(EVENT)]].concat();
    is_titled(back.clone(), "Clerk");
    then(back, end(EVENT), vec![]);
    then(vec![added(hr(), titled("Clerk"))], end(EVENT), vec![]);
}

#[test]
fn a_transition_that_a_feed_has_overruled_needs_no_end() {
    let overruled =
        vec![added(hr(), titled("Clerk")), transitioned(EVENT, titled("Head")), changed(hr(), titled("Director"))];
    then(overruled, end(EVENT), vec![]);
}

#[test]
fn of_two_transitions_the_later_decides() {
    let both = vec![
        added(hr(), titled("Clerk")),
        transitioned(EVENT, IdentityRecord { office: Some("Bern".to_owned()), ..titled("Head") }),
        transitioned(LATER, titled("Director")),
    ];
    let mut records = identity(both.clone()).records;
    for _ in 0..records.len() {
        let merged = merge(&records, &[]);
        assert_eq!((merged.title.as_deref(), merged.office.as_deref()), (Some("Director"), Some("Bern")));
        records.rotate_left(1);
    }
    is_titled([both, vec![ended(LATER)]].concat(), "Head");
}

#[test]
fn a_joiner_whom_no_feed_names_can_move_and_leave() {
    let moved = vec![onboarded(full("asked for", 2)), transitioned(LATER, titled("Head"))];
    let expected = IdentityRecord { title: Some("Head".to_owned()), ..full("asked for", 2) };
    assert_eq!(merge(&identity(moved.clone()).records, &[]), expected);
    assert!(is_here(moved.clone()));
    let left = [moved, vec![offboarded()]].concat();
    assert!(!is_here(left.clone()));
    assert_eq!(merge(&identity(left).records, &[]), expected);
}
