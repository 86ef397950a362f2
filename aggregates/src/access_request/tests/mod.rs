//! Days are counted from 1 March 2026; HR asks for Jane's access, Ann and Ben answer, unless a test says otherwise.

mod asking;
mod carrying_out;
mod walk;

use chrono::TimeDelta;
use cqrs_es::test::TestFramework;

use super::*;
use crate::ballot::{Answer, Voter};

const ANN: Uuid = Uuid::from_u128(1);
const BEN: Uuid = Uuid::from_u128(2);
const JANE: Uuid = Uuid::from_u128(9);
const LEDGER: Uuid = Uuid::from_u128(20);

fn day(number: i64) -> DateTime<Utc> {
    "2026-03-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::days(number)
}

fn token(name: &str) -> Party {
    Party { actor_id: format!("id of {name}"), name: name.to_owned(), identity_id: None }
}

fn desk() -> Party {
    token("Service Desk")
}

fn person(identity: Uuid) -> Party {
    Party { actor_id: format!("token of {identity}"), name: "somebody".to_owned(), identity_id: Some(identity) }
}

fn voter(identity: Uuid) -> Voter {
    Voter { party: person(identity), is_administrator: false, responder: None, departed: Vec::new() }
}

fn administrator() -> Voter {
    Voter { party: token("admin"), is_administrator: true, responder: None, departed: Vec::new() }
}

fn requested(action: Action, needed: Option<i64>) -> RequestedAccess {
    let privilege = Privilege {
        account_id: None,
        entitlement_id: Some(Uuid::from_u128(30)),
        key: "AP-APPROVE".to_owned(),
        name: Some("Approve invoices".to_owned()),
        peers: None,
    };
    RequestedAccess {
        action,
        identity_id: JANE,
        application_id: LEDGER,
        privileges: vec![privilege],
        needed_at: needed.map(day),
        personnel_event_id: None,
        is_suggested: false,
        review_item: None,
        comment: None,
    }
}

fn asks(request: RequestedAccess, is_approved: bool) -> Command {
    Command::Request { request, reporter: token("HR"), responders: vec![ANN, BEN], is_approved, at: day(0) }
}

/// Asked for on day 0.
fn request(needed: Option<i64>) -> Command {
    asks(requested(Action::Remove, needed), false)
}

fn answer(voter: Voter, answer: Answer) -> Command {
    Command::Answer { voter, answer, comment: None, at: day(1) }
}

fn approve() -> Command {
    answer(administrator(), Answer::Approved)
}

fn provision() -> Command {
    Command::Provision { by: desk(), at: day(2) }
}

fn fail(reason: &str) -> Command {
    Command::Fail { reason: reason.to_owned(), by: desk(), at: day(2) }
}

/// The import of that number finished.
fn import(number: i64) -> Evidence {
    Evidence { application_import_id: Uuid::from_u128(number as u128), number, position: 1000 + number }
}

fn shown_by(number: i64) -> Command {
    Command::Verify { evidence: Some(import(number)), by: token("imports"), at: day(3) }
}

fn verify() -> Command {
    Command::Verify { evidence: None, by: desk(), at: day(3) }
}

fn reopen(number: i64) -> Command {
    Command::Reopen { evidence: import(number), at: day(4) }
}

fn wake(on: i64) -> Command {
    Command::Wake { at: day(on) }
}

fn cancel() -> Command {
    Command::Cancel { reason: None, by: token("HR"), at: day(4) }
}

fn comment(text: &str) -> Command {
    Command::Comment(Comment { by: desk(), at: day(1), text: text.to_owned() })
}

fn and(mut commands: Vec<Command>, more: Vec<Command>) -> Vec<Command> {
    commands.extend(more);
    commands
}

/// The shortest way to each status.
fn way(to: Status) -> Vec<Command> {
    let open = vec![request(None), approve()];
    match to {
        Status::Pending => vec![request(None)],
        Status::Scheduled => vec![request(Some(5)), approve()],
        Status::Open => open,
        Status::Resolved => and(open, vec![provision()]),
        Status::Completed => and(open, vec![shown_by(7)]),
        Status::Canceled => and(open, vec![cancel()]),
        Status::Snoozed => panic!("an access request is never snoozed"),
    }
}

#[track_caller]
fn done(commands: Vec<Command>) -> (AccessRequest, Vec<Event>) {
    let (mut state, mut history) = (AccessRequest::default(), Vec::new());
    for command in commands {
        for event in state.decide(command).unwrap() {
            state.fold(event.clone());
            history.push(event);
        }
    }
    (state, history)
}

#[track_caller]
fn then(given: Vec<Command>, when: Command, expected: Vec<Event>) {
    TestFramework::<AccessRequest>::with(()).given(done(given).1).when(when).then_expect_events(expected);
}

#[track_caller]
fn refused(given: Vec<Command>, when: Command, refusal: Refusal) {
    TestFramework::<AccessRequest>::with(()).given(done(given).1).when(when).then_expect_error(refusal);
}

/// Refused in every status but these.
#[track_caller]
fn only_while(allowed: &[Status], when: &Command, words: &str) {
    use Status::{Canceled, Completed, Open, Pending, Resolved, Scheduled};
    for status in [Pending, Scheduled, Open, Resolved, Completed, Canceled] {
        if allowed.contains(&status) {
            assert!(done(way(status)).0.decide(when.clone()).is_ok(), "{status:?}: {when:?}");
            continue;
        }
        let message = format!("The access request is {}; this is possible while it is {words}", status.as_str());
        refused(way(status), when.clone(), Refusal::Conflict(message));
    }
}

const RUNNING: [Status; 4] = [Status::Pending, Status::Scheduled, Status::Open, Status::Resolved];
const RUNNING_WORDS: &str = "Pending or Scheduled or Open or Resolved";
