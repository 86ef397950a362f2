//! Rows of a run, held against its automations' filters here and not in PostgreSQL: an account or entitlement is read once for all
//! rows that it has. Filters mean the same in both places (rulings 33, `tests/it/row_filters.rs`).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use aggregates::certification_row::{Attribute, Decision, Folded, Standing, View};
use aggregates::filter::Checked;
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgPool, Row};
use uuid::Uuid;

use super::rows::{STATE, clamp, state};
use super::{CertificationRow, RowState, Wanted};

/// Entitlements that are kept at once: the same few are in block after block.
const DESTINATIONS: usize = 20_000;

/// What is wanted of a certification's rows.
pub struct Evaluation<'c> {
    certification: &'c CertificationRow,
    /// Whether its mutable filter names what was decided last time, and each.
    wanted: Vec<(bool, Wanted)>,
    /// What the filters name.
    named: BTreeSet<Attribute>,
    sql: String,
    destinations: Mutex<HashMap<i32, Arc<Folded>>>,
}

/// A row, and which of several things wanted it is.
#[derive(Debug, Clone)]
pub struct Match {
    /// The row.
    pub state: RowState,
    /// In the order asked.
    pub matches: Vec<bool>,
}

/// Of a row, what filters see beside its account and entitlement.
struct Seen {
    grant: Folded,
    previous: Option<Folded>,
    is_unchanged: bool,
}

impl<'c> Evaluation<'c> {
    /// An evaluation of these.
    pub fn new(certification: &'c CertificationRow, wanted: Vec<Wanted>) -> Self {
        let filters = wanted.iter().flat_map(|wanted| [&wanted.filter, &wanted.mutable_filter]).flatten();
        let named: BTreeSet<Attribute> = filters.flat_map(Checked::attributes).collect();
        // What was decided last time is looked up only if somebody asks.
        let is_previous_named = named.iter().any(|attribute| attribute.is_previous());
        let sql = format!(
            "SELECT {STATE}, r.source_number, r.destination_number, r.is_unchanged, r.granted_at, r.attributes_folded,
                    p.decision AS previous_decision, p.notes AS previous_notes, p.is_signed_off AS was_signed_off
             FROM certification_rows AS r
             LEFT JOIN certification_rows AS p
                 ON {is_previous_named} AND p.certification_id = $4 AND p.result_id = r.previous_result_id
             WHERE r.certification_id = $1 AND r.result_id >= $2 AND r.result_id < $3 ORDER BY r.result_id"
        );
        let names_previous =
            |wanted: &Wanted| wanted.mutable_filter.iter().flat_map(Checked::attributes).any(Attribute::is_previous);
        let wanted = wanted.into_iter().map(|wanted| (names_previous(&wanted), wanted)).collect();
        Self { certification, wanted, named, sql, destinations: Mutex::default() }
    }

    /// Those of the rows `from` up to (excluding) `to` that are wanted, in order.
    pub async fn rows(&self, pool: &PgPool, (from, to): (u32, u32)) -> sqlx::Result<Vec<Match>> {
        let rows = sqlx::query(&self.sql)
            .bind(self.certification.id)
            .bind(clamp(i64::from(from)))
            .bind(clamp(i64::from(to)))
            .bind(self.certification.definition.0.history_id)
            .fetch_all(pool)
            .await?;
        let numbers = |column: &str| -> sqlx::Result<Vec<i32>> { rows.iter().map(|row| row.try_get(column)).collect() };
        let (of_sources, of_destinations) = (numbers("source_number")?, numbers("destination_number")?);
        let sources = self.sources(pool, &of_sources).await?;
        let destinations = self.destinations(pool, &of_destinations).await?;
        let mut found = Vec::with_capacity(rows.len());
        for (row, (source, destination)) in rows.iter().zip(of_sources.iter().zip(&of_destinations)) {
            let (identity, source) = sources.get(source).ok_or(sqlx::Error::RowNotFound)?;
            let destination = destinations.get(destination).ok_or(sqlx::Error::RowNotFound)?;
            let state = state(row, *identity)?;
            let seen = self.seen(row, &state)?;
            let view = View { source, destination, grant: &seen.grant, previous: seen.previous.as_ref() };
            let means = |(names_previous, wanted): &(bool, Wanted)| {
                let matches = |filter: &Checked<Attribute>| filter.matches(&view);
                wanted.filter.as_ref().is_none_or(matches)
                    // Rows with a predecessor only (rulings 33).
                    && (view.previous.is_some() || !names_previous)
                    && wanted.mutable_filter.as_ref().is_none_or(matches)
                    && (seen.is_unchanged || !wanted.only_unchanged)
            };
            let matches: Vec<bool> = self.wanted.iter().map(means).collect();
            if matches.contains(&true) {
                found.push(Match { state, matches });
            }
        }
        Ok(found)
    }

