//! Random commands, legal and illegal, at random times, by whoever may and may not: an event stays within its diagram.

use std::collections::BTreeSet;

use cqrs_es::Aggregate;

use super::*;
use crate::Stream;
use crate::chance::Chance;

/// One event's life: who has left, what time it is, what happened.
struct Walk {
    chance: Chance,
    now: DateTime<Utc>,
    departed: Vec<Uuid>,
    state: PersonnelEvent,
    history: Vec<Event>,
}

impl Walk {
    fn new(seed: u64) -> Self {
        Self {
            chance: Chance(seed),
            now: day(0),
            departed: Vec::new(),
            state: PersonnelEvent::default(),
            history: Vec::new(),
        }
    }

    /// The current stage most of the time: any other is refused.
    fn stage(&mut self) -> Stage {
        match self.state.current() {
            Some(current) if self.chance.percent(80) => current.stage,
            _ => self.chance.pick(&Stage::ALL),
        }
    }

    fn voter(&mut self) -> Voter {
        let party = match self.chance.below(6) {
            0 => hr(),
            1 => person(ANN),
            2 => person(BEN),
            3 => self.chance.pick(&[person(EVE).identity_id, Some(PERSON), Some(JOINER)]).map_or_else(hr, person),
            _ => token("admin"),
        };
        Voter {
            is_administrator: party.name == "admin" || self.chance.percent(10),
            responder: self.chance.percent(20).then(|| self.chance.pick(&[ANN, BEN, EVE])),
            departed: self.departed.clone(),
            party,
        }
    }

    fn time(&mut self) -> DateTime<Utc> {
        self.now + TimeDelta::days(self.chance.below(30) as i64 - 5)
    }

    /// Nothing, something or too much.
    fn text(&mut self) -> String {
        "x".repeat(self.chance.pick(&[0, 7, 7, 7, 4001]))
    }

    fn command(&mut self, kind: PersonnelEventType, has_end: bool) -> Command {
        let (at, by) = (self.now, desk());
        if self.state.request.is_none() && self.chance.percent(90) || self.chance.percent(1) {
            let effective_at = self.time();
            let end_at = has_end.then(|| effective_at + TimeDelta::days(1 + self.chance.below(20) as i64));
            let request = Requested { effective_at, end_at, ..requested(kind, 0, None) };
            let responders = match self.chance.below(3) {
                0 => vec![],
                1 => vec![ANN],
                _ => vec![ANN, BEN, PERSON],
            };
            return Command::Request { request, reporter: hr(), responders, at };
        }
        match self.chance.below(30) {
            0..8 => Command::Answer {
                stage: self.stage(),
                voter: self.voter(),
                answer: if self.chance.percent(75) { Answer::Approved } else { Answer::Rejected },
                comment: self.chance.percent(20).then(|| self.text()),
                new_identity: JOINER,
                at,
            },
            8 => Command::Reset { stage: self.stage(), voter: self.voter() },
            9..12 => Command::Wake { at },
            12..17 => Command::Start { requests: vec![Uuid::from_u128(100); self.chance.below(3) as usize], at },
            17..21 => {
                let outstanding = vec![17; self.chance.below(2) as usize];
                Command::Complete { stage: self.stage(), outstanding, by, at }
            }
            21..25 => {
                let is_provisioned = self.chance.percent(50);
                // What isn't provisioned can't be verified.
                Command::Settle { is_provisioned, is_verified: is_provisioned && self.chance.percent(40), by, at }
            }
            25 => Command::Assign(self.chance.pick(&[None, Some(ANN), Some(BEN)])),
            26 => Command::Comment(Comment { by, at, text: self.text() }),
            27..29 => Command::Reschedule {
                effective_at: self.chance.percent(60).then(|| self.time()),
                end_at: self.chance.percent(60).then(|| self.time()),
                today: at,
                at,
            },
            _ if self.chance.percent(40) => Command::Cancel { reason: None, by, at },
            _ => Command::Wake { at },
        }
    }

    /// Handles one command: did it happen?
    async fn step(&mut self, command: Command) -> Option<Vec<Event>> {
        let before = self.state.clone();
        let sink = EventSink::default();
        let result = self.state.handle(command, &(), &sink).await;
        let events = sink.collect().await;
        if result.is_err() {
            assert_eq!((&self.state, events), (&before, vec![]), "a refused command changes nothing");
            return None;
        }
        self.history.extend(events.clone());
        Some(events)
    }
}

/// Stages are completed in order, at most one is open, and it is the first that isn't completed.
fn assert_order(state: &PersonnelEvent) {
    let is_completed: Vec<bool> = state.stages.iter().map(StageState::is_completed).collect();
    assert!(is_completed.is_sorted_by(|before, after| before >= after), "{is_completed:?}");
    let open: Vec<Stage> = state.stages.iter().filter(|stage| stage.is_open).map(|stage| stage.stage).collect();
    assert!(open.len() <= 1, "{open:?}");
    assert!(open.iter().all(|stage| state.current().is_some_and(|current| current.stage == *stage)));
}

#[tokio::test]
async fn an_event_stays_within_its_diagram_whatever_comes() {
    let (mut starts, mut walked) = (BTreeSet::new(), BTreeSet::new());
    let mut ended = BTreeSet::new();
    for seed in 0..480 {
        let kind = PersonnelEventType::ALL[(seed % 4) as usize];
        // An offboarding has no end date.
        let has_end = seed / 4 % 2 == 0 && kind != Offboard;
        let mut walk = Walk::new(seed);
        for _ in 0..70 {
            walk.now += TimeDelta::hours(walk.chance.below(48) as i64);
            if walk.chance.percent(2) {
                walk.departed.push(walk.chance.pick(&[ANN, BEN]));
            }
            let command = walk.command(kind, has_end);
            let (existed, before) = (walk.state.request.is_some(), walk.state.status());
            let claims = walk.state.claims();
            let what = command.clone();
            let shown = || format!("seed {seed}, {before:?}: {what:?}");
            let Some(events) = walk.step(command).await else { continue };
            let after = walk.state.status();
            if !existed {
                starts.insert(after);
            } else if before != after {
                assert!(
                    TRANSITIONS.iter().any(|(from, to, _)| (*from, *to) == (before, after)),
                    "{}: {after:?}",
                    shown()
                );
                walked.insert((before, after));
            }
            if existed && before.is_terminal() {
                let are_remarks = events.iter().all(|event| matches!(event, Event::PersonnelEventCommented { .. }));
                assert!(are_remarks, "{}: {events:?}", shown());
            }
            if existed {
                // Another event that began meanwhile can't make this one's command fail.
                let is_approved = |event: &Event| matches!(event, Event::PersonnelIdentityCreated { .. });
                let is_new = walk.state.claims().iter().any(|claim| !claims.contains(claim));
                assert!(!is_new || events.iter().any(is_approved), "{}: {:?}", shown(), walk.state.claims());
            }
            assert_order(&walk.state);
            assert_eq!(after.is_terminal(), walk.state.completed_at.is_some(), "{}", shown());
            ended.extend(after.is_terminal().then_some((kind.as_str(), has_end, after)));
        }
        let mut folded = PersonnelEvent::default();
        for event in &walk.history {
            folded.apply(event.clone());
        }
        assert_eq!(folded, walk.state, "seed {seed}");
    }
    assert_eq!(starts, STARTS.iter().map(|(status, _)| *status).collect());
    assert_eq!(walked, TRANSITIONS.iter().map(|(from, to, _)| (*from, *to)).collect());
    assert_eq!(ended.len(), 7 * 2, "every kind of event ends well and badly: {ended:?}");
}
