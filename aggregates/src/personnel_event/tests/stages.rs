//! From the request through its stages to the end.

use super::*;

fn comment(text: &str) -> Command {
    Command::Comment(Comment { by: hr(), at: day(1), text: text.to_owned() })
}

// The request

#[test]
fn an_event_is_requested_once() {
    let expected = Event::PersonnelEventRequested {
        request: requested(Offboard, 5, None),
        reporter: hr(),
        responders: vec![ANN, BEN],
        is_due: false,
        at: day(0),
    };
    then(vec![], request(Offboard, 5, None), vec![expected]);
    conflict(vec![request(Offboard, 5, None)], request(Offboard, 5, None), "The personnel event exists already");
}

#[test]
fn what_was_said_with_the_request_is_its_first_comment() {
    let request = Requested { comment: Some("Last day is Friday".to_owned()), ..requested(Offboard, 0, None) };
    let command = Command::Request { request, reporter: hr(), responders: vec![], at: day(0) };
    let (state, _) = done(vec![command]);
    assert_eq!(state.comments, [Comment { by: hr(), at: day(0), text: "Last day is Friday".to_owned() }]);
}

#[test]
fn nobody_is_made_to_answer_what_they_reported_or_what_is_about_them() {
    let command = Command::Request {
        request: requested(Offboard, 0, None),
        reporter: person(ANN),
        responders: vec![ANN, PERSON, BEN],
        at: day(0),
    };
    let (state, _) = done(vec![command]);
    assert_eq!(state.stages[0].ballot, Some(Ballot::of(vec![BEN])));
    assert_eq!(state.stages[2].ballot, Some(Ballot::of(vec![BEN])));
}

#[test]
fn an_event_that_does_not_exist_takes_no_command_but_its_request() {
    for command in and(commands(), vec![comment("Hello")]) {
        refused(vec![], command, Refusal::NotFound("The personnel event doesn't exist".to_owned()));
    }
}

#[test]
fn each_type_has_its_stages() {
    use Stage::{Approval, Provision, Removal, TransitionIn, TransitionOut, Verification};
    for (kind, end, stages, labels) in [
        (Onboard, None, &[Approval, Provision, Verification][..], "Approve, Provision, Verify"),
        (Onboard, Some(9), &[Approval, Provision, Removal, Verification], "Approve, Provision, Deprovision, Verify"),
        (Offboard, None, &[Approval, Provision, Verification], "Approve, Deprovision, Verify"),
        (RoleTransition, None, &[Approval, TransitionIn, Verification], "Approve, Transition In, Verify"),
        (
            RoleTransition,
            Some(9),
            &[Approval, TransitionIn, TransitionOut, Verification],
            "Approve, Transition In, Transition Out, Verify",
        ),
        (Absence, None, &[Approval, Provision, Removal, Verification], "Approve, Suspend, Restore, Verify"),
        (Absence, Some(9), &[Approval, Provision, Removal, Verification], "Approve, Suspend, Restore, Verify"),
    ] {
        let (state, _) = done(vec![request(kind, 0, end)]);
        let found: Vec<Stage> = state.stages.iter().map(|stage| stage.stage).collect();
        assert_eq!(found, stages);
        assert!(found.is_sorted(), "the order of Stage is that of every type");
        let shown: Vec<&str> = found.iter().map(|stage| stage.label(kind)).collect();
        assert_eq!(shown.join(", "), labels);
    }
    let slugs: Vec<String> = Stage::ALL.into_iter().map(Stage::slug).collect();
    assert_eq!(slugs, ["approval", "provision", "transition-in", "transition-out", "removal", "verification"]);
}

// Approval

#[test]
fn approval_needs_every_responder() {
    let ann = answer(Stage::Approval, voter(ANN), Answer::Approved);
    let given = vec![request(Offboard, 0, None), ann];
    assert_eq!(status(given.clone()), Status::Pending);
    then(
        given,
        answer(Stage::Approval, voter(BEN), Answer::Approved),
        vec![answered(Stage::Approval, BEN, person(BEN), Answer::Approved), completed(Stage::Approval, person(BEN), 1)],
    );
}

