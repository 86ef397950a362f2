//! Certifications, rows and runs in random logs: what the tables say of them is what the aggregates do.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aggregates::access_request::Evidence;
use aggregates::automation_run::{AutomationRun, AutomationRunCommand as RunCommand, Field, Plan, Status};
use aggregates::automation_run_rows::{self, AutomationRunRowsEvent, Counts, Entry, Outcome};
use aggregates::certification::{
    Assignment, Certification, CertificationCommand, CertificationDefinition, Completeness, Proposed, State,
};
use aggregates::certification_row::{
    self, Applied, CertificationRow, CertificationRowCommand as RowCommand, Change, Decision, NotificationStatus,
    Reviewer, Setting, Standing,
};
use aggregates::certification_rows::{self, BLOCK, CertificationRowsEvent, Destination, Row, Source, SourceIdentity};
use aggregates::{DomainEvent, ids};
use muniment::journal::StreamId;
use projections::certifications::{find, states};
use proptest::prelude::*;
use uuid::Uuid;

use super::{Happened, at, attributes, automation_id, decide, identity_id, import_id, party, workflow_id};
use crate::support::journal::Log;

/// What happens next follows from where a certification, a row or a run stands; `change` chooses.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Certification { certification: u8, change: u8 },
    Row { certification: u8, row: u8, change: u8 },
    Run { certification: u8, run: u8, change: u8 },
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0_u8..2, 0_u8..24).prop_map(|(certification, change)| Step::Certification { certification, change }),
        5 => (0_u8..2, 0_u8..8, 0_u8..10).prop_map(|(certification, row, change)| Step::Row { certification, row, change }),
        4 => (0_u8..2, 0_u8..3, 0_u8..8).prop_map(|(certification, run, change)| Step::Run { certification, run, change }),
    ]
}

fn certification_id(number: u8) -> Uuid {
    Uuid::from_u128(0x8000 + u128::from(number))
}

/// A certification as the aggregates have it.
#[derive(Default)]
struct Review {
    certification: Certification,
    blocks: u32,
    sources: u32,
    destinations: u32,
    rows: BTreeMap<u32, Known>,
    runs: Vec<Run>,
}

#[derive(Default)]
struct Known {
    row: CertificationRow,
    reviewers: Vec<Uuid>,
    identity_id: Uuid,
    version: i64,
}

struct Run {
    id: Uuid,
    state: AutomationRun,
    decided: BTreeSet<u32>,
    undone: BTreeSet<u32>,
    before: HashMap<u32, Standing>,
}

#[derive(Default)]
pub(super) struct Reviews(HashMap<u8, Review>);

impl Reviews {
    pub(super) async fn happens(&mut self, step: &Step) -> Vec<Happened> {
        match *step {
            Step::Certification { certification, change } => {
                self.0.entry(certification).or_default().moves(certification, change).await
            }
            Step::Row { certification, row, change } => {
                let review = self.0.entry(certification).or_default();
                let results: Vec<u32> = review.rows.keys().copied().collect();
                if results.is_empty() {
                    return Vec::new();
                }
                review.by_hand(certification, results[usize::from(row) % results.len()], change).await
            }
            Step::Run { certification, run, change } => {
                self.0.entry(certification).or_default().runs(certification, run, change).await
            }
        }
    }

    /// The tables say what the aggregates do.
    pub(super) async fn assert_shown(&self, log: &Log) {
        for (number, review) in &self.0 {
            let found = find(&log.pool, certification_id(*number)).await.unwrap();
            let Some(found) = found else {
                assert_eq!(review.certification.definition, None);
                continue;
            };
            assert_eq!(found.state, review.certification.state.as_str());
            let shown = states(&log.pool, &found, (0, u32::MAX), None).await.unwrap();
            let shown: Vec<_> =
                shown.into_iter().map(|row| (row.result_id, row.row, row.reviewers, row.version)).collect();
            let expected: Vec<_> = review
                .rows
                .iter()
                .map(|(result, known)| {
                    let row = CertificationRow { reviewers: None, ..known.row.clone() };
                    (*result, row, known.reviewers.clone(), known.version)
                })
                .collect();
            assert_eq!(shown, expected);
            let count =
                |is: fn(&Standing) -> bool| review.rows.values().filter(|known| is(&known.row.standing)).count() as i64;
            let expected = [
                review.rows.len() as i64,
                count(|standing| standing.decision == Decision::Accepted),
                count(|standing| standing.decision == Decision::Rejected),
                count(|standing| standing.decision == Decision::Fixed),
                count(|standing| standing.is_signed_off),
            ];
            let counts = [
                found.total_count,
                found.accepted_count,
                found.rejected_count,
                found.fixed_count,
                found.signed_off_count,
            ];
            assert_eq!(counts, expected);
            for run in &review.runs {
                let shown = projections::automation_runs::find(&log.pool, run.id).await.unwrap().unwrap();
                assert_eq!(shown.status, run.state.status.as_str());
                let blocks = projections::automation_runs::blocks(&log.pool, run.id).await.unwrap();
                let expected: Vec<_> =
                    run.decided.iter().map(|block| (*block as i32, run.undone.contains(block))).collect();
                assert_eq!(blocks, expected);
            }
        }
    }
}

