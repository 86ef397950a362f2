//! A filter means the same rows in Rust and in PostgreSQL (rulings 33).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use aggregates::filter::{
    COMPARISON_LIMIT, Catalogue, Checked, Comparison, DEPTH_LIMIT, Filter, Kind, Literal, Operator, Path, Row, Value,
    fold,
};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde::Serialize;
use sqlx::{ConnectOptions, Executor, PgConnection, Postgres, QueryBuilder};

use crate::support::cluster;

/// A row of the shape that `projections::filter` documents.
#[derive(Debug, Clone, Default, Serialize)]
struct Grant {
    name: Option<String>,
    key: Option<String>,
    is_active: Option<bool>,
    risk: Option<f64>,
    level: Option<i64>,
    last_login_at: Option<DateTime<Utc>>,
    attributes: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy)]
enum Attribute {
    Name,
    Key,
    IsActive,
    Risk,
    Level,
    LastLoginAt,
    Custom,
}

const TABLE: &str = "CREATE TABLE grants (name text, key text, is_active boolean, risk double precision, level bigint,
    last_login_at timestamptz, attributes jsonb NOT NULL, id bigint)";

impl Row for Grant {
    type Attribute = Attribute;

    fn value(&self, attribute: Attribute, key: &str) -> Option<Value<'_>> {
        match attribute {
            Attribute::Name => self.name.as_deref().map(Value::Text),
            Attribute::Key => self.key.as_deref().map(Value::Text),
            Attribute::IsActive => self.is_active.map(Value::Boolean),
            Attribute::Risk => self.risk.map(Value::Number),
            Attribute::Level => self.level.map(|level| Value::Number(level as f64)),
            Attribute::LastLoginAt => self.last_login_at.map(Value::Time),
            Attribute::Custom => self.attributes.get(key).map(|text| Value::Text(text)),
        }
    }
}

const fn expression(attribute: Attribute) -> &'static str {
    match attribute {
        Attribute::Name => "g.name",
        Attribute::Key => "g.key",
        Attribute::IsActive => "g.is_active",
        Attribute::Risk => "g.risk",
        Attribute::Level => "g.level",
        Attribute::LastLoginAt => "g.last_login_at",
        Attribute::Custom => "g.attributes",
    }
}

fn catalogue() -> Catalogue<Attribute> {
    Catalogue::new()
        .attribute("source.name", Kind::Text, Attribute::Name)
        .attribute("source.key", Kind::Text, Attribute::Key)
        .attribute("source.isActive", Kind::Boolean, Attribute::IsActive)
        .attribute("source.risk", Kind::Number, Attribute::Risk)
        .attribute("source.level", Kind::Number, Attribute::Level)
        .attribute("source.lastLoginAt", Kind::Time, Attribute::LastLoginAt)
        .open("source.attributes", Attribute::Custom)
}

const CUSTOM: &[&str] = &["x", "Cost Centre", "a.b", "É'", "%"];

/// Few pieces, so that texts meet; among them what folds, orders, escapes or counts in its own way.
const PIECES: &[&str] = &[
    "a",
    "B",
    "ab",
    "é",
    "É",
    "ß",
    "Σ",
    "ς",
    "σ",
    "İ",
    "i",
    " ",
    "%",
    "_",
    "\\",
    "'",
    "\"",
    "$1",
    "\n",
    "\u{1}",
    "5",
    "-1.5",
    ".",
    "0",
    "true",
    "FALSE",
    "e\u{301}",
    "\u{fffd}",
    "😀",
    "z",
    "{",
    "1e5",
    "123456789012345",
    "\u{85}",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => Just(String::new()),
        8 => vec(select(PIECES), 1..4).prop_map(|pieces| pieces.concat()),
        1 => "[^\\x00]{0,4}",
    ]
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => select(vec![0.0, -0.0, 5.0, -1.5, 0.1, 1e300, 9_007_199_254_740_993.0, -5.0]),
        1 => any::<f64>().prop_filter("finite", |number| number.is_finite()),
    ]
}

fn moment() -> impl Strategy<Value = DateTime<Utc>> {
    let base: DateTime<Utc> = "2026-03-15T00:00:00Z".parse().unwrap();
    prop_oneof![
        (-2_i64..3).prop_map(move |micros| base + TimeDelta::microseconds(micros)),
        (-900_000_i64..900_000).prop_map(move |hours| base + TimeDelta::hours(hours)),
    ]
}

