//! Days are counted from 1 March 2026; HR asks for Jane's access, Ann and Ben answer, unless a test says otherwise.

mod walk;

use chrono::TimeDelta;
use cqrs_es::test::TestFramework;

use super::*;
use crate::ballot::Response;

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

// The request

#[test]
fn access_is_requested_once() {
    let expected = Event::AccessRequested {
        request: requested(Action::Remove, None),
        reporter: token("HR"),
        responders: vec![ANN, BEN],
        is_approved: false,
        is_due: true,
        at: day(0),
    };
    then(vec![], request(None), vec![expected]);
    refused(vec![request(None)], request(None), Refusal::Conflict("The access request exists already".to_owned()));
}

#[test]
fn a_request_names_what_it_is_about() {
    let nothing = RequestedAccess { privileges: Vec::new(), ..requested(Action::Add, None) };
    refused(vec![], asks(nothing, false), Refusal::field("entitlements", "At least one entitlement is required"));
}

#[test]
fn what_was_said_with_the_request_is_its_first_comment() {
    let said =
        |text: &str| asks(RequestedAccess { comment: Some(text.to_owned()), ..requested(Action::Add, None) }, false);
    let (state, _) = done(vec![said("For the audit")]);
    assert_eq!(state.comments, [Comment { by: token("HR"), at: day(0), text: "For the audit".to_owned() }]);
    let message = "Comment has 4001 characters; at most 4000 are allowed";
    refused(vec![], said(&"x".repeat(4001)), Refusal::field("comment", message));
    refused(vec![], said("a\0b"), Refusal::field("comment", "Comment contains a NUL character"));
}

#[test]
fn nobody_is_made_to_answer_what_they_asked_for_or_what_is_about_them() {
    let command = Command::Request {
        request: requested(Action::Add, None),
        reporter: person(ANN),
        responders: vec![ANN, BEN, JANE],
        is_approved: false,
        at: day(0),
    };
    assert_eq!(done(vec![command]).0.ballot, Ballot::of(vec![BEN]));
}

#[test]
fn a_request_that_does_not_exist_takes_no_command_but_itself() {
    let commands = [
        approve(),
        Command::Reset(administrator()),
        wake(1),
        provision(),
        fail("No licence left"),
        verify(),
        shown_by(7),
        reopen(8),
        Command::Assign(Some(ANN)),
        comment("Hello"),
        cancel(),
    ];
    for command in commands {
        refused(vec![], command, Refusal::NotFound("The access request doesn't exist".to_owned()));
    }
}

// Approval

#[test]
fn a_request_waits_for_every_responder() {
    let given = vec![request(None), answer(voter(ANN), Answer::Approved)];
    assert_eq!(done(given.clone()).0.status(), Status::Pending);
    let by = person(BEN);
    let response =
        Response { responder: Some(BEN), by: by.clone(), answer: Answer::Approved, at: day(1), comment: None };
    then(
        given,
        answer(voter(BEN), Answer::Approved),
        vec![Event::AccessRequestAnswered { response }, Event::AccessRequestApproved { by, at: day(1) }],
    );
}

#[test]
fn nobody_approves_their_own_request() {
    let own = "Nobody answers their own request: it was reported by the same token or person";
    let hr = Voter { party: token("HR"), ..administrator() };
    refused(vec![request(None)], answer(hr, Answer::Approved), Refusal::Conflict(own.to_owned()));
    let concerned = format!("Nobody answers a request about themselves: it concerns identity {JANE}");
    let jane = Voter { party: person(JANE), ..administrator() };
    refused(vec![request(None)], answer(jane, Answer::Approved), Refusal::Conflict(concerned));
}

#[test]
fn a_rejected_request_is_over() {
    let given = and(vec![request(None)], vec![answer(administrator(), Answer::Rejected)]);
    let (state, history) = done(given);
    assert_eq!((state.status(), state.canceled.as_deref()), (Status::Canceled, Some("The request was rejected")));
    assert_eq!(history.len(), 4, "asked, two answers, canceled");
}

#[test]
fn a_vote_is_taken_back_while_the_request_is_pending() {
    let given = vec![request(None), answer(voter(ANN), Answer::Rejected)];
    then(given, Command::Reset(voter(ANN)), vec![Event::AccessRequestReset { responder: Some(ANN) }]);
    only_while(&[Status::Pending], &approve(), "Pending");
    refused(
        way(Status::Open),
        Command::Reset(administrator()),
        Refusal::Conflict("The access request is Open; this is possible while it is Pending".to_owned()),
    );
}

#[test]
fn what_an_approved_personnel_event_asks_for_needs_no_other_approval() {
    let (state, _) = done(vec![asks(requested(Action::Remove, None), true)]);
    assert_eq!((state.status(), state.provisioning), (Status::Open, Provisioning::Provisioning));
    let (state, _) = done(vec![asks(requested(Action::Remove, Some(5)), true)]);
    assert_eq!((state.status(), state.provisioning), (Status::Scheduled, Provisioning::NotStarted));
}

// Dates

#[test]
fn what_is_needed_later_waits_for_its_date() {
    let given = way(Status::Scheduled);
    assert_eq!(done(given.clone()).0.wakes_at(), Some(day(5)));
    then(given.clone(), wake(4), vec![]);
    then(given.clone(), wake(5), vec![Event::AccessRequestDue {}]);
    let (state, _) = done(and(given, vec![wake(5)]));
    assert_eq!((state.status(), state.wakes_at()), (Status::Open, None));
    assert_eq!(state.provisioning, Provisioning::Provisioning);
}

