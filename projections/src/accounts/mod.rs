//! `accounts`: log-ins of applications and whose they are.

mod queries;

use std::collections::BTreeMap;

use aggregates::account::{AccountEvent, AccountRecord};
use aggregates::{DomainEvent, Recorded};
use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

pub use queries::{keys, known, list, of_identity};

use crate::counts::Changes;
use crate::versions::{Validity, Version, Versions};
use crate::{Applied, Projection};

pub(crate) const PROJECTION: Projection = Projection {
    name: "accounts",
    version: 1,
    aggregate_types: &[aggregates::account::TYPE],
    tables: include_str!("tables.sql"),
    apply,
};

/// A version of an account.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns' comments say it")]
pub struct AccountRow {
    pub id: Uuid,
    pub application_id: Uuid,
    pub key: String,
    pub name: Option<String>,
    pub identity: Option<String>,
    pub email: Option<String>,
    pub employee_id: Option<String>,
    pub is_active: Option<bool>,
    pub last_login_at: Option<DateTime<Utc>>,
    pub r#type: Option<String>,
    pub attributes: Json<BTreeMap<String, String>>,
    pub identity_id: Option<Uuid>,
    pub correlated_by: Option<String>,
    pub first_seen_at: DateTime<Utc>,
    #[serde(flatten)]
    #[sqlx(flatten)]
    pub validity: Validity,
}

impl Version for AccountRow {
    const TABLE: &'static str = "accounts";
    fn id(&self) -> Uuid {
        self.id
    }
    fn validity(&mut self) -> &mut Validity {
        &mut self.validity
    }
}

impl AccountRow {
    fn added(event: &Recorded, application_id: Uuid, key: &str, record: &AccountRecord) -> Self {
        let row = Self {
            id: event.id(),
            application_id,
            key: key.to_owned(),
            name: None,
            identity: None,
            email: None,
            employee_id: None,
            is_active: None,
            last_login_at: None,
            r#type: None,
            attributes: Json(BTreeMap::new()),
            identity_id: None,
            correlated_by: None,
            first_seen_at: event.recorded_at,
            validity: Validity::from(event),
        };
        row.with(record)
    }

    fn with(self, record: &AccountRecord) -> Self {
        Self {
            name: record.name.clone(),
            identity: record.identity.clone(),
            email: record.email.clone(),
            employee_id: record.employee_id.clone(),
            is_active: record.is_active,
            last_login_at: record.last_login_at,
            r#type: record.r#type.clone(),
            attributes: Json(record.attributes.clone()),
            ..self
        }
    }

    /// What the feed said.
    pub fn record(self) -> AccountRecord {
        AccountRecord {
            name: self.name,
            identity: self.identity,
            email: self.email,
            employee_id: self.employee_id,
            is_active: self.is_active,
            last_login_at: self.last_login_at,
            r#type: self.r#type,
            attributes: self.attributes.0,
        }
    }
}

fn apply<'a>(connection: &'a mut PgConnection, batch: &'a [Recorded]) -> Applied<'a> {
    Box::pin(async move {
        let ids: Vec<Uuid> = batch
            .iter()
            .filter(|event| match &*event.event {
                DomainEvent::Account(account) => !matches!(account, AccountEvent::AccountAccessChanged { .. }),
                _ => false,
            })
            .map(Recorded::id)
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        let mut versions = Versions::<AccountRow>::load(connection, &ids).await?;
        let mut counts = Changes::default();
        for event in batch {
            let DomainEvent::Account(account) = &*event.event else {
                continue;
            };
            let before = current(&mut versions, event.id());
            match account {
                AccountEvent::AccountAdded { application_id, key, record, .. } => {
                    versions.open(AccountRow::added(event, *application_id, key, record), event);
                }
                AccountEvent::AccountChanged { record, .. } => {
                    let Some(known) = versions.latest(event.id()).cloned() else {
                        continue;
                    };
                    versions.open(known.with(record), event);
                }
                AccountEvent::AccountRemoved { .. } => versions.close(event.id(), event),
                AccountEvent::AccountCorrelated { identity_id, account_field, identity_field, .. } => {
                    let Some(mut row) = versions.latest(event.id()).cloned() else {
                        continue;
                    };
                    row.identity_id = Some(*identity_id);
                    row.correlated_by = Some(format!("{account_field} = {identity_field}"));
                    versions.open(row, event);
                }
                AccountEvent::AccountUncorrelated { .. } => {
                    let Some(mut row) = versions.latest(event.id()).cloned() else {
                        continue;
                    };
                    row.identity_id = None;
                    row.correlated_by = None;
                    versions.open(row, event);
                }
                AccountEvent::AccountAccessChanged { .. } => continue,
            }
            let after = current(&mut versions, event.id());
            let Some(application) = versions.latest(event.id()).map(|row| row.application_id) else {
                continue;
            };
            counts.add("accounts", application, after.0 - before.0);
            counts.add("uncorrelated_accounts", application, after.1 - before.1);
        }
        versions.store(connection).await?;
        counts.store(connection).await
    })
}

/// Is it current, and current without an identity? As 1 or 0.
fn current(versions: &mut Versions<AccountRow>, id: Uuid) -> (i64, i64) {
    if !versions.is_current(id) {
        return (0, 0);
    }
    (1, versions.latest(id).map_or(0, |row| i64::from(row.identity_id.is_none())))
}
