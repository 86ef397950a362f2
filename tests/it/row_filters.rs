//! A filter over the rows of a certification means the same rows in Rust and in PostgreSQL: every attribute that it can name, and
//! what was decided last time (rulings 33).

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use aggregates::certification::{Assignment, Certification, CertificationDefinition, CertificationEvent, Completeness};
use aggregates::certification_row::{
    self, Attribute, CertificationRow, CertificationRowEvent, Decision, Folded, SignedOffState, Standing, View,
};
use aggregates::certification_rows::{self, CertificationRowsEvent, Destination, Row, Source, SourceIdentity};
use aggregates::filter::{Filter, Kind};
use chrono::{DateTime, TimeDelta, Utc};
use muniment::journal::{Append, Expected, StreamId};
use projections::certifications::{Direction, Evaluation, Wanted, find, page};
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use uuid::Uuid;

use crate::support::journal::{Log, context};

/// Few pieces, so that texts meet; among them what folds, orders, escapes or counts in its own way.
const PIECES: &[&str] =
    &["a", "B", "é", "É", "ß", "Σ", "ς", "İ", " ", "%", "_", "\\", "'", "\"", "5", "-1.5", "true", "😀", "\u{85}"];
const CUSTOM: &[&str] = &["x", "Cost Centre", "É'"];

fn text() -> impl Strategy<Value = String> {
    vec(select(PIECES), 0..3).prop_map(|pieces| pieces.concat())
}

fn moment() -> impl Strategy<Value = DateTime<Utc>> {
    let base: DateTime<Utc> = "2026-03-15T00:00:00Z".parse().unwrap();
    (-2_i64..3).prop_map(move |micros| base + TimeDelta::microseconds(micros))
}

fn number() -> impl Strategy<Value = Uuid> {
    (0_u128..4).prop_map(Uuid::from_u128)
}

fn custom() -> impl Strategy<Value = BTreeMap<String, String>> {
    btree_map(select(CUSTOM).prop_map(str::to_owned), text(), 0..3)
}

fn identity() -> impl Strategy<Value = SourceIdentity> {
    let names = (of(text()), of(text()), of(text()), of(text()), of(text()));
    let place = (of(text()), of(text()), of(text()), of(text()), of(text()), of(text()));
    let times = (of(moment()), of(moment()), of(moment()));
    (number(), text(), text(), any::<bool>(), names, place, of(number()), times, custom()).prop_map(
        |(id, r#type, status, is_active, names, place, supervisor_id, times, attributes)| SourceIdentity {
            id,
            r#type,
            status,
            is_active,
            first_name: names.0,
            last_name: names.1,
            display_name: names.2,
            email: names.3,
            employee_id: names.4,
            title: place.0,
            company: place.1,
            division: place.2,
            department: place.3,
            office: place.4,
            supervisor: place.5,
            supervisor_id,
            created_date: times.0,
            updated_date: times.1,
            inactivated_date: times.2,
            attributes,
        },
    )
}

fn source() -> impl Strategy<Value = Source> {
    let texts = (of(text()), text(), text(), of(text()), of(text()), text());
    (number(), number(), texts, any::<bool>(), of(moment()), custom(), identity()).prop_map(
        |(id, datasource_id, texts, is_active, last_login_at, attributes, identity)| Source {
            id,
            r#type: texts.0,
            name: texts.1,
            key: texts.2,
            email: texts.3,
            employee_id: texts.4,
            datasource_id,
            datasource_name: texts.5,
            is_active,
            last_login_at,
            attributes,
            identity,
        },
    )
}

fn destination() -> impl Strategy<Value = Destination> {
    let texts = (of(text()), text(), text(), of(text()), of(text()), text());
    (number(), number(), texts, any::<bool>(), of(any::<bool>()), custom()).prop_map(
        |(id, datasource_id, texts, is_active, is_privileged, attributes)| Destination {
            id,
            r#type: texts.0,
            name: texts.1,
            key: texts.2,
            description: texts.3,
            owner: texts.4,
            datasource_id,
            datasource_name: texts.5,
            is_active,
            is_privileged,
            attributes,
        },
    )
}

/// A row by the places of its parts, and what was and is decided about it.
#[derive(Debug, Clone)]
struct Reviewed {
    row: Row,
    /// Of the same row in the certification before, if it was there.
    before: Option<Standing>,
    now: Standing,
}

fn standing() -> impl Strategy<Value = Standing> {
    let decision = select(vec![Decision::None, Decision::Accepted, Decision::Rejected, Decision::Fixed]);
    (decision, text(), any::<bool>()).prop_map(|(decision, notes, is_signed_off)| Standing {
        decision,
        notes,
        is_signed_off,
    })
}

