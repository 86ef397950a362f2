//! What people decide about a row, and when they may (rulings 37, 38).

use super::super::*;
use crate::access_request::Evidence;
use crate::party::Party;

pub(super) const CERTIFICATION: Uuid = Uuid::from_u128(1);
pub(super) const ANN: Uuid = Uuid::from_u128(11);
const BOSS: Uuid = Uuid::from_u128(12);
const OTHER: Uuid = Uuid::from_u128(13);
pub(super) const REQUEST: Uuid = Uuid::from_u128(21);
pub(super) const NEXT_REQUEST: Uuid = Uuid::from_u128(22);

/// Ann's row, which her boss reviews.
pub(super) fn setting(phase: Phase) -> Setting {
    Setting {
        certification_id: CERTIFICATION,
        result_id: 7,
        phase,
        identity_id: ANN,
        reviewers: vec![BOSS],
        is_self_review_allowed: false,
    }
}

fn somebody(identity_id: Option<Uuid>, is_administrator: bool) -> Reviewer {
    let party = Party { actor_id: "token".to_owned(), name: "Somebody".to_owned(), identity_id };
    Reviewer { party, is_administrator }
}

fn boss() -> Reviewer {
    somebody(Some(BOSS), false)
}

pub(super) fn standing(decision: Decision, is_signed_off: bool) -> Standing {
    Standing { decision, notes: String::new(), is_signed_off }
}

pub(super) fn decision(decision: Decision) -> Change {
    Change { decision: Some(decision), ..Change::default() }
}

fn notes(notes: &str) -> Change {
    Change { notes: Some(notes.to_owned()), ..Change::default() }
}

fn sign_off(is_signed_off: bool) -> Change {
    Change { is_signed_off: Some(is_signed_off), ..Change::default() }
}

/// What an ordinary reviewer asks.
pub(super) fn asks(phase: Phase, change: Change) -> Command {
    Command::Decide {
        setting: setting(phase),
        by: boss(),
        change,
        reviewers: None,
        notification_status: None,
        is_forced: false,
        run_id: None,
        request_id: NEXT_REQUEST,
    }
}

fn forces(phase: Phase, change: Change) -> Command {
    Command::Decide {
        setting: setting(phase),
        by: somebody(None, true),
        change,
        reviewers: None,
        notification_status: None,
        is_forced: true,
        run_id: None,
        request_id: NEXT_REQUEST,
    }
}

fn asked_by(by: Reviewer, setting: Setting) -> Command {
    Command::Decide {
        setting,
        by,
        change: decision(Decision::Accepted),
        reviewers: None,
        notification_status: None,
        is_forced: false,
        run_id: None,
        request_id: NEXT_REQUEST,
    }
}

/// A row that stands so; a rejected or fixed one with the access request that it opened.
pub(super) fn row(decision: Decision, is_signed_off: bool) -> CertificationRow {
    let has_request = matches!(decision, Decision::Rejected | Decision::Fixed);
    CertificationRow {
        standing: standing(decision, is_signed_off),
        access_request_id: has_request.then_some(REQUEST),
        ..CertificationRow::default()
    }
}

/// A row after events.
fn fold(row: &mut CertificationRow, events: &[Event]) {
    for event in events {
        row.fold(event);
    }
}

/// How a row stands after a command, with the access requests that were opened and withdrawn.
#[track_caller]
pub(super) fn decided(row: &CertificationRow, command: Command) -> (Standing, Option<Uuid>, Option<Uuid>) {
    let events = row.decide(command).unwrap();
    let mut after = row.clone();
    fold(&mut after, &events);
    let [event] = events.as_slice() else { panic!("one event is expected: {events:?}") };
    assert_eq!(event.row(), (CERTIFICATION, 7));
    let (was, now) = event.change().unwrap();
    assert_eq!((was, now), (&row.standing, &after.standing));
    let (opened, withdrawn) = event.requests();
    (after.standing, opened, withdrawn)
}

#[track_caller]
pub(super) fn refused(row: &CertificationRow, command: Command, message: &str) {
    assert_eq!(row.decide(command), Err(Refusal::Conflict(message.to_owned())));
}

#[track_caller]
pub(super) fn nothing(row: &CertificationRow, command: Command) {
    assert_eq!(row.decide(command), Ok(Vec::new()));
}