#[test]
fn an_administrator_answers_for_everybody() {
    then(
        vec![request(Offboard, 0, None)],
        approve(Stage::Approval),
        vec![
            answered(Stage::Approval, ANN, token("admin"), Answer::Approved),
            answered(Stage::Approval, BEN, token("admin"), Answer::Approved),
            completed(Stage::Approval, token("admin"), 1),
        ],
    );
}

#[test]
fn whoever_asked_does_not_approve() {
    let himself = Voter { party: hr(), ..administrator() };
    conflict(
        vec![request(Offboard, 0, None)],
        answer(Stage::Approval, himself, Answer::Approved),
        "Nobody answers their own request: it was reported by the same token or person",
    );
    conflict(
        vec![request(Offboard, 0, None)],
        answer(Stage::Approval, voter(PERSON), Answer::Approved),
        &format!("{} is no responder of this step, and no administrator", "somebody"),
    );
}

#[test]
fn an_approved_joiner_comes_into_being_and_nobody_else_does() {
    let (state, history) = done(vec![request(Onboard, 0, None), approve(Stage::Approval)]);
    assert_eq!(history.last(), Some(&Event::PersonnelIdentityCreated { identity_id: JOINER }));
    assert_eq!(state.identity_id, Some(JOINER));
    for kind in [Offboard, RoleTransition, Absence] {
        let (state, _) = done(vec![request(kind, 0, None), approve(Stage::Approval)]);
        assert_eq!(state.identity_id, Some(PERSON));
    }
}

#[test]
fn a_joiner_verifies_no_more_than_anybody_else() {
    let given = and(begun(Onboard, None), vec![complete(Stage::Provision)]);
    conflict(
        given,
        answer(Stage::Verification, Voter { party: person(JOINER), ..administrator() }, Answer::Approved),
        &format!("Nobody answers a request about themselves: it concerns identity {JOINER}"),
    );
}

#[test]
fn a_rejected_request_is_over() {
    let given = vec![request(Offboard, 0, None), answer(Stage::Approval, voter(ANN), Answer::Rejected)];
    assert_eq!(status(given.clone()), Status::Pending, "Ben hasn't answered");
    let by = person(BEN);
    then(
        given.clone(),
        answer(Stage::Approval, voter(BEN), Answer::Approved),
        vec![
            answered(Stage::Approval, BEN, by.clone(), Answer::Approved),
            Event::PersonnelStageRejected { stage: Stage::Approval, at: day(1) },
            Event::PersonnelEventCanceled { reason: "Approval was rejected".to_owned(), by, at: day(1) },
        ],
    );
    let (state, _) = done(and(given, vec![answer(Stage::Approval, voter(BEN), Answer::Approved)]));
    let shown: Vec<StageStatus> = state.stages.iter().map(|stage| stage.status(&state)).collect();
    assert_eq!(shown, [StageStatus::Rejected, StageStatus::Canceled, StageStatus::Canceled]);
}

#[test]
fn a_vote_is_taken_back_while_the_stage_is_open() {
    let given = vec![request(Offboard, 0, None), answer(Stage::Approval, voter(ANN), Answer::Rejected)];
    let reset = |identity| Command::Reset { stage: Stage::Approval, voter: voter(identity) };
    let event = Event::PersonnelStageReset { stage: Stage::Approval, responder: Some(ANN) };
    then(given.clone(), reset(ANN), vec![event]);
    conflict(given.clone(), reset(BEN), "There is no answer of yours to take back");
    let changed_her_mind = vec![reset(ANN), approve(Stage::Approval)];
    let approved = and(given, changed_her_mind);
    assert_eq!(status(approved.clone()), Status::Open);
    conflict(approved, reset(ANN), "The stage Approval is completed");
}

// Work

#[test]
fn work_begins_once_it_is_approved_and_due() {
    let nothing = "No stage of the personnel event can begin now";
    conflict(vec![request(Offboard, 0, None)], start(1), nothing);
    conflict(vec![request(Offboard, 5, None), approve(Stage::Approval)], start(1), nothing);
    let given = vec![request(Offboard, 0, None), approve(Stage::Approval)];
    then(given.clone(), start(1), vec![started(Stage::Provision)]);
    conflict(and(given, vec![start(1)]), start(1), nothing);
}

