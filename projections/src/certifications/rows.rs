//! Rows of certifications, found: by pages, by filters, by runs.

use std::collections::HashMap;
use std::sync::LazyLock;

use aggregates::certification_row::{Attribute, Decision, NotificationStatus, RowFilter, Standing};
use aggregates::filter::Kind;
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgPool, Postgres, QueryBuilder, Row};
use uuid::Uuid;

use super::CertificationRow;
use crate::filter;

/// A row with its account and entitlement.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns' comments say it")]
pub struct ResultRow {
    pub certification_id: Uuid,
    pub result_id: i32,
    pub identity_id: Uuid,
    pub source: Value,
    pub destination: Value,
    pub granted_at: DateTime<Utc>,
    pub attributes: Option<Value>,
    pub previous_result_id: Option<i32>,
    pub is_unchanged: bool,
    pub decision: String,
    pub notes: String,
    pub is_signed_off: bool,
    pub signed_off_at: Option<DateTime<Utc>>,
    pub signed_off_by: Option<String>,
    pub signed_off_by_id: Option<String>,
    pub updated_at: DateTime<Utc>,
    pub updated_by: Option<String>,
    pub updated_by_id: Option<String>,
    pub reviewers: Vec<Uuid>,
    pub notification_status: String,
    pub access_request_id: Option<Uuid>,
    pub run_id: Option<Uuid>,
    pub version: i64,
}

/// What a row stands on when somebody or something decides about it.
#[derive(Debug, Clone)]
pub struct RowState {
    /// Its number.
    pub result_id: u32,
    /// Whose access it is about.
    pub identity_id: Uuid,
    /// Who reviews it.
    pub reviewers: Vec<Uuid>,
    /// What is decided, folded as the aggregate folds it.
    pub row: aggregates::certification_row::CertificationRow,
    /// Of its stream.
    pub version: i64,
    /// Position of the event that recorded or changed it last.
    pub updated_position: i64,
}

/// What is to be found. Both filters must match.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Over the row.
    pub filter: RowFilter,
    /// Over what is and was decided. One that names `previous` means rows with a predecessor only (rulings 33).
    pub mutable_filter: RowFilter,
    /// Rows that are as they were in the certification before.
    pub only_unchanged: bool,
}

/// Where a page lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// After this row.
    After(Option<u32>),
    /// Before this row.
    Before(Option<u32>),
}

/// SQL of an attribute. Whatever isn't text is read back from what Rust wrote, so both compare the same value.
static EXPRESSIONS: LazyLock<HashMap<Attribute, String>> = LazyLock::new(|| {
    let part = |name: &str| if name.starts_with("source") { "s" } else { "d" };
    let mut all: HashMap<Attribute, String> = Attribute::NAMES
        .iter()
        .map(|(name, kind, attribute)| {
            let cast = match kind {
                Kind::Text => "",
                Kind::Boolean => "::boolean",
                Kind::Time => "::timestamptz",
                Kind::Number => "::double precision",
            };
            (*attribute, format!("({}.folded ->> '{name}'){cast}", part(name)))
        })
        .collect();
    all.extend(Attribute::OPEN.map(|(name, attribute)| (attribute, format!("{}.folded -> '{name}'", part(name)))));
    for (attribute, sql) in [
        (Attribute::GrantGrantedAt, "r.granted_at"),
        (Attribute::GrantAttributes, "r.attributes_folded"),
        (Attribute::PreviousDecision, "'result_decision_' || lower(p.decision)"),
        (Attribute::PreviousNotes, "p.notes_folded"),
        (
            Attribute::PreviousSignedOffState,
            "CASE p.is_signed_off WHEN true THEN 'signed_off' WHEN false THEN 'not_signed_off' END",
        ),
        (Attribute::Decision, "'result_decision_' || lower(r.decision)"),
        (Attribute::Notes, "r.notes_folded"),
        (Attribute::SignedOffState, "CASE WHEN r.is_signed_off THEN 'signed_off' ELSE 'not_signed_off' END"),
    ] {
        all.insert(attribute, sql.to_owned());
    }
    all
});

fn expression(attribute: Attribute) -> &'static str {
    EXPRESSIONS.get(&attribute).map_or("NULL", String::as_str)
}

