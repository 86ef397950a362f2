//! `certifications`: reviews of access with their rows. Accounts and entitlements are kept once a certification; a row is narrow,
//! since there may be a million and each is written again when it is decided.

mod collect;
mod decided;
mod evaluation;
mod queries;
mod recorded;
mod rows;

use std::collections::{BTreeMap, BTreeSet};

use aggregates::certification::{CertificationDefinition, CertificationEvent, Completeness, State};
use aggregates::certification_row::Phase;
use aggregates::party::Party;
use aggregates::{DomainEvent, Recorded};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

pub use collect::{
    CollectedAccount, CollectedGrant, accounts_at, entitlements_at, grants_ended, grants_holding, history_of, snapshot,
};
pub use evaluation::{Evaluation, Match};
pub use queries::{all_due, all_searching, find, last_number, latest_ended, of_workflow};
pub use rows::{Direction, ResultRow, RowState, Wanted, matching, page, result, standings, states, subjects};

use crate::{Applied, Apply, Projection, versions};

pub(crate) const PROJECTION: Projection = Projection {
    name: "certifications",
    version: 2,
    aggregate_types: &[
        aggregates::certification::TYPE,
        aggregates::certification_row::TYPE,
        aggregates::certification_rows::TYPE,
    ],
    tables: include_str!("tables.sql"),
    apply: Apply::Alone(apply),
};

/// A certification.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns' comments say it")]
pub struct CertificationRow {
    pub id: Uuid,
    pub number: i64,
    pub workflow_id: Uuid,
    pub state: String,
    pub definition: Json<CertificationDefinition>,
    pub created_position: i64,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
    pub created_by_id: String,
    pub searched_at: Option<DateTime<Utc>>,
    pub due_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
    pub ended_position: Option<i64>,
    pub ended_by: Option<String>,
    pub ended_by_id: Option<String>,
    pub completeness: Option<Json<Completeness>>,
    pub total_count: i64,
    pub accepted_count: i64,
    pub rejected_count: i64,
    pub fixed_count: i64,
    pub signed_off_count: i64,
    pub results_updated_at: Option<DateTime<Utc>>,
    pub updated_at: DateTime<Utc>,
    pub version: i64,
}

impl CertificationRow {
    fn new(event: &Recorded, number: i64, definition: &CertificationDefinition) -> Self {
        let creator = Party::from(&*event.actor);
        Self {
            id: event.id(),
            number,
            workflow_id: definition.workflow_id,
            state: String::new(),
            definition: Json(definition.clone()),
            created_position: event.position,
            created_at: event.recorded_at,
            created_by_id: creator.id(),
            created_by: creator.name,
            searched_at: None,
            due_at: definition.due_at,
            ended_at: None,
            ended_position: None,
            ended_by: None,
            ended_by_id: None,
            completeness: None,
            total_count: 0,
            accepted_count: 0,
            rejected_count: 0,
            fixed_count: 0,
            signed_off_count: 0,
            results_updated_at: None,
            updated_at: event.recorded_at,
            version: 0,
        }
    }

    /// What its rows may be done to.
    pub fn phase(&self, now: DateTime<Utc>) -> Phase {
        State::read(&self.state).unwrap_or_default().phase(self.ended_at.or(self.due_at), now)
    }

    fn fold(&mut self, event: &Recorded, said: &CertificationEvent) {
        let state = match said {
            CertificationEvent::CertificationCreated { .. } | CertificationEvent::CertificationSearchClaimed { .. } => {
                State::Searching
            }
            CertificationEvent::CertificationSearchCompleted { completeness, .. } => {
                self.completeness = Some(Json(completeness.clone()));
                self.searched_at = Some(event.recorded_at);
                State::InProgress
            }
            CertificationEvent::CertificationCompleted {} => State::Completed,
            CertificationEvent::CertificationExpired {} => State::Expired,
        };
        if matches!(state, State::Completed | State::Expired) {
            let by = Party::from(&*event.actor);
            // It has expired at its due date, whenever a worker said so.
            self.ended_at = Some(self.due_at.filter(|_| state == State::Expired).unwrap_or(event.recorded_at));
            self.ended_position = Some(event.position);
            self.ended_by_id = Some(by.id());
            self.ended_by = Some(by.name);
        }
        state.as_str().clone_into(&mut self.state);
        self.updated_at = event.recorded_at;
        self.version = event.sequence;
    }
}

