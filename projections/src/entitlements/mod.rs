//! `entitlements`: what applications can grant.

mod queries;

use std::collections::BTreeMap;

use aggregates::entitlement::{EntitlementEvent, EntitlementRecord};
use aggregates::{DomainEvent, Recorded};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

pub use queries::{find_current, keys, known, list};

use crate::copied::Fields;
use crate::counts::Changes;
use crate::versions::{self, Validity, Version, Versions};
use crate::{Applied, Apply, Projection};

pub(crate) const PROJECTION: Projection = Projection {
    name: "entitlements",
    version: 2,
    aggregate_types: &[aggregates::entitlement::TYPE],
    tables: include_str!("tables.sql"),
    apply: Apply::Alone(apply),
};

/// A version of an entitlement.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns' comments say it")]
pub struct EntitlementRow {
    pub id: Uuid,
    pub application_id: Uuid,
    pub key: String,
    pub name: Option<String>,
    pub r#type: Option<String>,
    pub description: Option<String>,
    pub owner: Option<String>,
    pub is_privileged: Option<bool>,
    pub attributes: Json<BTreeMap<String, String>>,
    pub first_seen_at: DateTime<Utc>,
    #[sqlx(flatten)]
    pub validity: Validity,
}

impl Version for EntitlementRow {
    const TABLE: &'static str = "entitlements";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "application_id",
        "key",
        "name",
        "type",
        "description",
        "owner",
        "is_privileged",
        "attributes",
        "first_seen_at",
        "valid_from",
        "valid_to",
        "valid_from_at",
        "valid_to_at",
    ];
    fn write(&self, row: &mut Fields) -> sqlx::Result<()> {
        row.field(self.id)?;
        row.field(self.application_id)?;
        row.field(self.key.as_str())?;
        row.field(self.name.as_deref())?;
        row.field(self.r#type.as_deref())?;
        row.field(self.description.as_deref())?;
        row.field(self.owner.as_deref())?;
        row.field(self.is_privileged)?;
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

impl EntitlementRow {
    fn of(
        event: &Recorded,
        application_id: Uuid,
        key: &str,
        first_seen_at: DateTime<Utc>,
        record: &EntitlementRecord,
    ) -> Self {
        Self {
            id: event.id(),
            application_id,
            key: key.to_owned(),
            name: record.name.clone(),
            r#type: record.r#type.clone(),
            description: record.description.clone(),
            owner: record.owner.clone(),
            is_privileged: record.is_privileged,
            attributes: Json(record.attributes.clone()),
            first_seen_at,
            validity: Validity::from(event),
        }
    }

    /// What the feed said.
    pub fn record(self) -> EntitlementRecord {
        EntitlementRecord {
            name: self.name,
            r#type: self.r#type,
            description: self.description,
            owner: self.owner,
            is_privileged: self.is_privileged,
            attributes: self.attributes.0,
        }
    }
}

fn apply<'a>(connection: &'a mut PgConnection, batch: &'a [Recorded]) -> Applied<'a> {
    Box::pin(async move {
        let touching = batch.iter().filter(|event| matches!(*event.event, DomainEvent::Entitlement(_)));
        let mut versions = Versions::<EntitlementRow>::load(connection, &versions::known(touching)).await?;
        let mut counts = Changes::default();
        for event in batch {
            let DomainEvent::Entitlement(entitlement) = &*event.event else {
                continue;
            };
            let was_current = i64::from(versions.is_current(event.id()));
            match entitlement {
                EntitlementEvent::EntitlementAdded { application_id, key, record, .. } => {
                    versions.open(EntitlementRow::of(event, *application_id, key, event.recorded_at, record), event);
                    counts.add("entitlements", *application_id, 1 - was_current);
                }
                EntitlementEvent::EntitlementChanged { application_id, record, .. } => {
                    let Some(known) = versions.latest(event.id()) else {
                        continue;
                    };
                    let (key, first_seen_at) = (known.key.clone(), known.first_seen_at);
                    versions.open(EntitlementRow::of(event, *application_id, &key, first_seen_at, record), event);
                    counts.add("entitlements", *application_id, 1 - was_current);
                }
                EntitlementEvent::EntitlementRemoved { application_id, .. } => {
                    versions.close(event.id(), event);
                    counts.add("entitlements", *application_id, -was_current);
                }
            }
        }
        versions.store(connection).await?;
        counts.store(connection).await
    })
}