/// Appends one boolean operand.
fn push(query: &mut QueryBuilder<'_, Postgres>, wanted: &Wanted) {
    query.push("(true");
    if let Some(filter) = &wanted.filter {
        query.push(" AND ");
        filter::push(query, filter, &expression);
    }
    if let Some(mutable) = &wanted.mutable_filter {
        if mutable.attributes().into_iter().any(Attribute::is_previous) {
            query.push(" AND p.result_id IS NOT NULL");
        }
        query.push(" AND ");
        filter::push(query, mutable, &expression);
    }
    if wanted.only_unchanged {
        query.push(" AND r.is_unchanged");
    }
    query.push(")");
}

/// Rows of a certification with account (`s`), entitlement (`d`) and predecessor (`p`). `rows` are found first, by the primary
/// key: how many of a fresh certification there are PostgreSQL doesn't know yet, and the joins follow from theirs. Each has one of
/// each; outer joins since PostgreSQL leaves those out that nothing names.
fn push_from(
    query: &mut QueryBuilder<'_, Postgres>,
    certification: &CertificationRow,
    rows: impl FnOnce(&mut QueryBuilder<'_, Postgres>),
) {
    query.push(" FROM (SELECT * FROM certification_rows WHERE certification_id = ").push_bind(certification.id);
    rows(query);
    query.push(
        ") AS r
         LEFT JOIN certification_sources AS s ON s.certification_id = r.certification_id AND s.number = r.source_number
         LEFT JOIN certification_destinations AS d ON d.certification_id = r.certification_id AND d.number = r.destination_number
         LEFT JOIN certification_rows AS p ON p.certification_id = ",
    );
    query.push_bind(certification.definition.0.history_id.unwrap_or_default());
    query.push(" AND p.result_id = r.previous_result_id");
}

/// Rows that a page's search looks at first; four times as many each time that it isn't full.
const STRETCH: i64 = 4_000;

/// Rows of a certification in order, at most `limit`; and whether there are more.
pub async fn page(
    pool: &PgPool,
    certification: &CertificationRow,
    wanted: &Wanted,
    direction: Direction,
    limit: usize,
) -> sqlx::Result<(Vec<ResultRow>, bool)> {
    let total = certification.total_count;
    let is_backwards = matches!(direction, Direction::Before(_));
    // Exclusive, in the direction of reading.
    let mut place = match direction {
        Direction::After(row) => row.map_or(-1, i64::from),
        Direction::Before(row) => row.map_or(total, i64::from),
    };
    let is_filtered = wanted.filter.is_some() || wanted.mutable_filter.is_some();
    let mut stretch = if is_filtered { STRETCH.max(limit as i64) } else { limit as i64 + 1 };
    let mut found: Vec<ResultRow> = Vec::new();
    while found.len() <= limit && (if is_backwards { place > 0 } else { place < total - 1 }) {
        let (from, to) = if is_backwards { (place - stretch, place - 1) } else { (place + 1, place + stretch) };
        let mut query = QueryBuilder::new("SELECT r.*, s.source, s.identity_id, d.destination");
        push_from(&mut query, certification, |query| {
            query.push(" AND result_id BETWEEN ").push_bind(clamp(from)).push(" AND ").push_bind(clamp(to));
        });
        query.push(" WHERE ");
        push(&mut query, wanted);
        query.push(if is_backwards { " ORDER BY r.result_id DESC LIMIT " } else { " ORDER BY r.result_id LIMIT " });
        query.push_bind((limit + 1 - found.len()) as i64);
        found.extend(query.build_query_as::<ResultRow>().fetch_all(pool).await?);
        place = if is_backwards { from } else { to };
        stretch = stretch.saturating_mul(4);
    }
    let has_more = found.len() > limit;
    found.truncate(limit);
    if is_backwards {
        found.reverse();
    }
    Ok((found, has_more))
}

pub(super) fn clamp(row: i64) -> i32 {
    row.clamp(-1, i64::from(i32::MAX)) as i32
}

/// A row.
pub async fn result(pool: &PgPool, certification: Uuid, result: u32) -> sqlx::Result<Option<ResultRow>> {
    let Ok(result) = i32::try_from(result) else { return Ok(None) };
    sqlx::query_as(
        "SELECT r.*, s.source, s.identity_id, d.destination FROM certification_rows AS r
         JOIN certification_sources AS s ON s.certification_id = r.certification_id AND s.number = r.source_number
         JOIN certification_destinations AS d ON d.certification_id = r.certification_id AND d.number = r.destination_number
         WHERE r.certification_id = $1 AND r.result_id = $2",
    )
    .bind(certification)
    .bind(result)
    .fetch_optional(pool)
    .await
}

/// What [`state`] reads of `certification_rows AS r`.
pub(super) const STATE: &str = "r.result_id, r.reviewers, r.decision, r.notes, r.is_signed_off, r.run_id,
    r.access_request_id, r.notification_status, r.version, r.updated_position";

/// A row about the access of this identity.
pub(super) fn state(row: &PgRow, identity_id: Uuid) -> sqlx::Result<RowState> {
    let result: i32 = row.try_get("result_id")?;
    let standing = Standing {
        decision: Decision::read(row.try_get("decision")?).unwrap_or_default(),
        notes: row.try_get("notes")?,
        is_signed_off: row.try_get("is_signed_off")?,
    };
    Ok(RowState {
        result_id: result as u32,
        identity_id,
        reviewers: row.try_get("reviewers")?,
        row: aggregates::certification_row::CertificationRow {
            standing,
            run_id: row.try_get("run_id")?,
            access_request_id: row.try_get("access_request_id")?,
            reviewers: None,
            notification_status: NotificationStatus::read(row.try_get("notification_status")?).unwrap_or_default(),
        },
        version: row.try_get("version")?,
        updated_position: row.try_get("updated_position")?,
    })
}

impl FromRow<'_, PgRow> for RowState {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        state(row, row.try_get("identity_id")?)
    }
}