const SIGNED_OFF: &str = "The row is signed off; an administrator can undo that with results:force_update";
const ONLY_FIXED: &str = "In the grace period a rejected row can be marked FIXED, and nothing else be changed";
const BY_IMPORT: &str = "A row is FIXED when an import shows it, or by hand in the grace period";
const ENDED: &str = "The certification has ended";
const SEARCHING: &str = "The rows of the certification are still being recorded";

#[test]
fn until_sign_off_a_later_decision_replaces_an_earlier_one() {
    let mut row = CertificationRow::default();
    for next in [Decision::Accepted, Decision::Rejected, Decision::None, Decision::Rejected, Decision::Accepted] {
        let events = row.decide(asks(Phase::InProgress, decision(next))).unwrap();
        assert_eq!(events.len(), 1);
        fold(&mut row, &events);
        assert_eq!(row.standing, standing(next, false));
    }
    row.decide(asks(Phase::InProgress, sign_off(true))).unwrap().iter().for_each(|event| row.fold(event));
    refused(&row, asks(Phase::InProgress, decision(Decision::Rejected)), SIGNED_OFF);
    refused(&row, asks(Phase::InProgress, notes("But")), SIGNED_OFF);
    refused(&row, asks(Phase::InProgress, sign_off(false)), SIGNED_OFF);
}

#[test]
fn what_is_so_already_is_no_event() {
    for (decision_is, change) in [
        (Decision::Accepted, decision(Decision::Accepted)),
        (Decision::None, decision(Decision::None)),
        (Decision::None, notes(" ")),
        (Decision::None, sign_off(false)),
        (Decision::None, Change::default()),
    ] {
        nothing(&row(decision_is, false), asks(Phase::InProgress, change));
    }
}

#[test]
fn notes_are_overwritten_and_blanks_alone_clear_them() {
    let mut noted = row(Decision::Accepted, false);
    noted.standing.notes = "Before".to_owned();
    assert_eq!(decided(&noted, asks(Phase::InProgress, notes("After"))).0.notes, "After");
    assert_eq!(decided(&noted, asks(Phase::InProgress, notes(" "))).0.notes, "");
    assert_eq!(decided(&noted, asks(Phase::InProgress, decision(Decision::None))).0.notes, "Before");
}

#[test]
fn a_rejection_opens_an_access_request_and_another_decision_withdraws_it() {
    let opened = |was| decided(&row(was, false), asks(Phase::InProgress, decision(Decision::Rejected)));
    for was in [Decision::None, Decision::Accepted] {
        assert_eq!(opened(was), (standing(Decision::Rejected, false), Some(NEXT_REQUEST), None));
    }
    for next in [Decision::None, Decision::Accepted] {
        let found = decided(&row(Decision::Rejected, false), asks(Phase::InProgress, decision(next)));
        assert_eq!(found, (standing(next, false), None, Some(REQUEST)));
    }
    // Neither notes nor sign-off open another.
    for change in [notes("Left"), sign_off(true)] {
        let (_, opened, withdrawn) = decided(&row(Decision::Rejected, false), asks(Phase::InProgress, change));
        assert_eq!((opened, withdrawn), (None, None));
    }
}

#[test]
fn a_row_keeps_the_access_request_that_stands() {
    let mut row = CertificationRow::default();
    for (next, request) in
        [(Decision::Rejected, Some(NEXT_REQUEST)), (Decision::Accepted, None), (Decision::Rejected, Some(NEXT_REQUEST))]
    {
        let events = row.decide(asks(Phase::InProgress, decision(next))).unwrap();
        fold(&mut row, &events);
        assert_eq!(row.access_request_id, request, "{next:?}");
    }
}

#[test]
fn in_progress_a_row_is_fixed_by_an_import_and_not_by_hand() {
    refused(&row(Decision::Rejected, false), asks(Phase::InProgress, decision(Decision::Fixed)), BY_IMPORT);
    for was in [Decision::None, Decision::Accepted] {
        for phase in [Phase::InProgress, Phase::Grace] {
            let only = "Only a rejected row can become fixed";
            refused(&row(was, false), asks(phase, decision(Decision::Fixed)), only);
            refused(&row(was, false), forces(phase, decision(Decision::Fixed)), only);
        }
    }
}