impl Review {
    async fn moves(&mut self, number: u8, change: u8) -> Vec<Happened> {
        let id = certification_id(number);
        let command = match (&self.certification.definition, self.certification.state, change % 8) {
            (None, ..) => CertificationCommand::Create(Box::new(proposed(number))),
            (_, State::Searching, 0..=3) => return self.record(id, change % 8),
            (_, State::Searching, 4) => CertificationCommand::Claim { worker: "worker".to_owned() },
            (_, State::Searching, _) => {
                let run_id = (change % 8 > 5).then(|| Uuid::from_u128(0x9000 + 16 * u128::from(number)));
                let completeness = Completeness { rows_in_feeds: u64::from(change), ..Completeness::default() };
                let command = CertificationCommand::CompleteSearch { completeness, run_id };
                let mut events = decide(&mut self.certification, id, command).await;
                if run_id.is_some() {
                    events.extend(self.start(number, Plan::Automations { automations: Vec::new() }).await);
                }
                return events;
            }
            // Reviews are long.
            _ if change < 20 => return Vec::new(),
            (_, _, 7) => CertificationCommand::Complete,
            (_, _, 6) => CertificationCommand::Expire { at: at() + chrono::TimeDelta::days(60) },
            _ => return Vec::new(),
        };
        decide(&mut self.certification, id, command).await
    }

    /// A block, which needn't be full here.
    fn record(&mut self, certification_id: Uuid, change: u8) -> Vec<Happened> {
        let (block, first_source, first_destination) = (self.blocks, self.sources, self.destinations);
        let sources: Vec<Source> = (0..=u32::from(change) / 2).map(|at| source(first_source + at)).collect();
        let destinations: Vec<Destination> =
            (0..u32::from(change).max(1)).map(|at| destination(first_destination + at)).collect();
        self.blocks += 1;
        self.sources += sources.len() as u32;
        self.destinations += destinations.len() as u32;
        let reviewers = vec![vec![identity_id(0)], vec![], vec![identity_id(1), identity_id(2)]];
        let rows: Vec<Row> = (0..u32::from(change) + 2)
            .map(|at| Row {
                source: first_source + at % sources.len() as u32,
                destination: at % self.destinations,
                granted_at: self::at(),
                attributes: attributes(at as u8 % 3),
                previous: (at > 1).then_some(at),
                is_unchanged: at > 2,
                reviewers: at % 3,
            })
            .collect();
        for (at, row) in rows.iter().enumerate() {
            let known = Known {
                reviewers: reviewers[row.reviewers as usize].clone(),
                identity_id: source(row.source).identity.id,
                ..Known::default()
            };
            self.rows.insert(block * BLOCK + at as u32, known);
        }
        let event = CertificationRowsEvent::CertificationRowsRecorded {
            certification_id,
            block,
            first_source,
            sources,
            first_destination,
            destinations,
            reviewers,
            rows,
        };
        let aggregate_id = certification_rows::stream(certification_id, block).to_string();
        vec![(StreamId { aggregate_type: certification_rows::TYPE, aggregate_id }, event.into())]
    }

    fn setting(&self, number: u8, result_id: u32) -> Setting {
        let known = &self.rows[&result_id];
        Setting {
            certification_id: certification_id(number),
            result_id,
            phase: self.certification.state.phase((self.certification.state != State::InProgress).then(at), at()),
            identity_id: known.identity_id,
            reviewers: known.reviewers.clone(),
            is_self_review_allowed: false,
        }
    }

    fn request_id(&self, number: u8, result: u32) -> Uuid {
        let row = certification_row::stream(certification_id(number), result);
        ids::native(row, "access_request", &self.rows[&result].version.to_string())
    }

    async fn row(&mut self, number: u8, result: u32, command: RowCommand) -> Vec<Happened> {
        let known = self.rows.get_mut(&result).unwrap();
        let events = decide(&mut known.row, certification_row::stream(certification_id(number), result), command).await;
        known.version += events.len() as i64;
        if let Some(reviewers) = &known.row.reviewers {
            known.reviewers.clone_from(reviewers);
        }
        events
    }

