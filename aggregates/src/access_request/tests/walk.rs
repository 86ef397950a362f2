//! Random commands, legal and illegal, at random times, by whoever may and may not: a request stays within its diagram.

use std::collections::BTreeSet;

use cqrs_es::Aggregate;

use super::*;
use crate::chance::Chance;

/// Nothing, something or too much.
fn text(chance: &mut Chance) -> String {
    "x".repeat(chance.pick(&[0, 7, 7, 7, 4001]))
}

fn anybody(chance: &mut Chance, departed: &[Uuid]) -> Voter {
    let party = match chance.below(5) {
        0 => token("HR"),
        1 => person(ANN),
        2 => person(BEN),
        3 => person(JANE),
        _ => token("admin"),
    };
    Voter {
        is_administrator: party.name == "admin" || chance.percent(10),
        responder: chance.percent(20).then(|| chance.pick(&[ANN, BEN, JANE])),
        departed: departed.to_vec(),
        party,
    }
}

fn command(chance: &mut Chance, exists: bool, at: DateTime<Utc>, departed: &[Uuid]) -> Command {
    let by = desk();
    if !exists && chance.percent(90) || chance.percent(1) {
        let needed_at = chance.percent(50).then(|| at + TimeDelta::days(chance.below(20) as i64 - 3));
        let request = RequestedAccess { needed_at, ..requested(chance.pick(&Action::ALL), None) };
        let responders = [vec![], vec![ANN], vec![ANN, BEN, JANE]][chance.below(3) as usize].clone();
        let is_approved = chance.percent(40);
        return Command::Request { request, reporter: token("HR"), responders, is_approved, at };
    }
    match chance.below(24) {
        0..6 => Command::Answer {
            voter: anybody(chance, departed),
            answer: if chance.percent(75) { Answer::Approved } else { Answer::Rejected },
            comment: chance.percent(20).then(|| text(chance)),
            at,
        },
        6 => Command::Reset(anybody(chance, departed)),
        7..10 => Command::Wake { at },
        10..13 => Command::Provision { by, at },
        13 => Command::Fail { reason: text(chance), by, at },
        14..16 => Command::Verify { evidence: Some(import(7)), by, at },
        16..18 => Command::Verify { evidence: None, by, at },
        18..21 => Command::Reopen { evidence: import(8), at },
        21 => Command::Assign(chance.pick(&[None, Some(ANN), Some(BEN)])),
        22 => Command::Comment(Comment { by, at, text: text(chance) }),
        _ if chance.percent(30) => Command::Cancel { reason: None, by, at },
        _ => Command::Wake { at },
    }
}

#[tokio::test]
async fn a_request_stays_within_its_diagram_whatever_comes() {
    let (mut starts, mut walked) = (BTreeSet::new(), BTreeSet::new());
    for seed in 0..400 {
        let mut chance = Chance(seed);
        let (mut now, mut departed) = (day(0), Vec::new());
        let (mut state, mut history) = (AccessRequest::default(), Vec::new());
        for _ in 0..50 {
            now += TimeDelta::hours(chance.below(48) as i64);
            if chance.percent(2) {
                departed.push(chance.pick(&[ANN, BEN]));
            }
            let (existed, before, then) = (state.request.is_some(), state.status(), state.clone());
            let command = command(&mut chance, existed, now, &departed);
            let what = command.clone();
            let shown = || format!("seed {seed}, {before:?}: {what:?}");
            let sink = EventSink::default();
            let result = state.handle(command, &(), &sink).await;
            let events = sink.collect().await;
            if result.is_err() {
                assert_eq!((&state, events), (&then, vec![]), "a refused command changes nothing: {}", shown());
                continue;
            }
            let after = state.status();
            if !existed {
                starts.insert(after);
            } else if before != after {
                let is_known = TRANSITIONS.iter().any(|(from, to, _)| (*from, *to) == (before, after));
                assert!(is_known, "{}: {after:?}", shown());
                walked.insert((before, after));
            }
            if existed && before.is_terminal() {
                // An end is an end, but for a remark and for a later import that shows otherwise.
                let is_over = |event: &Event| match event {
                    Event::AccessRequestCommented { .. } => true,
                    Event::AccessRequestReopened { .. } => before == Status::Completed,
                    _ => false,
                };
                assert!(events.iter().all(is_over), "{}: {events:?}", shown());
            }
            assert_eq!(after.is_terminal(), state.completed_at.is_some(), "{}", shown());
            assert_eq!(after == Status::Completed, state.provisioning == Provisioning::Verified, "{}", shown());
            assert!(!state.is_finding || state.evidence.is_some(), "{}", shown());
            history.extend(events);
        }
        let mut folded = AccessRequest::default();
        for event in history {
            folded.apply(event);
        }
        assert_eq!(folded, state, "seed {seed}");
    }
    assert_eq!(starts, STARTS.iter().map(|(status, _)| *status).collect());
    assert_eq!(walked, TRANSITIONS.iter().map(|(from, to, _)| (*from, *to)).collect());
}