/// What a batch adds to the counts of certifications.
#[derive(Default)]
struct Counts(BTreeMap<Uuid, Count>);

#[derive(Default)]
struct Count {
    total: i64,
    accepted: i64,
    rejected: i64,
    fixed: i64,
    signed_off: i64,
    at: Option<DateTime<Utc>>,
}

fn apply<'a>(connection: &'a mut PgConnection, batch: &'a [Recorded]) -> Applied<'a> {
    Box::pin(async move {
        write_certifications(&mut *connection, batch).await?;
        let mut counts = Counts::default();
        recorded::write(&mut *connection, batch, &mut counts).await?;
        decided::write(&mut *connection, batch, &mut counts).await?;
        counts.store(connection).await
    })
}

async fn write_certifications(connection: &mut PgConnection, batch: &[Recorded]) -> sqlx::Result<()> {
    let said = |event: &Recorded| matches!(*event.event, DomainEvent::Certification(_));
    let ids: BTreeSet<Uuid> = batch.iter().filter(|event| said(event)).map(Recorded::id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let stored: Vec<CertificationRow> = sqlx::query_as("DELETE FROM certifications WHERE id = ANY ($1) RETURNING *")
        .bind(&ids)
        .fetch_all(&mut *connection)
        .await?;
    let mut rows: BTreeMap<Uuid, CertificationRow> = stored.into_iter().map(|row| (row.id, row)).collect();
    // Those that were just taken out count, too.
    let mut number = last_number(&mut *connection).await?.max(rows.values().map(|row| row.number).max().unwrap_or(0));
    for event in batch {
        let DomainEvent::Certification(said) = &*event.event else { continue };
        if let CertificationEvent::CertificationCreated { definition } = said {
            number += 1;
            rows.insert(event.id(), CertificationRow::new(event, number, definition));
        }
        if let Some(row) = rows.get_mut(&event.id()) {
            row.fold(event, said);
        }
    }
    let rows: Vec<CertificationRow> = rows.into_values().collect();
    versions::insert(connection, "certifications", &rows).await
}

impl Counts {
    fn of(&mut self, certification: Uuid, at: DateTime<Utc>) -> &mut Count {
        let count = self.0.entry(certification).or_default();
        count.at = Some(at);
        count
    }

    async fn store(self, connection: &mut PgConnection) -> sqlx::Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let all = |count: fn(&Count) -> i64| self.0.values().map(count).collect::<Vec<i64>>();
        sqlx::query(
            "UPDATE certifications AS c SET total_count = c.total_count + u.total,
                 accepted_count = c.accepted_count + u.accepted, rejected_count = c.rejected_count + u.rejected,
                 fixed_count = c.fixed_count + u.fixed, signed_off_count = c.signed_off_count + u.signed_off,
                 results_updated_at = u.at
             FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::timestamptz[])
                 AS u (id, total, accepted, rejected, fixed, signed_off, at)
             WHERE c.id = u.id",
        )
        .bind(self.0.keys().copied().collect::<Vec<_>>())
        .bind(all(|count| count.total))
        .bind(all(|count| count.accepted))
        .bind(all(|count| count.rejected))
        .bind(all(|count| count.fixed))
        .bind(all(|count| count.signed_off))
        .bind(self.0.values().map(|count| count.at).collect::<Vec<_>>())
        .execute(connection)
        .await?;
        Ok(())
    }
}