    async fn by_hand(&mut self, number: u8, result: u32, change: u8) -> Vec<Happened> {
        let setting = self.setting(number, result);
        let said = |decision| Change { decision: Some(decision), ..Change::default() };
        let (wanted, is_forced) = match change {
            0 => (said(Decision::Accepted), false),
            1 | 2 => (said(Decision::Rejected), change == 2),
            3 => (Change { notes: Some(" ".to_owned()), ..said(Decision::None) }, false),
            4 => {
                (Change { is_signed_off: Some(true), notes: Some("Signed Off".to_owned()), ..Change::default() }, false)
            }
            5 => (Change { is_signed_off: Some(false), ..Change::default() }, true),
            6 => (said(Decision::Fixed), true),
            7 | 8 => (Change::default(), false),
            _ => {
                let evidence = Evidence { application_import_id: import_id(0), number: 1, position: 1 };
                return self.row(number, result, RowCommand::Fix { setting, evidence }).await;
            }
        };
        let command = RowCommand::Decide {
            setting,
            by: Reviewer { party: party(), is_administrator: true },
            change: wanted,
            reviewers: (change == 7).then(|| vec![identity_id((result % 3) as u8)]),
            notification_status: (change == 8).then_some(NotificationStatus::ALL[1 + result as usize % 3]),
            is_forced,
            run_id: None,
            request_id: self.request_id(number, result),
        };
        self.row(number, result, command).await
    }

    async fn start(&mut self, number: u8, plan: Plan) -> Vec<Happened> {
        let id = Uuid::from_u128(0x9000 + 16 * u128::from(number) + self.runs.len() as u128);
        let mut run = AutomationRun::default();
        let command = RunCommand::Start { certification_id: certification_id(number), plan };
        let events = decide(&mut run, id, command).await;
        let (decided, undone) = (BTreeSet::new(), BTreeSet::new());
        self.runs.push(Run { id, state: run, decided, undone, before: HashMap::new() });
        events
    }

    async fn runs(&mut self, number: u8, run: u8, change: u8) -> Vec<Happened> {
        if self.certification.state != State::InProgress {
            return Vec::new();
        }
        if self.runs.is_empty() || (change == 7 && self.runs.len() < 3) {
            let plan = Plan::Decision {
                filter: String::new(),
                mutable_filter: String::new(),
                change: Change { decision: Some(Decision::Rejected), ..Change::default() },
                by: party(),
                is_administrator: true,
                rows: self.rows.keys().copied().collect(),
                position: 0,
                not_theirs: u64::from(change),
            };
            return self.start(number, plan).await;
        }
        let place = usize::from(run) % self.runs.len();
        let (id, status) = (self.runs[place].id, self.runs[place].state.status);
        let counts = vec![Counts { matched: 1, ..Counts::default() }];
        let Run { decided, undone, .. } = &self.runs[place];
        let undecided = (0..self.blocks).find(|block| !decided.contains(block));
        let not_undone = decided.iter().copied().find(|block| !undone.contains(block));
        let command = match (status, change) {
            (Status::Running | Status::Undoing, 6) => RunCommand::Claim { worker: "worker".to_owned() },
            (Status::Running, 5) => RunCommand::Fail { message: "gone".to_owned(), counts },
            (Status::Running, _) => match undecided {
                Some(block) => return self.decide_block(number, place, block, change).await,
                None => RunCommand::Complete { counts },
            },
            (Status::Completed | Status::Error, 0..=3) => RunCommand::Undo,
            (Status::Undoing, _) => match not_undone {
                Some(block) => return self.undo_block(number, place, block).await,
                None => RunCommand::CompleteUndo { reversed: 1, kept: 2 },
            },
            _ => return Vec::new(),
        };
        decide(&mut self.runs[place].state, id, command).await
    }

    fn of_block(&self, block: u32) -> Vec<u32> {
        self.rows.range(block * BLOCK..(block + 1) * BLOCK).map(|(result, _)| *result).collect()
    }

