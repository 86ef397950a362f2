//! From the approval to the proof, and back.

use super::*;

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
