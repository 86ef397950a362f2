//! From the request to its approval and its date.

use super::*;
use crate::ballot::Response;

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
