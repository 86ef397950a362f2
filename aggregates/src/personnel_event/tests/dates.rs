//! When things happen by themselves, and other dates.

use super::*;

fn rescheduled(effective: i64, end: Option<i64>, is_due: bool) -> Event {
    Event::PersonnelEventRescheduled { effective_at: day(effective), end_at: end.map(day), is_due }
}

fn wakes_at(commands: Vec<Command>) -> Option<DateTime<Utc>> {
    done(commands).0.wakes_at()
}

// The effective date

#[test]
fn what_lies_in_the_future_is_scheduled_and_may_be_approved_meanwhile() {
    let asked = vec![request(Offboard, 5, None)];
    assert_eq!(status(asked.clone()), Status::Scheduled);
    assert_eq!(status(and(asked.clone(), vec![wake(5)])), Status::Pending, "its date came before anybody approved");
    let approved = and(asked, vec![approve(Stage::Approval)]);
    assert_eq!(status(approved.clone()), Status::Scheduled);
    assert_eq!(status(and(approved, vec![wake(5)])), Status::Open);
}

#[test]
fn its_date_comes_once_and_not_before() {
    let given = vec![request(Offboard, 5, None)];
    then(given.clone(), wake(4), vec![]);
    then(given.clone(), wake(5), vec![Event::PersonnelEventDue {}]);
    then(and(given, vec![wake(5)]), wake(6), vec![]);
    then(vec![request(Offboard, 0, None)], wake(1), vec![]);
}

#[test]
fn it_wakes_when_something_can_happen_by_itself() {
    let asked = vec![request(Absence, 5, Some(9))];
    assert_eq!(wakes_at(asked.clone()), Some(day(5)));
    assert_eq!(wakes_at(and(asked.clone(), vec![wake(5)])), None, "it waits for its responders");
    let approved = and(asked, vec![approve(Stage::Approval)]);
    assert_eq!(wakes_at(approved.clone()), Some(day(5)));
    let due = and(approved, vec![wake(5)]);
    assert_eq!(wakes_at(due.clone()), Some(day(5)), "its work hasn't begun, though it could");
    let working = and(due, vec![start(5)]);
    assert_eq!(wakes_at(working.clone()), None);
    let away = and(working, vec![complete(Stage::Provision)]);
    assert_eq!(wakes_at(away.clone()), Some(day(9)));
    assert_eq!(wakes_at(and(away, vec![start(9)])), None);
    let unknown = and(begun(Absence, None), vec![complete(Stage::Provision)]);
    assert_eq!(wakes_at(unknown), None, "nobody knows when");
}

// The end date

#[test]
fn who_is_on_leave_waits_for_the_end_date() {
    let away = and(begun(Absence, Some(9)), vec![complete(Stage::Provision)]);
    let (state, _) = done(away.clone());
    assert_eq!((state.status(), state.stages[2].status(&state)), (Status::Scheduled, StageStatus::Scheduled));
    assert_eq!((state.startable(day(8)), state.startable(day(9))), (None, Some(Stage::Removal)));
    conflict(away.clone(), start(8), "No stage of the personnel event can begin now");
    let back = and(away, vec![start(9)]);
    assert_eq!(status(back.clone()), Status::Open);
    assert_eq!(status(and(back, vec![complete(Stage::Removal)])), Status::Resolved);
}

#[test]
fn a_leave_whose_return_is_unknown_sleeps_until_it_is() {
    let away = and(begun(Absence, None), vec![complete(Stage::Provision)]);
    let (state, _) = done(away.clone());
    assert_eq!((state.status(), state.stages[2].status(&state)), (Status::Snoozed, StageStatus::Snoozed));
    assert_eq!(state.startable(day(99)), None);
    conflict(away.clone(), complete(Stage::Removal), "The stage Removal isn't open; the current one is Removal");
    then(away.clone(), reschedule(None, Some(20), 12), vec![rescheduled(0, Some(20), true)]);
    let known = and(away, vec![reschedule(None, Some(20), 12)]);
    assert_eq!(status(known.clone()), Status::Scheduled);
    assert_eq!(status(and(known, vec![start(20)])), Status::Open);
}

