use cqrs_es::test::TestFramework;

use super::*;
use crate::automation::Action;
use crate::certification_row::{Decision, SignedOffState};

const CERTIFICATION: Uuid = Uuid::from_u128(1);

fn action(decision: Decision, signed_off_state: SignedOffState, notes: &str) -> Action {
    Action { decision, signed_off_state, notes: notes.to_owned() }
}

fn accepts(notes: &str) -> Action {
    action(Decision::Accepted, SignedOffState::Unknown, notes)
}

fn rejects(notes: &str) -> Action {
    action(Decision::Rejected, SignedOffState::Unknown, notes)
}

fn signs_off(notes: &str) -> Action {
    action(Decision::Unknown, SignedOffState::SignedOff, notes)
}

/// What actions do together, which is the same in every order.
#[track_caller]
fn together(actions: &[Action]) -> Effect {
    let expected = effect(actions);
    permuted(&mut actions.to_vec(), 0, &mut |actions| assert_eq!(effect(actions), expected, "{actions:?}"));
    expected
}

fn permuted(actions: &mut Vec<Action>, from: usize, see: &mut impl FnMut(&[Action])) {
    if from == actions.len() {
        see(actions);
    }
    for at in from..actions.len() {
        actions.swap(from, at);
        permuted(actions, from + 1, see);
        actions.swap(from, at);
    }
}

fn changes(decision: Option<Decision>, is_signed_off: Option<bool>, notes: Option<&str>) -> Change {
    Change { decision, notes: notes.map(str::to_owned), is_signed_off }
}

#[test]
fn each_change_must_update_the_field_to_the_same_value() {
    let found = together(&[rejects(""), rejects("Left"), rejects("")]);
    assert_eq!(found, Effect { change: changes(Some(Decision::Rejected), None, Some("Left")), conflicts: vec![] });
}

#[test]
fn differing_values_of_a_field_are_skipped_and_other_fields_are_not() {
    let found = together(&[rejects(""), accepts(""), signs_off("")]);
    assert_eq!(found, Effect { change: changes(None, Some(true), None), conflicts: vec![Field::Decision] });
    let unsigned = action(Decision::Accepted, SignedOffState::NotSignedOff, "");
    let found = together(&[unsigned.clone(), signs_off("")]);
    let expected = changes(Some(Decision::Accepted), None, None);
    assert_eq!(found, Effect { change: expected, conflicts: vec![Field::SignedOffState] });
    let found = together(&[unsigned, signs_off(""), rejects("")]);
    let conflicts = vec![Field::Decision, Field::SignedOffState];
    assert_eq!(found, Effect { change: Change::default(), conflicts });
}

#[test]
fn resetting_is_a_value_like_others_and_saying_nothing_is_none() {
    let resets = action(Decision::None, SignedOffState::Unknown, "");
    assert_eq!(together(&[resets.clone(), resets.clone()]).change, changes(Some(Decision::None), None, None));
    assert_eq!(together(&[resets, accepts("")]).conflicts, [Field::Decision]);
    assert_eq!(together(&[accepts(""), signs_off("")]).change, changes(Some(Decision::Accepted), Some(true), None));
    assert_eq!(together(&[]), Effect::default());
}

#[test]
fn differing_notes_are_no_conflict_and_become_nobodys() {
    let found = together(&[rejects("Left"), rejects("Moved"), rejects("")]);
    assert_eq!(found, Effect { change: changes(Some(Decision::Rejected), None, None), conflicts: vec![] });
    let found = together(&[rejects("Left"), signs_off("Left")]);
    assert_eq!(found.change.notes.as_deref(), Some("Left"));
}

#[test]
fn whatever_actions_there_are_their_order_does_not_matter() {
    let mut all = Vec::new();
    for decision in [Decision::Unknown, Decision::None, Decision::Accepted, Decision::Rejected] {
        for state in SignedOffState::ALL {
            for notes in ["", "a", "b"] {
                all.push(action(decision, state, notes));
            }
        }
    }
    for (at, one) in all.iter().enumerate() {
        for (and, two) in all.iter().enumerate() {
            together(&[one.clone(), two.clone(), all[(at * 7 + and * 3) % all.len()].clone()]);
        }
    }
}