fn row() -> impl Strategy<Value = Grant> {
    let texts = (of(text()), of(text()), btree_map(select(CUSTOM), text(), 0..4));
    let level = prop_oneof![-2_i64..8, Just(9_007_199_254_740_993), Just(9_007_199_254_740_992), any::<i64>()];
    (texts, of(any::<bool>()), of(number()), of(level), of(moment())).prop_map(
        |((name, key, attributes), is_active, risk, level, last_login_at)| Grant {
            name: name.as_deref().map(fold),
            key: key.as_deref().map(fold),
            is_active,
            risk,
            level,
            last_login_at,
            attributes: attributes.into_iter().map(|(name, text)| (fold(name), fold(&text))).collect(),
        },
    )
}

/// A path, some operators, and literals that fit both.
fn comparison(
    path: impl Strategy<Value = Vec<&'static str>>,
    operators: &'static [Operator],
    literal: impl Strategy<Value = Literal>,
) -> impl Strategy<Value = Filter> {
    let null = (select(&[Operator::Eq, Operator::Ne][..]), Just(Literal::Null));
    let test =
        prop_oneof![12 => (select(operators), literal).prop_map(Some), 1 => null.prop_map(Some), 1 => Just(None)];
    (path, any::<bool>(), test).prop_map(|(mut names, is_within, test)| {
        let source = if is_within { Some(names.remove(0)) } else { None };
        let path = |names: Vec<&str>| Path { schema: None, names: names.into_iter().map(str::to_owned).collect() };
        let filter = match test {
            None => Filter::Present(path(names).into()),
            Some((operator, literal)) => Filter::Compare(Comparison {
                path: path(names).into(),
                operator: operator.into(),
                literal: literal.into(),
            }),
        };
        match source {
            Some(source) => Filter::Within(path(vec![source]).into(), Box::new(filter)),
            None => filter,
        }
    })
}

fn filter() -> impl Strategy<Value = Filter> {
    use Operator::{Eq, Ge, Gt, Le, Lt, Ne};
    const ORDERS: &[Operator] = &[Eq, Ne, Gt, Ge, Lt, Le];
    const EQUALITY: &[Operator] = &[Eq, Ne];
    let custom = || select(CUSTOM).prop_map(|name| vec!["source", "attributes", name]);
    let boolean = prop_oneof![
        any::<bool>().prop_map(Literal::Boolean),
        select(&["true", "False"][..]).prop_map(|text| Literal::Text(text.to_owned())),
    ];
    let simple = prop_oneof![
        4 => comparison(select(&["name", "KEY"][..]).prop_map(|name| vec!["source", name]), &Operator::ALL, text().prop_map(Literal::Text)),
        2 => comparison(Just(vec!["source", "isActive"]), EQUALITY, boolean),
        2 => comparison(select(&["risk", "level"][..]).prop_map(|name| vec!["source", name]), ORDERS, number().prop_map(Literal::Number)),
        2 => comparison(Just(vec!["Source", "lastLoginAt"]), ORDERS, moment().prop_map(|at| Literal::Text(at.to_rfc3339()))),
        3 => comparison(custom(), &Operator::ALL, text().prop_map(Literal::Text)),
        2 => comparison(custom(), ORDERS, number().prop_map(Literal::Number)),
        1 => comparison(custom(), EQUALITY, any::<bool>().prop_map(Literal::Boolean)),
    ];
    simple.prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Filter::Not(Box::new(inner))),
            vec(inner.clone(), 2..4).prop_map(Filter::And),
            vec(inner, 2..4).prop_map(Filter::Or),
        ]
    })
}

async fn fill(connection: &mut PgConnection, rows: &[Grant]) {
    connection.execute("TRUNCATE grants").await.unwrap();
    let json: Vec<String> = rows.iter().map(|row| serde_json::to_string(row).unwrap()).collect();
    sqlx::query(
        "INSERT INTO grants SELECT g.name, g.key, g.is_active, g.risk, g.level, g.last_login_at, g.attributes, r.id - 1
         FROM unnest($1::text[]) WITH ORDINALITY AS r (row, id), json_populate_record(NULL::grants, r.row::json) AS g",
    )
    .bind(json)
    .execute(connection)
    .await
    .unwrap();
}

/// The numbers of the rows that match a text, by SQL and by Rust.
async fn both(connection: &mut PgConnection, rows: &[Grant], filter: &str) -> (Vec<i64>, Vec<i64>) {
    select_by(connection, rows, &filter.parse::<Filter>().unwrap().check(&catalogue()).unwrap()).await
}

async fn select_by(
    connection: &mut PgConnection,
    rows: &[Grant],
    checked: &Checked<Attribute>,
) -> (Vec<i64>, Vec<i64>) {
    let mut query = QueryBuilder::<Postgres>::new("SELECT g.id FROM grants AS g WHERE g.id >= 0 AND ");
    projections::filter::push(&mut query, checked, &expression);
    query.push(" ORDER BY g.id");
    let by_sql =
        query.build_query_scalar().fetch_all(connection).await.unwrap_or_else(|error| panic!("{checked:?}: {error}"));
    let by_rust = rows.iter().zip(0..).filter(|(row, _)| checked.matches(*row)).map(|(_, id)| id).collect();
    (by_sql, by_rust)
}