    async fn decide_block(&mut self, number: u8, place: usize, block: u32, change: u8) -> Vec<Happened> {
        let run_id = self.runs[place].id;
        let (mut events, mut log) = (Vec::new(), Vec::new());
        for result_id in self.of_block(block) {
            let change = Change {
                decision: Some(Decision::ALL[1 + usize::from(change) % 3]),
                notes: (change > 2).then(|| format!("Notes {change}")),
                is_signed_off: (change == 4).then_some(true),
            };
            let (setting, request_id) = (self.setting(number, result_id), self.request_id(number, result_id));
            let was = self.rows[&result_id].row.standing.clone();
            let by = Reviewer { party: party(), is_administrator: true };
            let command = match place {
                0 => RowCommand::Automate {
                    setting,
                    run_id,
                    automations: vec![Applied { id: automation_id(0), name: "A".to_owned(), notes: String::new() }],
                    change,
                    request_id,
                },
                _ => RowCommand::Decide {
                    setting,
                    by,
                    change,
                    reviewers: None,
                    notification_status: None,
                    is_forced: false,
                    run_id: Some(run_id),
                    request_id,
                },
            };
            let happened = self.row(number, result_id, command).await;
            let outcome = if happened.is_empty() { Outcome::Unchanged } else { Outcome::Changed };
            if outcome == Outcome::Changed {
                self.runs[place].before.insert(result_id, was);
            }
            log.push(Entry { result_id, automations: vec![0], outcome, conflicts: vec![Field::Decision] });
            events.extend(happened);
        }
        self.runs[place].decided.insert(block);
        let counts = vec![Counts { matched: log.len() as u64, ..Counts::default() }];
        let certification_id = certification_id(number);
        let event = AutomationRunRowsEvent::AutomationRunRowsDecided { run_id, certification_id, block, counts, log };
        events.push(of_run(run_id, block, event));
        events
    }

    async fn undo_block(&mut self, number: u8, place: usize, block: u32) -> Vec<Happened> {
        let run_id = self.runs[place].id;
        let (mut events, mut reversed) = (Vec::new(), 0);
        for result_id in self.of_block(block) {
            let Some(to) = self.runs[place].before.get(&result_id).cloned() else { continue };
            let (setting, request_id) = (self.setting(number, result_id), self.request_id(number, result_id));
            let happened =
                self.row(number, result_id, RowCommand::Undo { setting, run_id, by: party(), to, request_id }).await;
            reversed += happened.len() as u64;
            events.extend(happened);
        }
        self.runs[place].undone.insert(block);
        let certification_id = certification_id(number);
        let event =
            AutomationRunRowsEvent::AutomationRunRowsUndone { run_id, certification_id, block, reversed, kept: 1 };
        events.push(of_run(run_id, block, event));
        events
    }
}

fn of_run(run: Uuid, block: u32, event: AutomationRunRowsEvent) -> Happened {
    let aggregate_id = automation_run_rows::stream(run, block).to_string();
    (StreamId { aggregate_type: automation_run_rows::TYPE, aggregate_id }, DomainEvent::from(event))
}

fn proposed(number: u8) -> Proposed {
    let definition = CertificationDefinition {
        workflow_id: workflow_id(number),
        name: format!("Certification {number}"),
        notes: String::new(),
        application_ids: Vec::new(),
        filter: String::new(),
        reviewers: Assignment::default(),
        is_self_review_allowed: false,
        due_at: (number > 0).then(|| at() + chrono::TimeDelta::days(30)),
        history_id: None,
        automations: Vec::new(),
    };
    Proposed { definition, wrong_people: BTreeMap::new(), unattached: Vec::new(), at: at() }
}

fn source(number: u32) -> Source {
    let text = |word: &str| format!("{word} {number}");
    Source {
        id: Uuid::from_u128(0xA000 + u128::from(number)),
        r#type: None,
        name: text("Account"),
        key: text("account"),
        email: number.is_multiple_of(2).then(|| text("MAIL")),
        employee_id: None,
        datasource_id: Uuid::from_u128(0xB000),
        datasource_name: "Ledger".to_owned(),
        is_active: true,
        last_login_at: number.is_multiple_of(3).then(at),
        attributes: attributes(number as u8 % 3),
        identity: SourceIdentity {
            id: identity_id(3 + number as u8 % 2),
            r#type: "Employee".to_owned(),
            status: "Active".to_owned(),
            is_active: true,
            first_name: Some(text("First")),
            last_name: None,
            display_name: None,
            email: None,
            employee_id: None,
            title: None,
            company: None,
            division: None,
            department: None,
            office: None,
            supervisor: None,
            supervisor_id: None,
            created_date: None,
            updated_date: None,
            inactivated_date: None,
            attributes: BTreeMap::new(),
        },
    }
}

fn destination(number: u32) -> Destination {
    Destination {
        id: Uuid::from_u128(0xC000 + u128::from(number)),
        r#type: None,
        name: format!("Right {number}"),
        key: format!("right {number}"),
        description: None,
        owner: None,
        datasource_id: Uuid::from_u128(0xB000),
        datasource_name: "Ledger".to_owned(),
        is_active: true,
        is_privileged: number.is_multiple_of(2).then_some(true),
        attributes: attributes(number as u8 % 2),
    }
}