#[test]
fn in_the_grace_period_a_rejected_row_can_be_marked_fixed_and_nothing_else() {
    for is_signed_off in [false, true] {
        let rejected = row(Decision::Rejected, is_signed_off);
        let found = decided(&rejected, asks(Phase::Grace, decision(Decision::Fixed)));
        assert_eq!(found, (standing(Decision::Fixed, is_signed_off), None, None));
        for change in [decision(Decision::Accepted), notes("But"), sign_off(!is_signed_off)] {
            refused(&rejected, asks(Phase::Grace, change), ONLY_FIXED);
        }
        let both = Change { is_signed_off: Some(!is_signed_off), ..decision(Decision::Fixed) };
        refused(&rejected, asks(Phase::Grace, both), ONLY_FIXED);
    }
    refused(&row(Decision::None, false), asks(Phase::Grace, decision(Decision::Accepted)), ONLY_FIXED);
}

#[test]
fn before_the_rows_are_recorded_and_after_the_grace_period_nothing_is_decided() {
    for (phase, message) in [(Phase::Searching, SEARCHING), (Phase::Over, ENDED)] {
        refused(&row(Decision::None, false), asks(phase, decision(Decision::Accepted)), message);
        refused(&row(Decision::None, false), forces(phase, decision(Decision::Accepted)), message);
        refused(&row(Decision::Rejected, false), asks(phase, decision(Decision::Fixed)), message);
    }
}

#[test]
fn an_administrators_force_overrides_sign_off() {
    let signed = row(Decision::Accepted, true);
    let found = decided(&signed, forces(Phase::InProgress, sign_off(false)));
    assert_eq!(found.0, standing(Decision::Accepted, false));
    let found = decided(&signed, forces(Phase::InProgress, decision(Decision::Rejected)));
    assert_eq!(found, (standing(Decision::Rejected, true), Some(NEXT_REQUEST), None));
    let events = signed.decide(forces(Phase::InProgress, sign_off(false))).unwrap();
    assert!(matches!(events[0], Event::CertificationRowDecided { is_forced: true, .. }));
}

#[test]
fn in_the_grace_period_force_undoes_a_sign_off_and_changes_rows_that_are_not_signed_off() {
    let found = decided(&row(Decision::None, false), forces(Phase::Grace, decision(Decision::Rejected)));
    assert_eq!(found, (standing(Decision::Rejected, false), Some(NEXT_REQUEST), None));
    let found = decided(&row(Decision::Accepted, true), forces(Phase::Grace, sign_off(false)));
    assert_eq!(found.0, standing(Decision::Accepted, false));
    let message = "The row is signed off; in the grace period only others, or its sign-off, are changed";
    refused(&row(Decision::Accepted, true), forces(Phase::Grace, decision(Decision::Rejected)), message);
}

#[test]
fn the_rows_reviewers_and_administrators_decide_and_nobody_else() {
    let accepted = |by| row(Decision::None, false).decide(asked_by(by, setting(Phase::InProgress))).is_ok();
    assert!(accepted(boss()));
    assert!(accepted(somebody(None, true)));
    assert!(accepted(somebody(Some(OTHER), true)));
    let message = "Only the row's reviewers and administrators decide about it";
    for by in [somebody(None, false), somebody(Some(OTHER), false)] {
        refused(&row(Decision::None, false), asked_by(by, setting(Phase::InProgress)), message);
    }
    // Where nobody is named, everybody else may.
    let unnamed = Setting { reviewers: Vec::new(), ..setting(Phase::InProgress) };
    assert!(row(Decision::None, false).decide(asked_by(somebody(None, false), unnamed)).is_ok());
}

#[test]
fn nobody_decides_about_their_own_access_unless_the_workflow_says_so() {
    let message = "Nobody decides about their own access";
    let own = Setting { reviewers: vec![ANN, BOSS], ..setting(Phase::InProgress) };
    for by in [somebody(Some(ANN), false), somebody(Some(ANN), true)] {
        refused(&row(Decision::None, false), asked_by(by.clone(), own.clone()), message);
        let unnamed = Setting { reviewers: Vec::new(), ..own.clone() };
        refused(&row(Decision::None, false), asked_by(by, unnamed), message);
    }
    let allowed = Setting { is_self_review_allowed: true, ..own };
    assert!(row(Decision::None, false).decide(asked_by(somebody(Some(ANN), false), allowed.clone())).is_ok());
    // Allowed isn't named.
    let others = Setting { reviewers: vec![BOSS], ..allowed };
    let message = "Only the row's reviewers and administrators decide about it";
    refused(&row(Decision::None, false), asked_by(somebody(Some(ANN), false), others), message);
}