fn reviewed() -> impl Strategy<Value = Reviewed> {
    let parts = (any::<prop::sample::Index>(), any::<prop::sample::Index>());
    (parts, moment(), custom(), of(standing()), standing(), any::<bool>()).prop_map(
        |((source, destination), granted_at, attributes, before, now, is_unchanged)| {
            let is_unchanged = is_unchanged && before.is_some();
            let (source, destination) = (source.index(PARTS) as u32, destination.index(PARTS) as u32);
            let row = Row { source, destination, granted_at, attributes, previous: None, is_unchanged, reviewers: 0 };
            Reviewed { row, before, now }
        },
    )
}

/// Accounts and entitlements of a certification.
const PARTS: usize = 4;

#[derive(Debug, Clone)]
struct Sample {
    sources: Vec<Source>,
    destinations: Vec<Destination>,
    rows: Vec<Reviewed>,
}

fn sample() -> impl Strategy<Value = Sample> {
    (vec(source(), PARTS), vec(destination(), PARTS), vec(reviewed(), 1..20))
        .prop_map(|(sources, destinations, rows)| Sample { sources, destinations, rows })
}

/// A comparison of any attribute of these.
fn comparison(names: Vec<(String, Option<Kind>)>) -> impl Strategy<Value = String> {
    (
        select(names),
        select(&["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"][..]),
        text(),
        moment(),
        any::<bool>(),
        0_u8..12,
    )
        .prop_map(|((name, kind), operator, text, moment, boolean, chance)| {
            let equality = if chance.is_multiple_of(2) { "eq" } else { "ne" };
            let order = if ["co", "sw", "ew"].contains(&operator) { equality } else { operator };
            let quoted = |text: &str| serde_json::to_string(text).unwrap();
            match (chance, kind) {
                (0, _) => format!("{name} pr"),
                (1, _) => format!("{name} {equality} null"),
                (_, Some(Kind::Boolean)) | (4, None) => format!("{name} {equality} {boolean}"),
                (_, Some(Kind::Time)) => format!("{name} {order} {}", quoted(&moment.to_rfc3339())),
                (2 | 3, None) => format!("{name} {order} 5"),
                _ if name.ends_with("decision") && ["eq", "ne"].contains(&operator) => {
                    format!("{name} {operator} \"{}\"", Decision::ALL[usize::from(chance) % 5].as_str())
                }
                _ if name.ends_with("signed_off_state") && ["eq", "ne"].contains(&operator) => {
                    format!("{name} {operator} \"{}\"", SignedOffState::ALL[usize::from(chance) % 3].as_str())
                }
                (5, _) if name.ends_with("id") => format!("{name} {equality} \"{}\"", Uuid::from_u128(1)),
                _ => format!("{name} {operator} {}", quoted(&text)),
            }
        })
}

fn filter(names: Vec<(String, Option<Kind>)>) -> impl Strategy<Value = String> {
    comparison(names).prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| format!("not ({inner})")),
            vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" and "))),
            vec(inner, 2..4).prop_map(|parts| format!("({})", parts.join(" or "))),
        ]
    })
}

fn named(all: &[(&str, Kind, Attribute)]) -> Vec<(String, Option<Kind>)> {
    all.iter().map(|(name, kind, _)| ((*name).to_owned(), Some(*kind))).collect()
}

fn of_row() -> Vec<(String, Option<Kind>)> {
    let custom = Attribute::OPEN.iter().flat_map(|(prefix, _)| {
        CUSTOM.iter().map(move |name| (format!("{prefix}.{}", serde_json::to_string(name).unwrap()), None))
    });
    named(&Attribute::NAMES).into_iter().chain(custom).collect()
}

fn definition(history_id: Option<Uuid>) -> CertificationEvent {
    let definition = CertificationDefinition {
        workflow_id: Uuid::nil(),
        name: "Quarterly".to_owned(),
        notes: String::new(),
        application_ids: Vec::new(),
        filter: String::new(),
        reviewers: Assignment::default(),
        is_self_review_allowed: false,
        due_at: None,
        history_id,
        automations: Vec::new(),
    };
    CertificationEvent::CertificationCreated { definition: Box::new(definition) }
}