#[test]
fn work_is_done_when_every_access_request_is() {
    let command = Command::Complete { stage: Stage::Provision, outstanding: vec![17, 18], by: desk(), at: day(2) };
    let message = "Access requests are not yet provisioned or canceled: 17, 18";
    conflict(begun(Offboard, None), command, message);
    then(
        begun(Offboard, None),
        complete(Stage::Provision),
        vec![completed(Stage::Provision, desk(), 2), started(Stage::Verification)],
    );
    then(begun(Absence, Some(9)), complete(Stage::Provision), vec![completed(Stage::Provision, desk(), 2)]);
}

#[test]
fn stages_come_in_their_order() {
    let given = vec![request(Offboard, 0, None)];
    conflict(given.clone(), complete(Stage::Provision), "The stage Provision isn't open; the current one is Approval");
    conflict(given, approve(Stage::Verification), "The stage Verification isn't open; the current one is Approval");
    conflict(resolved(), complete(Stage::Provision), "The stage Provision is completed");
    conflict(resolved(), approve(Stage::Approval), "The stage Approval is completed");
}

#[test]
fn a_stage_that_the_event_does_not_have_is_not_found() {
    let message = "The personnel event has no stage Transition In; it has Approval, Provision, Verification";
    refused(begun(Offboard, None), complete(Stage::TransitionIn), Refusal::NotFound(message.to_owned()));
}

#[test]
fn work_is_completed_and_questions_are_answered() {
    let work = "The stage Provision is work: it is completed, not answered";
    conflict(begun(Offboard, None), approve(Stage::Provision), work);
    conflict(
        begun(Offboard, None),
        Command::Reset { stage: Stage::Provision, voter: administrator() },
        "The stage Provision is work: it is completed, not answered",
    );
    let question = "The stage Approval is answered with approve or reject";
    conflict(vec![request(Offboard, 0, None)], complete(Stage::Approval), question);
}

#[test]
fn stages_follow_the_access_requests() {
    let given = begun(Offboard, None);
    then(given.clone(), settle(false, false), vec![]);
    let provisioned = vec![completed(Stage::Provision, desk(), 3), started(Stage::Verification)];
    then(given.clone(), settle(true, false), provisioned.clone());
    let verified = vec![completed(Stage::Verification, desk(), 3), Event::PersonnelEventCompleted { at: day(3) }];
    then(given.clone(), settle(true, true), [provisioned, verified.clone()].concat());
    then(and(given, vec![settle(true, false)]), settle(true, true), verified);
    then(vec![request(Offboard, 0, None)], settle(true, true), vec![]);
}

#[test]
fn what_no_access_request_stands_for_somebody_must_say_to_be_done() {
    let nothing_to_request = Command::Start { requests: vec![], at: day(1) };
    let joining = vec![request(Onboard, 0, None), approve(Stage::Approval), nothing_to_request.clone()];
    then(joining.clone(), settle(true, true), vec![]);
    assert_eq!(status(and(joining, vec![complete(Stage::Provision)])), Status::Resolved);
    // Who has no access has nothing to lose.
    let leaving = vec![request(Offboard, 0, None), approve(Stage::Approval), nothing_to_request];
    assert_eq!(status(and(leaving, vec![settle(true, true)])), Status::Completed);
}

// Verification

#[test]
fn responders_verify() {
    then(
        and(resolved(), vec![answer(Stage::Verification, voter(ANN), Answer::Approved)]),
        answer(Stage::Verification, voter(BEN), Answer::Approved),
        vec![
            answered(Stage::Verification, BEN, person(BEN), Answer::Approved),
            completed(Stage::Verification, person(BEN), 1),
            Event::PersonnelEventCompleted { at: day(1) },
        ],
    );
}