#[test]
fn sql_and_rust_select_the_same_rows() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut connection = runtime.block_on(async {
        let mut connection = cluster::empty().await.connect().await.unwrap();
        connection.execute(TABLE).await.unwrap();
        connection
    });
    let (selected, seen) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let connection = std::cell::RefCell::new(&mut connection);
    let config = Config { cases: 200, failure_persistence: None, max_shrink_iters: 500, ..Config::default() };
    TestRunner::new(config)
        .run(&(vec(row(), 1..20), vec(filter(), 1..10)), |(rows, filters)| {
            let mut connection = connection.borrow_mut();
            runtime.block_on(fill(&mut connection, &rows));
            for filter in filters {
                let filter = filter.to_string();
                let (by_sql, by_rust) = runtime.block_on(both(&mut connection, &rows, &filter));
                selected.fetch_add(by_rust.len(), Ordering::Relaxed);
                seen.fetch_add(rows.len(), Ordering::Relaxed);
                prop_assert_eq!(by_sql, by_rust, "{}", filter);
            }
            Ok(())
        })
        .unwrap();
    let percent = selected.into_inner() * 100 / seen.into_inner();
    assert!((20..80).contains(&percent), "{percent} % selected: filters that tell nothing apart prove nothing");
}

/// Whoever joins filters needn't ask how many there are.
#[tokio::test]
async fn of_no_filters_all_match_every_row_and_any_match_none() {
    let mut connection = cluster::empty().await.connect().await.unwrap();
    connection.execute(TABLE).await.unwrap();
    let rows = [Grant::default(), Grant::default()];
    fill(&mut connection, &rows).await;
    for (filter, expected) in [
        (Checked::All(vec![]), vec![0, 1]),
        (Checked::Any(vec![]), vec![]),
        (Checked::All(vec![Checked::Not(Box::new(Checked::Any(vec![])))]), vec![0, 1]),
    ] {
        assert_eq!(select_by(&mut connection, &rows, &filter).await, (expected.clone(), expected));
    }
}

#[tokio::test]
async fn the_longest_and_the_deepest_filter_run_in_postgresql() {
    let mut connection = cluster::empty().await.connect().await.unwrap();
    connection.execute(TABLE).await.unwrap();
    let rows = [Grant { attributes: BTreeMap::from([("x".to_owned(), "5".to_owned())]), ..Grant::default() }];
    fill(&mut connection, &rows).await;
    let long = vec!["source.attributes.x gt 4"; COMPARISON_LIMIT].join(" and ");
    assert_eq!(both(&mut connection, &rows, &long).await, (vec![0], vec![0]));
    let step = "not (source.risk pr or source.attributes.x eq 5 and ";
    let deep = format!("{}source.name eq null{}", step.repeat(DEPTH_LIMIT), ")".repeat(DEPTH_LIMIT));
    assert_eq!(both(&mut connection, &rows, &deep).await, (vec![0], vec![0]));
}

/// Cases that a property finds only by luck, and that decide who loses access.
#[tokio::test]
async fn a_missing_value_matches_only_what_is_said_of_missing_values() {
    let mut connection = cluster::empty().await.connect().await.unwrap();
    connection.execute(TABLE).await.unwrap();
    let named = |name: &str| Grant { name: Some(fold(name)), ..Grant::default() };
    let rows = [Grant::default(), named(""), named("Root"), named("İstanbul"), named("ΟΔΟΣ")];
    fill(&mut connection, &rows).await;
    for (filter, expected) in [
        (r#"source.name ne "root""#, vec![0, 1, 3, 4]),
        (r#"not (source.name ne "ROOT")"#, vec![2]),
        (r#"not (source.name gt "a" and source.name lt "z")"#, vec![0, 1, 4]),
        ("source.name eq null", vec![0, 1]),
        (r#"source.name eq """#, vec![1]),
        (r#"source.name sw """#, vec![1, 2, 3, 4]),
        (r#"source.name eq "İSTANBUL""#, vec![3]),
        (r#"source.name eq "οδος""#, vec![4]),
        (r#"source.name co "%" or source.name co "_""#, vec![]),
        ("source.isActive ne true and source.risk ne 0 and source.attributes.x ne 5", vec![0, 1, 2, 3, 4]),
        ("source.isActive eq false or source.risk eq 0 or source.attributes.x lt 5", vec![]),
    ] {
        assert_eq!(both(&mut connection, &rows, filter).await, (expected.clone(), expected), "{filter}");
    }
}
