//! What a certification reviews, as it was at a position: read again it is the same, whatever happened since.

use std::collections::{BTreeMap, HashMap};

use aggregates::certification::History;
use aggregates::certification_rows::{Destination, Source};
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{Executor, FromRow, PgConnection, PgPool, Postgres, Row, Transaction};
use uuid::Uuid;

use crate::entitlements::EntitlementRow;
use crate::identities::IdentityRow;
use crate::versions;

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
    /// The person's supervisor, if they are Active.
    pub manager_id: Option<Uuid>,
}

/// The tables as they are at one moment, so that nothing that ends meanwhile is missed. What held at an earlier position is found by
/// halves, each with an index of its own: what still holds, and what has ended since.
pub async fn snapshot(pool: &PgPool) -> sqlx::Result<Transaction<'static, Postgres>> {
    let mut transaction = pool.begin().await?;
    transaction.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    Ok(transaction)
}

/// Grants of an application that held at a position and still do, in the order of account and entitlement, after the given one.
pub async fn grants_holding(
    connection: &mut PgConnection,
    application: Uuid,
    position: i64,
    after: (Uuid, Uuid),
    limit: i64,
) -> sqlx::Result<Vec<CollectedGrant>> {
    sqlx::query_as(
        "SELECT account_id, entitlement_id, attributes, granted_at FROM grants
         WHERE application_id = $1 AND valid_to IS NULL AND (account_id, entitlement_id) > ($2, $3) AND valid_from <= $4
         ORDER BY application_id, account_id, entitlement_id LIMIT $5",
    )
    .bind(application)
    .bind(after.0)
    .bind(after.1)
    .bind(position)
    .bind(limit)
    .fetch_all(connection)
    .await
}

/// Grants of an application that held at a position and have ended since, in the order of account and entitlement.
pub async fn grants_ended(
    connection: &mut PgConnection,
    application: Uuid,
    position: i64,
) -> sqlx::Result<Vec<CollectedGrant>> {
    sqlx::query_as(
        "SELECT account_id, entitlement_id, attributes, granted_at FROM grants
         WHERE application_id = $1 AND valid_to IS NOT NULL AND valid_to > $2 AND valid_from <= $2
         ORDER BY application_id, account_id, entitlement_id, valid_from",
    )
    .bind(application)
    .bind(position)
    .fetch_all(connection)
    .await
}

/// Accounts as they were at a position, each with its person as they were.
pub async fn accounts_at(
    connection: &mut PgConnection,
    accounts: &[Uuid],
    position: i64,
) -> sqlx::Result<HashMap<Uuid, CollectedAccount>> {
    let rows = sqlx::query(&format!(
        "SELECT i.*, m.id AS manager_id, a.id AS account_id, a.key AS account_key, a.name AS account_name,
                a.email AS account_email, a.employee_id AS account_employee_id, a.is_active AS account_is_active,
                a.last_login_at AS account_last_login_at, a.type AS account_type, a.attributes AS account_attributes
         FROM unnest($2::uuid[]) AS u (id)
         CROSS JOIN LATERAL {} AS a
         LEFT JOIN identities AS i ON i.id = a.identity_id AND i.valid_from <= $1 AND (i.valid_to IS NULL OR i.valid_to > $1)
         LEFT JOIN identities AS m ON m.id = i.supervisor_id AND m.valid_to IS NULL AND m.status = 'Active'",
        versions::at("accounts", "$1", "id = u.id")
    ))
    .bind(position)
    .bind(accounts)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| account(row).map(|account| (account.id, account))).collect()
}

fn account(row: &PgRow) -> sqlx::Result<CollectedAccount> {
    let identity = match row.try_get::<Option<Uuid>, _>("id")? {
        Some(_) => Some(IdentityRow::from_row(row)?),
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
        manager_id: row.try_get("manager_id")?,
    })
}

/// The entitlements of an application as they were at a position.
pub async fn entitlements_at(
    connection: &mut PgConnection,
    application: Uuid,
    position: i64,
) -> sqlx::Result<Vec<EntitlementRow>> {
    sqlx::query_as(
        "SELECT * FROM entitlements WHERE application_id = $1 AND valid_to IS NULL AND valid_from <= $2
         UNION ALL
         SELECT * FROM entitlements WHERE application_id = $1 AND valid_to IS NOT NULL AND valid_to > $2 AND valid_from <= $2",
    )
    .bind(application)
    .bind(position)
    .fetch_all(connection)
    .await
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
