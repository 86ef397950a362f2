//! What runs decide about a row, and how that is reversed (rulings 35).

use super::super::*;
use super::deciding::{NEXT_REQUEST, REQUEST, asks, decided, decision, nothing, refused, row, setting, standing};
use crate::party::Party;

const RUN: Uuid = Uuid::from_u128(51);
const OTHER_RUN: Uuid = Uuid::from_u128(52);

fn applied(name: &str, notes: &str) -> Applied {
    Applied { id: Uuid::from_u128(u128::from(name.as_bytes()[0])), name: name.to_owned(), notes: notes.to_owned() }
}

fn automates(phase: Phase, automations: &[Applied], change: Change) -> Command {
    let (setting, automations) = (setting(phase), automations.to_vec());
    Command::Automate { setting, run_id: RUN, automations, change, request_id: NEXT_REQUEST }
}

fn undoes(run_id: Uuid, to: Standing) -> Command {
    Command::Undo { setting: setting(Phase::InProgress), run_id, by: Party::default(), to, request_id: NEXT_REQUEST }
}

/// A row after a command.
fn after(row: &CertificationRow, command: Command) -> CertificationRow {
    let mut row = row.clone();
    row.decide(command).unwrap().iter().for_each(|event| row.fold(event));
    row
}

fn rejected_by_run() -> CertificationRow {
    after(&CertificationRow::default(), automates(Phase::InProgress, &[applied("A", "")], decision(Decision::Rejected)))
}

#[test]
fn automations_change_a_row_as_people_do() {
    let automations = [applied("A", "Left"), applied("B", "")];
    let change = Change { notes: Some("Left".to_owned()), is_signed_off: Some(true), ..decision(Decision::Rejected) };
    let found = decided(&row(Decision::None, false), automates(Phase::InProgress, &automations, change.clone()));
    let now = Standing { decision: Decision::Rejected, notes: "Left".to_owned(), is_signed_off: true };
    assert_eq!(found, (now, Some(NEXT_REQUEST), None));
    let found = decided(
        &row(Decision::Rejected, false),
        automates(Phase::InProgress, &automations, decision(Decision::Accepted)),
    );
    assert_eq!(found, (standing(Decision::Accepted, false), None, Some(REQUEST)));
    let events = row(Decision::None, false).decide(automates(Phase::InProgress, &automations, change)).unwrap();
    let said = matches!(&events[0], Event::CertificationRowAutomated { run_id: RUN, automations: said, .. } if *said == automations);
    assert!(said, "{events:?}");
}

#[test]
fn automations_run_while_the_certification_is_reviewed() {
    for (phase, message) in [
        (Phase::Searching, "The rows of the certification are still being recorded"),
        (Phase::Grace, "The certification has ended; in its grace period rejected rows can be marked FIXED"),
        (Phase::Over, "The certification has ended"),
    ] {
        let command = automates(phase, &[applied("A", "")], decision(Decision::Accepted));
        refused(&row(Decision::None, false), command, message);
    }
}

#[test]
fn what_stands_so_already_is_no_event_unless_there_are_notes_for_the_log() {
    let accepted = row(Decision::Accepted, false);
    let again = decision(Decision::Accepted);
    nothing(&accepted, automates(Phase::InProgress, &[applied("A", ""), applied("B", "")], again.clone()));
    // Differing notes aren't the row's; each one's is in the log.
    let automations = [applied("A", "Left"), applied("B", "Moved")];
    let (now, ..) = decided(&accepted, automates(Phase::InProgress, &automations, again.clone()));
    assert_eq!(now, accepted.standing);
    let noted = CertificationRow { standing: Standing { notes: "Left".to_owned(), ..accepted.standing }, ..accepted };
    let change = Change { notes: Some("Left".to_owned()), ..again };
    nothing(&noted, automates(Phase::InProgress, &[applied("A", "Left")], change));
}

#[test]
fn undoing_restores_how_it_stood_and_withdraws_the_access_request() {
    let rejected = rejected_by_run();
    assert_eq!((rejected.run_id, rejected.access_request_id), (Some(RUN), Some(NEXT_REQUEST)));
    let found = decided(&rejected, undoes(RUN, Standing::default()));
    assert_eq!(found, (Standing::default(), None, Some(NEXT_REQUEST)));
    let undone = after(&rejected, undoes(RUN, Standing::default()));
    assert_eq!((undone.run_id, undone.access_request_id), (None, None));
    nothing(&undone, undoes(RUN, Standing::default()));
}

#[test]
fn undoing_an_acceptance_of_what_was_rejected_asks_for_removal_again() {
    let rejected = row(Decision::Rejected, false);
    let accepted = after(&rejected, automates(Phase::InProgress, &[applied("A", "")], decision(Decision::Accepted)));
    let found = decided(&accepted, undoes(RUN, rejected.standing.clone()));
    assert_eq!(found, (rejected.standing, Some(NEXT_REQUEST), None));
}

#[test]
fn what_a_run_signed_off_is_undone_too() {
    let change = Change { is_signed_off: Some(true), ..decision(Decision::Accepted) };
    let signed = after(&CertificationRow::default(), automates(Phase::InProgress, &[applied("A", "")], change));
    assert!(signed.standing.is_signed_off);
    assert_eq!(decided(&signed, undoes(RUN, Standing::default())).0, Standing::default());
}

#[test]
fn what_somebody_touched_since_stays() {
    let rejected = rejected_by_run();
    nothing(&rejected, undoes(OTHER_RUN, Standing::default()));
    let accepted = after(&rejected, asks(Phase::InProgress, decision(Decision::Accepted)));
    nothing(&accepted, undoes(RUN, Standing::default()));
    // Somebody's notes are a touch as well.
    let noted =
        after(&rejected, asks(Phase::InProgress, Change { notes: Some("Seen".to_owned()), ..Change::default() }));
    nothing(&noted, undoes(RUN, Standing::default()));
}

#[test]
fn nothing_is_undone_in_a_certification_that_has_ended() {
    let command = Command::Undo {
        setting: setting(Phase::Grace),
        run_id: RUN,
        by: Party::default(),
        to: Standing::default(),
        request_id: NEXT_REQUEST,
    };
    let message = "The certification has ended; in its grace period rejected rows can be marked FIXED";
    refused(&rejected_by_run(), command, message);
}

#[test]
fn a_decision_for_all_rows_of_a_filter_is_a_runs() {
    let Command::Decide { setting, by, change, request_id, .. } = asks(Phase::InProgress, decision(Decision::Accepted))
    else {
        unreachable!()
    };
    let command = Command::Decide {
        setting,
        by,
        change,
        reviewers: None,
        notification_status: None,
        is_forced: false,
        run_id: Some(RUN),
        request_id,
    };
    let accepted = after(&CertificationRow::default(), command);
    assert_eq!(accepted.run_id, Some(RUN));
    assert_eq!(decided(&accepted, undoes(RUN, Standing::default())).0, Standing::default());
}
