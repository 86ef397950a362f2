//! `identities`: people across all applications, and what each source says of them.

mod precedence;
mod queries;

use std::collections::{BTreeMap, BTreeSet};

use aggregates::identity::{
    IdentityEvent, IdentityRecord, IdentityStatus, IdentityType, Source, SourceRecord, is_present, merge,
};
use aggregates::settings::SettingsEvent;
use aggregates::{DomainEvent, Recorded};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

pub use precedence::precedence;
pub use queries::{
    Candidate, IdentityView, KnownRecord, OtherRecord, Usual, Whole, active, candidates, find, find_all, is_above,
    known_records, list, named, other_records, usual, was_active_after, with_email, with_emails,
};

use crate::copied::Fields;
use crate::counts::Changes;
use crate::versions::{Validity, Version, Versions};
use crate::{Applied, Apply, Projection};

pub(crate) const PROJECTION: Projection = Projection {
    name: "identities",
    version: 3,
    aggregate_types: &[aggregates::identity::TYPE, aggregates::settings::TYPE],
    tables: include_str!("tables.sql"),
    apply: Apply::Alone(apply),
};

/// A version of an identity.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns' comments say it")]
pub struct IdentityRow {
    pub id: Uuid,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub display_name: Option<String>,
    pub email: Option<String>,
    pub employee_id: Option<String>,
    pub r#type: String,
    pub title: Option<String>,
    pub company: Option<String>,
    pub division: Option<String>,
    pub department: Option<String>,
    pub office: Option<String>,
    pub supervisor: Option<String>,
    pub supervisor_id: Option<Uuid>,
    pub status: String,
    pub created_date: Option<DateTime<Utc>>,
    pub updated_date: Option<DateTime<Utc>>,
    pub inactivated_date: Option<DateTime<Utc>>,
    pub attributes: Json<BTreeMap<String, String>>,
    pub first_seen_at: DateTime<Utc>,
    #[sqlx(flatten)]
    pub validity: Validity,
}

impl Version for IdentityRow {
    const TABLE: &'static str = "identities";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "first_name",
        "last_name",
        "display_name",
        "email",
        "employee_id",
        "type",
        "title",
        "company",
        "division",
        "department",
        "office",
        "supervisor",
        "supervisor_id",
        "status",
        "created_date",
        "updated_date",
        "inactivated_date",
        "attributes",
        "first_seen_at",
        "valid_from",
        "valid_to",
        "valid_from_at",
        "valid_to_at",
    ];
    fn write(&self, row: &mut Fields) -> sqlx::Result<()> {
        row.field(self.id)?;
        row.field(self.first_name.as_deref())?;
        row.field(self.last_name.as_deref())?;
        row.field(self.display_name.as_deref())?;
        row.field(self.email.as_deref())?;
        row.field(self.employee_id.as_deref())?;
        row.field(self.r#type.as_str())?;
        row.field(self.title.as_deref())?;
        row.field(self.company.as_deref())?;
        row.field(self.division.as_deref())?;
        row.field(self.department.as_deref())?;
        row.field(self.office.as_deref())?;
        row.field(self.supervisor.as_deref())?;
        row.field(self.supervisor_id)?;
        row.field(self.status.as_str())?;
        row.field(self.created_date)?;
        row.field(self.updated_date)?;
        row.field(self.inactivated_date)?;
        row.json(Some(&self.attributes))?;
        row.field(self.first_seen_at)?;
        row.validity(&self.validity)
    }
    fn id(&self) -> Uuid {
        self.id
    }
    fn validity(&mut self) -> &mut Validity {
        &mut self.validity
    }
}

impl IdentityRow {
    fn merged(
        id: Uuid,
        event: &Recorded,
        first_seen_at: DateTime<Utc>,
        records: &[SourceRecord],
        order: &[Uuid],
    ) -> Self {
        let merged = merge(records, order);
        let status = status(records, &merged);
        Self {
            id,
            first_name: merged.first_name,
            last_name: merged.last_name,
            display_name: merged.display_name,
            email: merged.email,
            employee_id: merged.employee_id,
            r#type: merged.r#type.unwrap_or(IdentityType::Unknown).as_str().to_owned(),
            title: merged.title,
            company: merged.company,
            division: merged.division,
            department: merged.department,
            office: merged.office,
            supervisor: merged.supervisor,
            supervisor_id: merged.supervisor_id,
            status: status.to_owned(),
            created_date: merged.created_date,
            updated_date: merged.updated_date,
            inactivated_date: merged.inactivated_date,
            attributes: Json(merged.attributes),
            first_seen_at,
            validity: Validity::from(event),
        }
    }
}

/// Active, Disabled or Removed.
fn status(records: &[SourceRecord], merged: &IdentityRecord) -> &'static str {
    if is_present(records) { merged.status.map_or("Active", IdentityStatus::as_str) } else { "Removed" }
}

#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
struct RecordRow {
    application_id: Uuid,
    key: String,
    identity_id: Uuid,
    record: Json<IdentityRecord>,
    is_present: bool,
    matched_by: Option<String>,
}