#[test]
fn who_is_back_early_is_rescheduled_to_a_day_that_has_passed() {
    let away = and(begun(Absence, Some(30)), vec![complete(Stage::Provision)]);
    let (state, _) = done(and(away, vec![reschedule(None, Some(8), 10)]));
    assert_eq!(state.startable(day(10)), Some(Stage::Removal));
}

// Other dates

#[test]
fn a_date_can_be_moved_until_work_begins() {
    let asked = vec![request(Offboard, 5, None)];
    then(asked.clone(), reschedule(Some(7), None, 1), vec![rescheduled(7, None, false)]);
    let approved = and(asked, vec![approve(Stage::Approval)]);
    then(approved.clone(), reschedule(Some(1), None, 1), vec![rescheduled(1, None, true)]);
    let working = and(approved, vec![wake(5), start(5)]);
    let begun = "The effective date can't change: the event has begun";
    conflict(working.clone(), reschedule(Some(7), None, 5), begun);
    conflict(and(working, vec![complete(Stage::Provision)]), reschedule(Some(7), None, 5), begun);
}

#[test]
fn what_was_due_waits_again_when_its_date_is_moved() {
    let due = vec![request(Offboard, 0, None)];
    assert_eq!(status(and(due.clone(), vec![reschedule(Some(7), None, 1)])), Status::Scheduled);
    let approved = and(due, vec![approve(Stage::Approval), reschedule(Some(7), None, 1)]);
    assert_eq!(status(approved.clone()), Status::Scheduled);
    assert_eq!(wakes_at(approved), Some(day(7)));
}

#[test]
fn a_date_is_moved_to_today_or_later_unless_somebody_joins() {
    let message = Refusal::field("effectiveDate", "Effective date must be today or later");
    for kind in [Offboard, RoleTransition, Absence] {
        refused(vec![request(kind, 5, None)], reschedule(Some(1), None, 2), message.clone());
        then(vec![request(kind, 5, None)], reschedule(Some(2), None, 2), vec![rescheduled(2, None, true)]);
    }
    then(vec![request(Onboard, 5, None)], reschedule(Some(1), None, 2), vec![rescheduled(1, None, true)]);
}

#[test]
fn the_end_stays_after_the_beginning() {
    let given = vec![request(Absence, 5, Some(9))];
    let message = Refusal::field("endDate", "End date must be after effective date");
    for command in [reschedule(None, Some(5), 1), reschedule(Some(9), None, 1), reschedule(Some(8), Some(7), 1)] {
        refused(given.clone(), command, message.clone());
    }
    then(given, reschedule(Some(9), Some(12), 1), vec![rescheduled(9, Some(12), false)]);
}

#[test]
fn an_end_date_is_moved_until_the_end_has_begun() {
    let away = and(begun(Absence, Some(9)), vec![complete(Stage::Provision)]);
    then(away.clone(), reschedule(None, Some(12), 5), vec![rescheduled(0, Some(12), true)]);
    let message = "The end date can't change: Removal has begun";
    let back = and(away, vec![start(9)]);
    conflict(back.clone(), reschedule(None, Some(12), 10), message);
    conflict(and(back, vec![complete(Stage::Removal)]), reschedule(None, Some(12), 10), message);
}

#[test]
fn what_has_no_stage_for_its_end_gets_no_end_date() {
    for kind in [Onboard, Offboard, RoleTransition] {
        conflict(
            vec![request(kind, 5, None)],
            reschedule(None, Some(9), 1),
            "The event was made without an end date and has no stage for one",
        );
    }
    then(vec![request(Absence, 5, None)], reschedule(None, Some(9), 1), vec![rescheduled(5, Some(9), false)]);
}

#[test]
fn the_same_dates_are_no_event() {
    let given = vec![request(Absence, 5, Some(9))];
    then(given.clone(), reschedule(Some(5), Some(9), 7), vec![]);
    then(given, reschedule(None, None, 1), vec![]);
}