#[test]
fn a_set_of_rows_is_what_it_was_after_it_was_written() {
    for rows in [vec![], vec![0], vec![7, 8], vec![0, 1, 2, 3, 499, 500, 999_999]] {
        let set: RowSet = rows.iter().copied().collect();
        let text = serde_json::to_string(&set).unwrap();
        let read: RowSet = serde_json::from_str(&text).unwrap();
        assert_eq!(read, set);
        assert_eq!((set.len(), set.is_empty()), (rows.len() as u64, rows.is_empty()));
        for row in [0, 1, 6, 7, 8, 9, 498, 499, 500, 501, 999_998, 999_999, 1_000_000, u32::MAX] {
            assert_eq!(read.contains(row), rows.contains(&row), "{row}");
        }
    }
    let set: RowSet = [0, 2, 8].into_iter().collect();
    assert_eq!(serde_json::to_string(&set).unwrap(), r#""a080""#);
}

#[test]
fn a_set_of_rows_that_nobody_wrote_is_not_read() {
    for text in ["0", "0g", "é0", " 0", "a"] {
        assert!(RowSet::try_from(text.to_owned()).is_err(), "{text:?}");
    }
}

fn plan() -> Plan {
    Plan::Automations { automations: Vec::new() }
}

fn started() -> Event {
    Event::AutomationRunStarted { certification_id: CERTIFICATION, plan: plan() }
}

fn claim() -> Command {
    Command::Claim { worker: "worker".to_owned() }
}

fn counts() -> Vec<Counts> {
    vec![Counts { matched: 3, changed: 2, conflicting: 1, skipped: 0 }]
}

fn completed() -> Event {
    Event::AutomationRunCompleted { counts: counts() }
}

fn failed() -> Event {
    Event::AutomationRunFailed { message: "gone".to_owned(), counts: counts() }
}

fn undo_started() -> Event {
    Event::AutomationRunUndoStarted {}
}

fn undone() -> Event {
    Event::AutomationRunUndone { reversed: 2, kept: 0 }
}

#[track_caller]
fn then(given: Vec<Event>, when: Command, expected: Event) {
    TestFramework::<AutomationRun>::with(()).given(given).when(when).then_expect_events(vec![expected]);
}

#[track_caller]
fn refused(given: Vec<Event>, when: Command, message: &str) {
    let expected = Refusal::Conflict(message.to_owned());
    TestFramework::<AutomationRun>::with(()).given(given).when(when).then_expect_error(expected);
}

#[test]
fn a_run_begins_goes_on_and_ends_well_or_with_a_message() {
    then(vec![], Command::Start { certification_id: CERTIFICATION, plan: plan() }, started());
    let claimed = Event::AutomationRunClaimed { worker: "worker".to_owned() };
    then(vec![started()], claim(), claimed.clone());
    then(vec![started(), claimed], Command::Complete { counts: counts() }, completed());
    then(vec![started()], Command::Fail { message: "gone".to_owned(), counts: counts() }, failed());
    refused(
        vec![started()],
        Command::Start { certification_id: CERTIFICATION, plan: plan() },
        "The run exists already",
    );
}

#[test]
fn an_ended_run_is_not_gone_on_with() {
    let message = "The run is COMPLETED; this is possible while it is RUNNING";
    refused(vec![started(), completed()], Command::Complete { counts: counts() }, message);
    refused(vec![started(), completed()], Command::Fail { message: "gone".to_owned(), counts: counts() }, message);
    let message = "The run is ERROR; this is possible while it is RUNNING or UNDOING";
    refused(vec![started(), failed()], claim(), message);
    let expected = Refusal::NotFound("The run doesn't exist".to_owned());
    TestFramework::<AutomationRun>::with(()).given_no_previous_events().when(claim()).then_expect_error(expected);
}

#[test]
fn what_a_run_did_is_undone_once() {
    for end in [completed(), failed()] {
        then(vec![started(), end.clone()], Command::Undo, undo_started());
        let undoing = vec![started(), end.clone(), undo_started()];
        then(undoing.clone(), claim(), Event::AutomationRunClaimed { worker: "worker".to_owned() });
        then(undoing.clone(), Command::CompleteUndo { reversed: 2, kept: 0 }, undone());
        let message = "The run is UNDOING; this is possible while it is COMPLETED or ERROR";
        refused(undoing.clone(), Command::Undo, message);
        let message = "The run is UNDONE; this is possible while it is COMPLETED or ERROR";
        refused([undoing, vec![undone()]].concat(), Command::Undo, message);
    }
    let message = "The run is RUNNING; this is possible while it is COMPLETED or ERROR";
    refused(vec![started()], Command::Undo, message);
    let message = "The run is COMPLETED; this is possible while it is UNDOING";
    refused(vec![started(), completed()], Command::CompleteUndo { reversed: 2, kept: 0 }, message);
}