fn apply<'a>(connection: &'a mut PgConnection, batch: &'a [Recorded]) -> Applied<'a> {
    Box::pin(async move {
        let said: BTreeSet<Uuid> =
            batch.iter().filter(|event| matches!(*event.event, DomainEvent::Identity(_))).map(Recorded::id).collect();
        let is_reordered = batch.iter().any(|event| reordered(event).is_some());
        if said.is_empty() && !is_reordered {
            return Ok(());
        }
        let mut order = precedence(&mut *connection).await?;
        let mut ids = said.clone();
        if is_reordered {
            ids.extend(precedence::concerned(&mut *connection).await?);
        }
        let mut fold = Fold::load(connection, ids.into_iter().collect()).await?;
        for event in batch {
            if let DomainEvent::Identity(identity) = &*event.event {
                fold_record(fold.records.entry(event.id()).or_default(), event.id(), identity);
                fold.merge(event.id(), event, &order);
            } else if let Some(reordered) = reordered(event) {
                order = reordered.to_vec();
                for id in fold.records.keys().copied().collect::<Vec<_>>() {
                    fold.merge(id, event, &order);
                }
            }
        }
        if is_reordered {
            precedence::store(&mut *connection, &order).await?;
        }
        fold.versions.store(connection).await?;
        // Another order changes whom others see, and no record.
        fold.records.retain(|id, _| said.contains(id));
        store_records(connection, fold.records).await?;
        fold.counts.store(connection).await
    })
}

/// The order of the identity sources that an event sets.
fn reordered(event: &Recorded) -> Option<&[Uuid]> {
    match &*event.event {
        DomainEvent::Settings(SettingsEvent::IdentitySourcesOrdered { order }) => Some(order),
        _ => None,
    }
}

/// The identities that a batch touches.
struct Fold {
    versions: Versions<IdentityRow>,
    records: BTreeMap<Uuid, Vec<RecordRow>>,
    counts: Changes,
}

impl Fold {
    async fn load(connection: &mut PgConnection, ids: Vec<Uuid>) -> sqlx::Result<Self> {
        let versions = Versions::load(connection, &ids).await?;
        let mut records: BTreeMap<Uuid, Vec<RecordRow>> = BTreeMap::new();
        let stored: Vec<RecordRow> =
            sqlx::query_as("SELECT * FROM identity_records WHERE identity_id = ANY($1) ORDER BY application_id, key")
                .bind(ids)
                .fetch_all(&mut *connection)
                .await?;
        for row in stored {
            records.entry(row.identity_id).or_default().push(row);
        }
        Ok(Self { versions, records, counts: Changes::default() })
    }

    /// Begins another version of an identity, if what its sources say amounts to another person.
    fn merge(&mut self, id: Uuid, event: &Recorded, order: &[Uuid]) {
        let said = said(self.records.get(&id).into_iter().flatten());
        let known = self.versions.latest(id).cloned();
        let first_seen_at = known.as_ref().map_or(event.recorded_at, |row| row.first_seen_at);
        let row = IdentityRow::merged(id, event, first_seen_at, &said, order);
        match known {
            None => self.counts.add("identities", Uuid::nil(), 1),
            // A source said something that a source before it overrules: the person that others see is the same.
            Some(known) if (IdentityRow { validity: known.validity.clone(), ..row.clone() }) == known => return,
            Some(_) => {}
        }
        self.versions.open(row, event);
    }
}

/// Rows as the rules see them.
fn said<'a>(rows: impl Iterator<Item = &'a RecordRow>) -> Vec<SourceRecord> {
    rows.map(|row| SourceRecord {
        source: Source { application_id: row.application_id, key: row.key.clone() },
        record: row.record.0.clone(),
        is_present: row.is_present,
    })
    .collect()
}

fn fold_record(rows: &mut Vec<RecordRow>, identity_id: Uuid, event: &IdentityEvent) {
    let mut records = said(rows.iter());
    aggregates::identity::fold(&mut records, event.clone());
    // A record's place never changes; a new one comes last.
    let mut matched: Vec<Option<String>> = rows.drain(..).map(|row| row.matched_by).collect();
    if let IdentityEvent::IdentityLinked { matched_by, .. } = event
        && matched.len() < records.len()
    {
        matched.push(Some(matched_by.clone()));
    }
    matched.resize(records.len(), None);
    rows.extend(records.into_iter().zip(matched).map(|(said, matched_by)| RecordRow {
        application_id: said.source.application_id,
        key: said.source.key,
        identity_id,
        record: Json(said.record),
        is_present: said.is_present,
        matched_by,
    }));
}

async fn store_records(connection: &mut PgConnection, records: BTreeMap<Uuid, Vec<RecordRow>>) -> sqlx::Result<()> {
    let rows: Vec<RecordRow> = records.into_values().flatten().collect();
    if rows.is_empty() {
        return Ok(());
    }
    let json = serde_json::to_string(&rows).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query(
        "INSERT INTO identity_records SELECT * FROM json_populate_recordset(NULL::identity_records, $1::json)
         ON CONFLICT (application_id, key) DO UPDATE SET record = excluded.record, is_present = excluded.is_present",
    )
    .bind(json)
    .execute(connection)
    .await?;
    Ok(())
}
