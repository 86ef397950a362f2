//! `accounts`: log-ins of applications and whose they are.

mod queries;

use std::collections::BTreeMap;

use aggregates::account::{AccountEvent, AccountRecord, FoundBy};
use aggregates::{Actor, DomainEvent, Recorded};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

pub use queries::{KnownAccount, find, keys, known, list, of_identity};

use crate::copied::Fields;
use crate::counts::Changes;
use crate::versions::{self, Validity, Version, Versions};
use crate::{Applied, Apply, Projection};

pub(crate) const PROJECTION: Projection = Projection {
    name: "accounts",
    version: 5,
    aggregate_types: &[aggregates::account::TYPE],
    tables: include_str!("tables.sql"),
    apply: Apply::Alone(apply),
};

/// Why an account belongs to its identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Correlation {
    /// The account's field equals the identity's.
    Rule { account_field: String, identity_field: String },
    /// A rule with a name says so.
    NamedRule { rule: String },
    /// Somebody said so.
    Manual { by: Actor, at: DateTime<Utc>, comment: Option<String> },
}

impl From<FoundBy> for Correlation {
    fn from(by: FoundBy) -> Self {
        match by {
            FoundBy::Fields { account_field, identity_field } => Self::Rule { account_field, identity_field },
            FoundBy::Rule { rule } => Self::NamedRule { rule },
        }
    }
}

/// A version of an account.
#[derive(Debug, Clone, sqlx::FromRow)]
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
    /// Boxed, since few have one and lists of accounts are copied.
    pub correlation: Option<Json<Box<Correlation>>>,
    pub first_seen_at: DateTime<Utc>,
    #[sqlx(flatten)]
    pub validity: Validity,
}

impl Version for AccountRow {
    const TABLE: &'static str = "accounts";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "application_id",
        "key",
        "name",
        "identity",
        "email",
        "employee_id",
        "is_active",
        "last_login_at",
        "type",
        "attributes",
        "identity_id",
        "correlation",
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
        row.field(self.identity.as_deref())?;
        row.field(self.email.as_deref())?;
        row.field(self.employee_id.as_deref())?;
        row.field(self.is_active)?;
        row.field(self.last_login_at)?;
        row.field(self.r#type.as_deref())?;
        row.json(Some(&self.attributes))?;
        row.field(self.identity_id)?;
        row.json(self.correlation.as_ref())?;
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
            correlation: None,
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

    fn owned(self, owner: Option<(Uuid, Correlation)>) -> Self {
        let (identity_id, correlation) = owner.unzip();
        Self { identity_id, correlation: correlation.map(Box::new).map(Json), ..self }
    }

    fn is_assigned(&self) -> bool {
        self.correlation.as_ref().is_some_and(|Json(correlation)| matches!(**correlation, Correlation::Manual { .. }))
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
        let touches = |event: &&Recorded| match &*event.event {
            DomainEvent::Account(account) => !matches!(account, AccountEvent::AccountAccessChanged { .. }),
            _ => false,
        };
        let mut versions =
            Versions::<AccountRow>::load(connection, &versions::known(batch.iter().filter(touches))).await?;
        let mut counts = Changes::default();
        for event in batch.iter().filter(touches) {
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
                AccountEvent::AccountCorrelated { .. }
                | AccountEvent::AccountUncorrelated { .. }
                | AccountEvent::AccountAssigned { .. }
                | AccountEvent::AccountReleased { .. } => {
                    let Some(known) = versions.latest(event.id()).cloned() else {
                        continue;
                    };
                    let is_by_hand =
                        matches!(account, AccountEvent::AccountAssigned { .. } | AccountEvent::AccountReleased { .. });
                    // What was said by hand holds until it is taken back by hand (aggregates::account).
                    if known.is_assigned() && !is_by_hand {
                        continue;
                    }
                    versions.open(known.owned(owner(event, account)), event);
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

/// Whose an account is after an event that says so, and why.
fn owner(event: &Recorded, account: &AccountEvent) -> Option<(Uuid, Correlation)> {
    match account {
        AccountEvent::AccountCorrelated { identity_id, by, .. } => Some((*identity_id, by.clone().into())),
        AccountEvent::AccountAssigned { identity_id, comment } => {
            let by = Actor::clone(&event.actor);
            Some((*identity_id, Correlation::Manual { by, at: event.recorded_at, comment: comment.clone() }))
        }
        AccountEvent::AccountReleased { correlation: Some(found) } => {
            Some((found.identity_id, found.by.clone().into()))
        }
        _ => None,
    }
}

/// Is it current, and current without an identity? As 1 or 0.
fn current(versions: &mut Versions<AccountRow>, id: Uuid) -> (i64, i64) {
    if !versions.is_current(id) {
        return (0, 0);
    }
    (1, versions.latest(id).map_or(0, |row| i64::from(row.identity_id.is_none())))
}
