//! Days are counted from 1 March 2026; HR asks, Ann and Ben answer, unless a test says otherwise.

mod claims;
mod dates;
mod draft;
mod stages;
mod walk;

use chrono::TimeDelta;
use cqrs_es::test::TestFramework;

use super::PersonnelEventType::{Absence, Offboard, Onboard, RoleTransition};
use super::*;
use crate::ballot::{Answer, Voter};
use crate::identity::IdentityRecord;

const ANN: Uuid = Uuid::from_u128(1);
const BEN: Uuid = Uuid::from_u128(2);
const EVE: Uuid = Uuid::from_u128(5);
const PERSON: Uuid = Uuid::from_u128(9);
/// The identity that an onboarding makes.
const JOINER: Uuid = Uuid::from_u128(10);

fn day(number: i64) -> DateTime<Utc> {
    "2026-03-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::days(number)
}

/// A token that stands for nobody.
fn token(name: &str) -> Party {
    Party { actor_id: format!("id of {name}"), name: name.to_owned(), identity_id: None }
}

fn hr() -> Party {
    token("HR")
}

fn desk() -> Party {
    token("Service Desk")
}

/// A token that stands for a person.
fn person(identity: Uuid) -> Party {
    Party { actor_id: format!("token of {identity}"), name: "somebody".to_owned(), identity_id: Some(identity) }
}

fn voter(identity: Uuid) -> Voter {
    Voter { party: person(identity), is_administrator: false, responder: None, departed: Vec::new() }
}

fn administrator() -> Voter {
    Voter { party: token("admin"), is_administrator: true, responder: None, departed: Vec::new() }
}

fn requested(r#type: PersonnelEventType, effective: i64, end: Option<i64>) -> Requested {
    let email = Some(" Jane@Acme.example ".to_owned());
    let is_joiner = r#type == Onboard;
    Requested {
        r#type,
        identity_id: (!is_joiner).then_some(PERSON),
        identity: if is_joiner { IdentityRecord { email, ..Default::default() } } else { IdentityRecord::default() },
        effective_at: day(effective),
        end_at: end.map(day),
        comment: None,
    }
}

/// Asked for on day 0.
fn request(r#type: PersonnelEventType, effective: i64, end: Option<i64>) -> Command {
    let request = requested(r#type, effective, end);
    Command::Request { request, reporter: hr(), responders: vec![ANN, BEN], at: day(0) }
}

fn answer(stage: Stage, voter: Voter, answer: Answer) -> Command {
    Command::Answer { stage, voter, answer, comment: None, new_identity: JOINER, at: day(1) }
}

/// An administrator says yes for everybody.
fn approve(stage: Stage) -> Command {
    answer(stage, administrator(), Answer::Approved)
}

fn reject(stage: Stage) -> Command {
    answer(stage, administrator(), Answer::Rejected)
}

fn wake(on: i64) -> Command {
    Command::Wake { at: day(on) }
}

fn start(on: i64) -> Command {
    Command::Start { requests: vec![Uuid::from_u128(100)], at: day(on) }
}

fn complete(stage: Stage) -> Command {
    Command::Complete { stage, outstanding: Vec::new(), by: desk(), at: day(2) }
}

fn settle(is_provisioned: bool, is_verified: bool) -> Command {
    Command::Settle { is_provisioned, is_verified, by: desk(), at: day(3) }
}

fn reschedule(effective: Option<i64>, end: Option<i64>, today: i64) -> Command {
    Command::Reschedule {
        effective_at: effective.map(day),
        end_at: end.map(day),
        today: day(today),
        at: day(today) + TimeDelta::hours(9),
    }
}

fn cancel() -> Command {
    Command::Cancel { reason: None, by: hr(), at: day(4) }
}

/// Approved and due at once: work has begun.
fn begun(r#type: PersonnelEventType, end: Option<i64>) -> Vec<Command> {
    vec![request(r#type, 0, end), approve(Stage::Approval), start(1)]
}

fn and(mut commands: Vec<Command>, more: Vec<Command>) -> Vec<Command> {
    commands.extend(more);
    commands
}

/// All work is done, Verification is open: an offboarding.
fn resolved() -> Vec<Command> {
    and(begun(Offboard, None), vec![complete(Stage::Provision)])
}

/// What these commands have made of an event, and the events.
#[track_caller]
fn done(commands: Vec<Command>) -> (PersonnelEvent, Vec<Event>) {
    let (mut state, mut history) = (PersonnelEvent::default(), Vec::new());
    for command in commands {
        for event in state.decide(command).unwrap() {
            state.fold(event.clone());
            history.push(event);
        }
    }
    (state, history)
}

#[track_caller]
fn status(commands: Vec<Command>) -> Status {
    done(commands).0.status()
}

#[track_caller]
fn then(given: Vec<Command>, when: Command, expected: Vec<Event>) {
    TestFramework::<PersonnelEvent>::with(()).given(done(given).1).when(when).then_expect_events(expected);
}

#[track_caller]
fn refused(given: Vec<Command>, when: Command, refusal: Refusal) {
    TestFramework::<PersonnelEvent>::with(()).given(done(given).1).when(when).then_expect_error(refusal);
}

#[track_caller]
fn conflict(given: Vec<Command>, when: Command, message: &str) {
    refused(given, when, Refusal::Conflict(message.to_owned()));
}

fn completed(stage: Stage, by: Party, on: i64) -> Event {
    Event::PersonnelStageCompleted { stage, by, at: day(on) }
}

fn started(stage: Stage) -> Event {
    let requests = if stage == Stage::Verification { Vec::new() } else { vec![Uuid::from_u128(100)] };
    Event::PersonnelStageStarted { stage, requests }
}

fn answered(stage: Stage, responder: Uuid, by: Party, answer: Answer) -> Event {
    let response = crate::ballot::Response { responder: Some(responder), by, answer, at: day(1), comment: None };
    Event::PersonnelStageAnswered { stage, response }
}

/// Every command, as it could come at any time.
fn commands() -> Vec<Command> {
    let mut all = vec![
        Command::Reset { stage: Stage::Approval, voter: administrator() },
        wake(1),
        start(1),
        settle(true, true),
        Command::Assign(Some(ANN)),
        reschedule(Some(5), None, 1),
        cancel(),
    ];
    for stage in Stage::ALL {
        all.extend([approve(stage), reject(stage), complete(stage)]);
    }
    all
}