/// Rows `from` up to (excluding) `to`, in order; of a run, only those whose last decision was its.
pub async fn states(
    pool: &PgPool,
    certification: &CertificationRow,
    (from, to): (u32, u32),
    run: Option<Uuid>,
) -> sqlx::Result<Vec<RowState>> {
    let mut query = QueryBuilder::new(format!("SELECT {STATE}, s.identity_id"));
    push_from(&mut query, certification, |query| {
        query.push(" AND result_id >= ").push_bind(clamp(i64::from(from)));
        query.push(" AND result_id < ").push_bind(clamp(i64::from(to)));
        if let Some(run) = run {
            query.push(" AND run_id = ").push_bind(run);
        }
    });
    query.push(" ORDER BY r.result_id");
    query.build_query_as().fetch_all(pool).await
}

/// Numbers of rows, in order, that are wanted; and of each whether its reviewers are named, whether this identity is one of them,
/// and whether it is about that identity.
pub async fn matching(
    pool: &PgPool,
    certification: &CertificationRow,
    wanted: &Wanted,
    identity: Option<Uuid>,
) -> sqlx::Result<Vec<(i32, bool, bool, bool)>> {
    let identity = identity.unwrap_or_default();
    let mut query = QueryBuilder::new("SELECT r.result_id, r.reviewers <> '{}', ");
    query.push_bind(identity).push(" = ANY (r.reviewers), s.identity_id = ").push_bind(identity);
    push_from(&mut query, certification, |_| {});
    query.push(" WHERE ");
    push(&mut query, wanted);
    query.push(" ORDER BY r.result_id");
    query.build_query_as().fetch_all(pool).await
}

/// Accounts and entitlements of rows.
pub async fn subjects(
    pool: &PgPool,
    certification: Uuid,
    results: &[u32],
) -> sqlx::Result<HashMap<u32, (Value, Value)>> {
    let rows: Vec<(i32, Value, Value)> = sqlx::query_as(
        "SELECT r.result_id, s.source, d.destination FROM certification_rows AS r
         JOIN certification_sources AS s ON s.certification_id = r.certification_id AND s.number = r.source_number
         JOIN certification_destinations AS d ON d.certification_id = r.certification_id AND d.number = r.destination_number
         WHERE r.certification_id = $1 AND r.result_id = ANY ($2)",
    )
    .bind(certification)
    .bind(results.iter().map(|result| *result as i32).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|(result, source, destination)| (result as u32, (source, destination))).collect())
}

/// What is decided about each row.
pub async fn standings(pool: &PgPool, certification: Uuid) -> sqlx::Result<HashMap<u32, Standing>> {
    let rows: Vec<(i32, String, String, bool)> = sqlx::query_as(
        "SELECT result_id, decision, notes, is_signed_off FROM certification_rows WHERE certification_id = $1",
    )
    .bind(certification)
    .fetch_all(pool)
    .await?;
    let standing = |(result, decision, notes, is_signed_off): (i32, String, String, bool)| {
        let decision = Decision::read(&decision).unwrap_or_default();
        (result as u32, Standing { decision, notes, is_signed_off })
    };
    Ok(rows.into_iter().map(standing).collect())
}