fn reassigns(phase: Phase, reviewers: Vec<Uuid>) -> Command {
    Command::Decide {
        setting: setting(phase),
        by: boss(),
        change: Change::default(),
        reviewers: Some(reviewers),
        notification_status: None,
        is_forced: false,
        run_id: None,
        request_id: NEXT_REQUEST,
    }
}

#[test]
fn others_may_review_from_then_on() {
    let (certification_id, result_id) = (CERTIFICATION, 7);
    let assigned =
        Event::CertificationRowReviewersAssigned { certification_id, result_id, old: vec![BOSS], new: vec![OTHER] };
    let fresh = row(Decision::None, false);
    assert_eq!(fresh.decide(reassigns(Phase::InProgress, vec![OTHER])), Ok(vec![assigned.clone()]));
    nothing(&fresh, reassigns(Phase::InProgress, vec![BOSS]));
    refused(&fresh, reassigns(Phase::Grace, vec![OTHER]), ONLY_FIXED);
    refused(&row(Decision::Accepted, true), reassigns(Phase::InProgress, vec![OTHER]), SIGNED_OFF);
    // A run's decision that somebody handed on is touched.
    let mut of_run = CertificationRow { run_id: Some(REQUEST), ..row(Decision::Accepted, false) };
    of_run.fold(&assigned);
    assert_eq!((of_run.run_id, of_run.reviewers), (None, Some(vec![OTHER])));
}

#[test]
fn decision_reviewers_and_status_change_at_once() {
    let command = Command::Decide {
        setting: setting(Phase::InProgress),
        by: boss(),
        change: decision(Decision::Accepted),
        reviewers: Some(vec![OTHER]),
        notification_status: Some(NotificationStatus::Succeed),
        is_forced: false,
        run_id: None,
        request_id: NEXT_REQUEST,
    };
    let mut row = row(Decision::None, false);
    let events = row.decide(command.clone()).unwrap();
    let types: Vec<&str> = events.iter().map(Event::type_name).collect();
    let expected = ["CertificationRowDecided", "CertificationRowReviewersAssigned", "CertificationRowNotified"];
    assert_eq!(types, expected);
    fold(&mut row, &events);
    assert_eq!(row.notification_status, NotificationStatus::Succeed);
    // Once told, the same again says no more of it.
    assert_eq!(row.decide(command).unwrap().len(), 1);
}

#[test]
fn every_fault_is_named_at_once() {
    let command = Command::Decide {
        setting: setting(Phase::InProgress),
        by: boss(),
        change: notes(&"x".repeat(4001)),
        reviewers: Some((0..101).map(Uuid::from_u128).collect()),
        notification_status: None,
        is_forced: false,
        run_id: None,
        request_id: NEXT_REQUEST,
    };
    let expected = vec![
        Violation::new("notes", "Notes has 4001 characters; at most 4000 are allowed"),
        Violation::new("reviewers", "101 reviewers are named; at most 100 are allowed"),
    ];
    assert_eq!(row(Decision::None, false).decide(command), Err(Refusal::Invalid(expected)));
}

fn import_shows_it_gone(phase: Phase) -> Command {
    let evidence = Evidence { application_import_id: Uuid::from_u128(31), number: 2, position: 99 };
    Command::Fix { setting: setting(phase), evidence }
}

#[test]
fn an_import_marks_a_rejected_row_fixed_until_the_grace_period_ends() {
    for is_signed_off in [false, true] {
        for phase in [Phase::InProgress, Phase::Grace] {
            let rejected = row(Decision::Rejected, is_signed_off);
            let found = decided(&rejected, import_shows_it_gone(phase));
            assert_eq!(found, (standing(Decision::Fixed, is_signed_off), None, None));
        }
    }
    nothing(&row(Decision::Rejected, false), import_shows_it_gone(Phase::Over));
    for was in [Decision::None, Decision::Accepted, Decision::Fixed] {
        nothing(&row(was, false), import_shows_it_gone(Phase::InProgress));
    }
    let mut fixed = row(Decision::Rejected, false);
    fixed.decide(import_shows_it_gone(Phase::InProgress)).unwrap().iter().for_each(|event| fixed.fold(event));
    // The import verifies the request by itself.
    assert_eq!(fixed.access_request_id, Some(REQUEST));
}