/// Records a certification with rows that stand so.
async fn record(log: &Log, id: Uuid, history: Option<Uuid>, sample: &Sample, rows: Vec<(Row, Standing)>) {
    let stream = StreamId::of::<Certification>(&id);
    let done = CertificationEvent::CertificationSearchCompleted { completeness: Completeness::default(), run_id: None };
    let mut append = Append::one(stream, Expected::New, vec![definition(history).into(), done.into()], context());
    let (rows, standings): (Vec<Row>, Vec<Standing>) = rows.into_iter().unzip();
    let event = CertificationRowsEvent::CertificationRowsRecorded {
        certification_id: id,
        block: 0,
        first_source: 0,
        sources: sample.sources.clone(),
        first_destination: 0,
        destinations: sample.destinations.clone(),
        reviewers: vec![Vec::new()],
        rows,
    };
    let aggregate_id = certification_rows::stream(id, 0).to_string();
    let stream = StreamId { aggregate_type: certification_rows::TYPE, aggregate_id };
    append = append.and(Append::one(stream, Expected::New, vec![event.into()], context()));
    for (result_id, now) in (0..).zip(standings).filter(|(_, standing)| !standing.is_default()) {
        let decided = CertificationRowEvent::CertificationRowDecided {
            certification_id: id,
            result_id,
            was: Standing::default(),
            now,
            is_forced: false,
            run_id: None,
            opened: None,
            withdrawn: None,
        };
        let stream = StreamId::of::<CertificationRow>(&certification_row::stream(id, result_id));
        append = append.and(Append::one(stream, Expected::New, vec![decided.into()], context()));
    }
    log.append(append).await.unwrap();
}

fn folded(standing: &Standing, [decision, notes, state]: [Attribute; 3]) -> Folded {
    Folded::default()
        .text(decision, Some(&standing.decision.long()))
        .text(notes, Some(&standing.notes))
        .text(state, Some(standing.signed_off_state().as_str()))
}

/// Filters by what reads them.
#[derive(Debug, Clone)]
struct Filters {
    rows: Vec<String>,
    mutable: Vec<String>,
    results: Vec<String>,
}

fn filters() -> impl Strategy<Value = Filters> {
    let of_results = [of_row(), named(&Attribute::PREVIOUS), named(&Attribute::NOW)].concat();
    (vec(filter(of_row()), 8), vec(filter(named(&Attribute::PREVIOUS)), 4), vec(filter(of_results), 4))
        .prop_map(|(rows, mutable, results)| Filters { rows, mutable, results })
}