#[test]
fn what_responders_find_undone_is_worked_on_again() {
    let given = and(resolved(), vec![answer(Stage::Verification, voter(ANN), Answer::Approved)]);
    then(
        given.clone(),
        answer(Stage::Verification, voter(BEN), Answer::Rejected),
        vec![
            answered(Stage::Verification, BEN, person(BEN), Answer::Rejected),
            Event::PersonnelStageRejected { stage: Stage::Verification, at: day(1) },
            Event::PersonnelStageReopened { stage: Stage::Provision },
        ],
    );
    let again = and(given, vec![answer(Stage::Verification, voter(BEN), Answer::Rejected)]);
    let (state, _) = done(again.clone());
    assert_eq!(state.status(), Status::Open);
    let shown: Vec<StageStatus> = state.stages.iter().map(|stage| stage.status(&state)).collect();
    assert_eq!(shown, [StageStatus::Completed, StageStatus::Open, StageStatus::Pending]);
    then(again.clone(), settle(true, true), vec![]);
    let done_now = and(again, vec![complete(Stage::Provision)]);
    assert_eq!(status(done_now.clone()), Status::Resolved);
    assert_eq!(done(done_now.clone()).0.stages[2].ballot, Some(Ballot::of(vec![ANN, BEN])), "all answer anew");
    assert_eq!(status(and(done_now, vec![approve(Stage::Verification)])), Status::Completed);
}

#[test]
fn the_last_work_is_what_is_done_again() {
    let given = and(begun(RoleTransition, Some(9)), vec![complete(Stage::TransitionIn), start(9)]);
    let (state, _) = done(and(given, vec![complete(Stage::TransitionOut), reject(Stage::Verification)]));
    let reopened: Vec<Stage> = state.stages.iter().filter(|stage| stage.is_reopened).map(|stage| stage.stage).collect();
    assert_eq!((reopened, state.status()), (vec![Stage::TransitionOut], Status::Open));
}

// The end, and what can be said on the way

#[test]
fn an_event_is_canceled_with_a_reason_or_without() {
    let event = |reason: &str| Event::PersonnelEventCanceled { reason: reason.to_owned(), by: hr(), at: day(4) };
    then(begun(Absence, Some(9)), cancel(), vec![event("Canceled")]);
    let stays = Command::Cancel { reason: Some("She stays".to_owned()), by: hr(), at: day(4) };
    then(resolved(), stays, vec![event("She stays")]);
}

#[test]
fn nothing_happens_to_an_event_that_has_ended() {
    let canceled = and(resolved(), vec![cancel()]);
    let completed = and(resolved(), vec![settle(true, true)]);
    for (given, word) in [(canceled, "Canceled"), (completed, "Completed")] {
        for command in commands() {
            conflict(given.clone(), command, &format!("The personnel event is {word}"));
        }
        let (state, _) = done(given.clone());
        assert_eq!((state.wakes_at(), state.startable(day(99))), (None, None));
        assert!(done(and(given, vec![comment("The badge came by mail")])).0.comments.len() == 1);
    }
}

#[test]
fn a_comment_says_something_and_not_too_much() {
    let invalid = |message: &str| Refusal::field("comment", message);
    refused(begun(Offboard, None), comment(" "), invalid("Comment is required"));
    let long = "x".repeat(4001);
    let too_long = invalid("Comment has 4001 characters; at most 4000 are allowed");
    refused(begun(Offboard, None), comment(&long), too_long.clone());
    let reason = Command::Cancel { reason: Some(long.clone()), by: hr(), at: day(4) };
    refused(begun(Offboard, None), reason, too_long.clone());
    let why = Command::Answer {
        stage: Stage::Approval,
        voter: voter(ANN),
        answer: Answer::Approved,
        comment: Some(long),
        new_identity: JOINER,
        at: day(1),
    };
    refused(vec![request(Offboard, 0, None)], why, too_long);
}

#[test]
fn somebody_looks_after_an_event_or_nobody() {
    let assigned = |assignee_id| Event::PersonnelEventAssigned { assignee_id };
    then(resolved(), Command::Assign(Some(EVE)), vec![assigned(Some(EVE))]);
    then(and(resolved(), vec![Command::Assign(Some(EVE))]), Command::Assign(Some(EVE)), vec![]);
    then(and(resolved(), vec![Command::Assign(Some(EVE))]), Command::Assign(None), vec![assigned(None)]);
    then(resolved(), Command::Assign(None), vec![]);
}