#[test]
fn the_date_may_come_before_the_approval() {
    let (state, _) = done(vec![request(Some(5)), wake(5)]);
    assert_eq!((state.status(), state.provisioning), (Status::Pending, Provisioning::NotStarted));
    let (state, _) = done(vec![request(Some(5)), wake(5), approve()]);
    assert_eq!(state.status(), Status::Open);
}

// Carrying it out

#[test]
fn somebody_carries_it_out() {
    then(way(Status::Open), provision(), vec![Event::AccessRequestProvisioned { by: desk(), at: day(2) }]);
    only_while(&[Status::Open], &provision(), "Open");
    assert_eq!(done(way(Status::Resolved)).0.provisioning, Provisioning::Provisioned);
}

#[test]
fn somebody_who_can_not_carry_it_out_says_why_and_tries_again() {
    let event = Event::AccessRequestFailed { reason: "No licence left".to_owned(), by: desk(), at: day(2) };
    then(way(Status::Open), fail("No licence left"), vec![event]);
    only_while(&[Status::Open], &fail("No licence left"), "Open");
    refused(way(Status::Open), fail(" "), Refusal::field("comment", "Comment is required"));
    let failed = and(way(Status::Open), vec![fail("No licence left")]);
    let (state, _) = done(failed.clone());
    assert_eq!((state.status(), state.provisioning), (Status::Open, Provisioning::Failed));
    assert_eq!(done(and(failed, vec![provision()])).0.status(), Status::Resolved);
}

// Evidence

#[test]
fn an_import_that_shows_it_verifies_it_though_nobody_said_that_it_was_done() {
    let verified = Event::AccessRequestVerified { evidence: Some(import(7)), by: token("imports"), at: day(3) };
    for status in [Status::Open, Status::Resolved] {
        then(way(status), shown_by(7), vec![verified.clone()]);
    }
    only_while(&[Status::Open, Status::Resolved], &shown_by(7), "Open or Resolved");
    let (state, _) = done(way(Status::Completed));
    assert_eq!((state.provisioning, state.evidence), (Provisioning::Verified, Some(import(7))));
    assert_eq!(state.completed_at, Some(day(3)));
}

#[test]
fn somebody_verifies_what_was_carried_out() {
    let verified = Event::AccessRequestVerified { evidence: None, by: desk(), at: day(3) };
    then(way(Status::Resolved), verify(), vec![verified]);
    only_while(&[Status::Resolved], &verify(), "Resolved");
}

#[test]
fn a_later_import_that_shows_it_undone_makes_a_finding_of_it() {
    let event = Event::AccessRequestReopened { evidence: import(8), at: day(4) };
    then(way(Status::Completed), reopen(8), vec![event]);
    only_while(&[Status::Completed], &reopen(8), "Completed");
    let found = and(way(Status::Completed), vec![reopen(8)]);
    let (state, _) = done(found.clone());
    assert_eq!((state.status(), state.is_finding), (Status::Open, true));
    assert_eq!((state.evidence, state.completed_at), (Some(import(8)), None));
    let (state, _) = done(and(found, vec![shown_by(9)]));
    assert_eq!((state.status(), state.is_finding), (Status::Completed, false));
    assert_eq!(state.evidence, Some(import(9)));
}

// The end, and what can be said on the way

#[test]
fn a_request_is_canceled_with_a_reason_or_without() {
    let event = |reason: &str| Event::AccessRequestCanceled { reason: reason.to_owned(), by: token("HR"), at: day(4) };
    then(way(Status::Pending), cancel(), vec![event("Canceled")]);
    let command = Command::Cancel { reason: Some("She keeps it".to_owned()), by: token("HR"), at: day(4) };
    then(way(Status::Resolved), command, vec![event("She keeps it")]);
    only_while(&RUNNING, &cancel(), RUNNING_WORDS);
}

#[test]
fn a_request_that_has_ended_takes_comments_and_nothing_else() {
    for status in [Status::Completed, Status::Canceled] {
        let (state, _) = done(and(way(status), vec![comment("Filed with the auditors")]));
        assert_eq!(state.comments.len(), 1);
        assert_eq!(state.wakes_at(), None);
    }
    only_while(&RUNNING, &Command::Assign(Some(ANN)), RUNNING_WORDS);
    only_while(&RUNNING, &wake(1), RUNNING_WORDS);
    refused(way(Status::Open), comment(""), Refusal::field("comment", "Comment is required"));
}

#[test]
fn somebody_looks_after_a_request_or_nobody() {
    let assigned = |assignee_id| Event::AccessRequestAssigned { assignee_id };
    then(way(Status::Open), Command::Assign(Some(ANN)), vec![assigned(Some(ANN))]);
    let given = and(way(Status::Open), vec![Command::Assign(Some(ANN))]);
    then(given.clone(), Command::Assign(Some(ANN)), vec![]);
    then(given, Command::Assign(None), vec![assigned(None)]);
}

#[test]
fn only_what_takes_or_changes_access_needs_it_to_be_there() {
    let takes: Vec<&str> = Action::ALL.into_iter().filter(|action| action.takes()).map(Action::as_str).collect();
    assert_eq!(takes, ["Change", "Remove", "Suspend"]);
}