/// The rows of the sample by SQL and by Rust.
async fn compare(log: &Log, at: u128, sample: &Sample, filters: &Filters) -> Result<(usize, usize), TestCaseError> {
    let (before, now) = (Uuid::from_u128(0x1_0000 + at), Uuid::from_u128(0x2_0000 + at));
    // The rows that were there before, the last one first, so that their numbers are others.
    let there: Vec<usize> = (0..sample.rows.len()).rev().filter(|at| sample.rows[*at].before.is_some()).collect();
    let history = there.iter().map(|at| (sample.rows[*at].row.clone(), sample.rows[*at].before.clone().unwrap()));
    record(log, before, None, sample, history.collect()).await;
    let rows = sample.rows.iter().enumerate().map(|(at, reviewed)| {
        let previous = there.iter().position(|known| *known == at).map(|place| place as u32);
        (Row { previous, ..reviewed.row.clone() }, reviewed.now.clone())
    });
    record(log, now, Some(before), sample, rows.collect()).await;
    let certification = find(&log.pool, now).await.unwrap().unwrap();
    let sources: Vec<Folded> = sample.sources.iter().map(Source::folded).collect();
    let destinations: Vec<Folded> = sample.destinations.iter().map(Destination::folded).collect();
    let previous = [Attribute::PreviousDecision, Attribute::PreviousNotes, Attribute::PreviousSignedOffState];
    let standing_now = [Attribute::Decision, Attribute::Notes, Attribute::SignedOffState];
    let select = |means: &dyn Fn(&View<'_>, &View<'_>) -> bool| -> Vec<i32> {
        let means = |reviewed: &Reviewed| {
            let grant = reviewed.row.folded();
            let (before, now) = (
                reviewed.before.as_ref().map(|standing| folded(standing, previous)),
                folded(&reviewed.now, standing_now),
            );
            let (source, destination) =
                (&sources[reviewed.row.source as usize], &destinations[reviewed.row.destination as usize]);
            let view = View { source, destination, grant: &grant, previous: before.as_ref() };
            // What stands now takes the place of the entitlement, for the attributes that only it has.
            means(&view, &View { destination: &now, ..view })
        };
        (0..).zip(&sample.rows).filter(|(_, reviewed)| means(reviewed)).map(|(result, _)| result).collect()
    };
    let (mut selected, mut seen) = (0, 0);
    let mut all: Vec<(Wanted, Vec<i32>, &String)> = Vec::new();
    for text in &filters.rows {
        let filter = certification_row::filter(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let by_rust = select(&|view, _| filter.as_ref().unwrap().matches(view));
        all.push((Wanted { filter, ..Wanted::default() }, by_rust, text));
    }
    for text in &filters.mutable {
        let filter = certification_row::mutable_filter(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        // A row without a predecessor never matches (rulings 33).
        let by_rust = select(&|view, _| view.previous.is_some() && filter.as_ref().unwrap().matches(view));
        all.push((Wanted { mutable_filter: filter, ..Wanted::default() }, by_rust, text));
    }
    for text in &filters.results {
        let filter = certification_row::results_filter(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let by_rust = select(&|view, now| filter.as_ref().unwrap().matches(&Both(view, now)));
        all.push((Wanted { filter, ..Wanted::default() }, by_rust, text));
    }
    for (wanted, by_rust, text) in &all {
        let (found, has_more) = page(&log.pool, &certification, wanted, Direction::After(None), 1000).await.unwrap();
        let by_sql: Vec<i32> = found.into_iter().map(|row| row.result_id).collect();
        prop_assert_eq!((&by_sql, has_more), (by_rust, false), "{}", text);
        let (backwards, _) = page(&log.pool, &certification, wanted, Direction::Before(None), 1000).await.unwrap();
        let backwards: Vec<i32> = backwards.into_iter().map(|row| row.result_id).collect();
        prop_assert_eq!(&backwards, by_rust, "backwards: {}", text);
        selected += by_rust.len();
        seen += sample.rows.len();
    }
    // All at once, as a run asks.
    let wanted: Vec<Wanted> = all.iter().map(|(wanted, ..)| wanted.clone()).collect();
    let found = Evaluation::new(&certification, wanted).rows(&log.pool, (0, 500)).await.unwrap();
    for (place, (_, by_rust, text)) in all.iter().enumerate() {
        let by_run: Vec<i32> =
            found.iter().filter(|row| row.matches[place]).map(|row| row.state.result_id as i32).collect();
        prop_assert_eq!(&by_run, by_rust, "as a run: {}", text);
    }
    Ok((selected, seen))
}

/// A row as it is, with what stands now beside it.
struct Both<'a, 'r>(&'a View<'r>, &'a View<'r>);

impl aggregates::filter::Row for Both<'_, '_> {
    type Attribute = Attribute;

    fn value(&self, attribute: Attribute, key: &str) -> Option<aggregates::filter::Value<'_>> {
        self.0.value(attribute, key).or_else(|| self.1.value(attribute, key))
    }
}

#[test]
fn sql_and_rust_select_the_same_rows_of_a_certification() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let log = runtime.block_on(Log::open());
    let (counted, number, named) = (RefCell::new((0, 0)), RefCell::new(0), RefCell::new(BTreeSet::new()));
    let config = Config { cases: 100, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    TestRunner::new(config)
        .run(&(sample(), filters()), |(sample, filters)| {
            *number.borrow_mut() += 1;
            for text in filters.rows.iter().chain(&filters.mutable).chain(&filters.results) {
                let filter: Filter = text.parse().unwrap();
                named.borrow_mut().extend(names(&filter));
            }
            let (selected, seen) = runtime.block_on(compare(&log, *number.borrow(), &sample, &filters))?;
            let mut counted = counted.borrow_mut();
            *counted = (counted.0 + selected, counted.1 + seen);
            Ok(())
        })
        .unwrap();
    let (selected, seen) = counted.into_inner();
    let percent = selected * 100 / seen;
    assert!((20..80).contains(&percent), "{percent} % selected: filters that tell nothing apart prove nothing");
    let all = Attribute::NAMES.iter().chain(&Attribute::PREVIOUS).chain(&Attribute::NOW);
    let unnamed: Vec<&str> = all.map(|(name, ..)| *name).filter(|name| !named.borrow().contains(*name)).collect();
    assert_eq!(unnamed, Vec::<&str>::new());
    runtime.block_on(async { log.assert_sound().await });
}

fn names(filter: &Filter) -> Vec<String> {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().flat_map(names).collect(),
        Filter::Not(inner) => names(inner),
        Filter::Compare(comparison) => vec![comparison.path.names.join(".")],
        Filter::Present(path) => vec![path.names.join(".")],
        Filter::Within(..) => Vec::new(),
    }
}