    /// Accounts by their numbers, each with its person.
    async fn sources(&self, pool: &PgPool, numbers: &[i32]) -> sqlx::Result<HashMap<i32, (Uuid, Folded)>> {
        let numbers: BTreeSet<i32> = numbers.iter().copied().collect();
        let rows: Vec<(i32, Uuid, Json<Value>)> = sqlx::query_as(
            "SELECT number, identity_id, folded FROM certification_sources
             WHERE certification_id = $1 AND number = ANY ($2)",
        )
        .bind(self.certification.id)
        .bind(numbers.into_iter().collect::<Vec<_>>())
        .fetch_all(pool)
        .await?;
        let read = |(number, identity, json): (i32, Uuid, Json<Value>)| {
            (number, (identity, Folded::read(&json.0, &self.named)))
        };
        Ok(rows.into_iter().map(read).collect())
    }

    /// Entitlements by their numbers.
    async fn destinations(&self, pool: &PgPool, numbers: &[i32]) -> sqlx::Result<HashMap<i32, Arc<Folded>>> {
        let numbers: BTreeSet<i32> = numbers.iter().copied().collect();
        let mut found: HashMap<i32, Arc<Folded>> = {
            let known = self.destinations.lock().unwrap_or_else(PoisonError::into_inner);
            let known = |number: &i32| Some((*number, Arc::clone(known.get(number)?)));
            numbers.iter().filter_map(known).collect()
        };
        let missing: Vec<i32> = numbers.into_iter().filter(|number| !found.contains_key(number)).collect();
        if missing.is_empty() {
            return Ok(found);
        }
        let rows: Vec<(i32, Json<Value>)> = sqlx::query_as(
            "SELECT number, folded FROM certification_destinations WHERE certification_id = $1 AND number = ANY ($2)",
        )
        .bind(self.certification.id)
        .bind(missing)
        .fetch_all(pool)
        .await?;
        let read = |(number, json): (i32, Json<Value>)| (number, Arc::new(Folded::read(&json.0, &self.named)));
        let read: Vec<(i32, Arc<Folded>)> = rows.into_iter().map(read).collect();
        found.extend(read.iter().cloned());
        let mut known = self.destinations.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() + read.len() > DESTINATIONS {
            known.clear();
        }
        known.extend(read);
        Ok(found)
    }

    fn seen(&self, row: &PgRow, state: &RowState) -> sqlx::Result<Seen> {
        let mut grant = Folded::default();
        if self.named.contains(&Attribute::GrantGrantedAt) {
            grant = grant.time(Attribute::GrantGrantedAt, Some(row.try_get::<DateTime<Utc>, _>("granted_at")?));
        }
        if self.named.contains(&Attribute::GrantAttributes) {
            let attributes: Option<Json<BTreeMap<String, String>>> = row.try_get("attributes_folded")?;
            grant = grant.custom(Attribute::GrantAttributes, &attributes.unwrap_or_default().0);
        }
        if self.named.iter().any(|attribute| attribute.is_current()) {
            grant = state.row.standing.current(grant);
        }
        let decision: Option<String> = row.try_get("previous_decision")?;
        let previous = match decision {
            None => None,
            Some(decision) => Some(Standing {
                decision: Decision::read(&decision).unwrap_or_default(),
                notes: row.try_get("previous_notes")?,
                is_signed_off: row.try_get("was_signed_off")?,
            }),
        };
        let previous = previous.as_ref().map(Standing::previous);
        Ok(Seen { grant, previous, is_unchanged: row.try_get("is_unchanged")? })
    }
}
