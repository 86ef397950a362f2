//! What a certification reviews, as it was at a position: read again it is the same, whatever happened since.

use std::collections::{BTreeMap, HashMap};

use aggregates::certification::History;
use aggregates::certification_rows::{Destination, Source};
use chrono::{DateTime, Utc};
use futures_util::{Stream, TryStreamExt};
use sqlx::types::Json;
use sqlx::{FromRow, PgPool, Row};
use uuid::Uuid;

use crate::entitlements::EntitlementRow;
use crate::identities::IdentityRow;

/// Custom attributes; null = none.
type Attributes = Option<Json<BTreeMap<String, String>>>;

/// A grant.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns' comments say it")]
pub struct CollectedGrant {
    pub account_id: Uuid,
    pub entitlement_id: Uuid,
    pub attributes: Attributes,
    pub granted_at: DateTime<Utc>,
}

/// An account with its person.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns' comments say it")]
pub struct CollectedAccount {
    pub id: Uuid,
    pub key: String,
    pub name: Option<String>,
    pub email: Option<String>,
    pub employee_id: Option<String>,
    pub is_active: Option<bool>,
    pub last_login_at: Option<DateTime<Utc>>,
    pub r#type: Option<String>,
    pub attributes: BTreeMap<String, String>,
    /// `None` = nobody is known to have it.
    pub identity: Option<IdentityRow>,
}

/// Held at position `$1`: of two conditions on one row neither is about "now".
const AT: &str = "valid_from <= $1 AND (valid_to IS NULL OR valid_to > $1)";

/// The grants of an application, account by account.
pub fn grants_at(
    pool: &PgPool,
    application: Uuid,
    position: i64,
) -> impl Stream<Item = sqlx::Result<CollectedGrant>> + Send + '_ {
    sqlx::query_as(
        "SELECT account_id, entitlement_id, attributes, granted_at FROM grants
         WHERE application_id = $2 AND valid_from <= $1 AND (valid_to IS NULL OR valid_to > $1)
         ORDER BY account_id, entitlement_id",
    )
    .bind(position)
    .bind(application)
    .fetch(pool)
}

/// The accounts of an application in the order of their ids, each with its person.
pub fn accounts_at(
    pool: &PgPool,
    application: Uuid,
    position: i64,
) -> impl Stream<Item = sqlx::Result<CollectedAccount>> + Send + '_ {
    sqlx::query(
        "SELECT i.*, a.id AS account_id, a.key AS account_key, a.name AS account_name, a.email AS account_email,
                a.employee_id AS account_employee_id, a.is_active AS account_is_active,
                a.last_login_at AS account_last_login_at, a.type AS account_type, a.attributes AS account_attributes
         FROM accounts AS a
         LEFT JOIN identities AS i ON i.id = a.identity_id AND i.valid_from <= $1 AND (i.valid_to IS NULL OR i.valid_to > $1)
         WHERE a.application_id = $2 AND a.valid_from <= $1 AND (a.valid_to IS NULL OR a.valid_to > $1)
         ORDER BY a.id",
    )
    .bind(position)
    .bind(application)
    .fetch(pool)
    .and_then(|row| async move {
        let identity = match row.try_get::<Option<Uuid>, _>("id")? {
            Some(_) => Some(IdentityRow::from_row(&row)?),
            None => None,
        };
        let Json(attributes) = row.try_get("account_attributes")?;
        Ok(CollectedAccount {
            id: row.try_get("account_id")?,
            key: row.try_get("account_key")?,
            name: row.try_get("account_name")?,
            email: row.try_get("account_email")?,
            employee_id: row.try_get("account_employee_id")?,
            is_active: row.try_get("account_is_active")?,
            last_login_at: row.try_get("account_last_login_at")?,
            r#type: row.try_get("account_type")?,
            attributes,
            identity,
        })
    })
}

/// The entitlements of an application by id.
pub async fn entitlements_at(
    pool: &PgPool,
    application: Uuid,
    position: i64,
) -> sqlx::Result<HashMap<Uuid, EntitlementRow>> {
    let rows: Vec<EntitlementRow> =
        sqlx::query_as(&format!("SELECT * FROM entitlements WHERE application_id = $2 AND {AT}"))
            .bind(position)
            .bind(application)
            .fetch_all(pool)
            .await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// The rows of a certification, for the next one to find the same rows in.
pub async fn history_of(pool: &PgPool, certification: Uuid) -> sqlx::Result<History> {
    let mut history = History::default();
    let mut sources = sqlx::query_as("SELECT number, source FROM certification_sources WHERE certification_id = $1")
        .bind(certification)
        .fetch(pool);
    while let Some((number, Json(source))) = sources.try_next().await? {
        let (number, source): (i32, Source) = (number, source);
        history.source(number as u32, &source);
    }
    drop(sources);
    let mut destinations =
        sqlx::query_as("SELECT number, destination FROM certification_destinations WHERE certification_id = $1")
            .bind(certification)
            .fetch(pool);
    while let Some((number, Json(destination))) = destinations.try_next().await? {
        let (number, destination): (i32, Destination) = (number, destination);
        history.destination(number as u32, &destination);
    }
    drop(destinations);
    let mut rows = sqlx::query_as(
        "SELECT result_id, source_number, destination_number, attributes FROM certification_rows WHERE certification_id = $1",
    )
    .bind(certification)
    .fetch(pool);
    while let Some(row) = rows.try_next().await? {
        let (result, source, destination, attributes): (i32, i32, i32, Attributes) = row;
        let attributes = attributes.map(|Json(attributes)| attributes).unwrap_or_default();
        history.row(result as u32, source as u32, destination as u32, attributes);
    }
    Ok(history)
}
