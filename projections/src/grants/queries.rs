use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{FromRow, PgExecutor, PgPool, Row};
use uuid::Uuid;

use crate::counts;
use crate::page::{Page, Window};

/// A current grant with its account, entitlement and origin (rulings 22).
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns' comments say it")]
pub struct GrantRow {
    pub application_id: Uuid,
    pub account_id: Uuid,
    pub account_key: String,
    pub account_name: Option<String>,
    pub identity_id: Option<Uuid>,
    pub entitlement_id: Uuid,
    pub entitlement_key: String,
    pub entitlement_name: Option<String>,
    pub attributes: Option<Json<BTreeMap<String, String>>>,
    pub granted_at: DateTime<Utc>,
    pub granted_position: i64,
    pub granted_import_id: Uuid,
    pub granted_import_number: i64,
}

/// `{window}` stands for the rows of `grants` that are wanted: a page is found on the index alone, then joined.
const SELECT: &str = "
    SELECT g.*, a.key AS account_key, a.name AS account_name, a.identity_id,
           e.key AS entitlement_key, e.name AS entitlement_name, i.number AS granted_import_number
    FROM ({window}) AS w
    JOIN grants AS g ON g.application_id = w.application_id AND g.account_id = w.account_id
        AND g.entitlement_id = w.entitlement_id AND g.valid_to IS NULL
    JOIN accounts AS a ON a.id = g.account_id AND a.valid_to IS NULL
    JOIN entitlements AS e ON e.id = g.entitlement_id AND e.valid_to IS NULL
    JOIN application_imports AS i ON i.id = g.granted_import_id
    ORDER BY g.account_id, g.entitlement_id";

/// One page of an application's current grants, account by account.
pub async fn list(pool: &PgPool, application: Uuid, page: i64) -> sqlx::Result<Page<GrantRow>> {
    let total = counts::rows(pool, "grants", application).await?;
    let window = Window::of(page, total);
    let direction = window.direction();
    let wanted = format!(
        "SELECT application_id, account_id, entitlement_id FROM grants
         WHERE application_id = $1 AND valid_to IS NULL
         ORDER BY application_id {direction}, account_id {direction}, entitlement_id {direction} OFFSET $2 LIMIT $3"
    );
    let items = sqlx::query_as(&SELECT.replace("{window}", &wanted))
        .bind(application)
        .bind(window.offset)
        .bind(window.limit)
        .fetch_all(pool)
        .await?;
    Ok(Page { items, total })
}

/// The current grants of these accounts.
pub async fn of_accounts(executor: impl PgExecutor<'_>, accounts: &[(Uuid, Uuid)]) -> sqlx::Result<Vec<GrantRow>> {
    let wanted = "SELECT g.application_id, g.account_id, g.entitlement_id
         FROM unnest($1::uuid[], $2::uuid[]) AS u (application_id, account_id)
         JOIN grants AS g ON g.application_id = u.application_id AND g.account_id = u.account_id AND g.valid_to IS NULL";
    sqlx::query_as(&SELECT.replace("{window}", wanted))
        .bind(accounts.iter().map(|(application, _)| *application).collect::<Vec<_>>())
        .bind(accounts.iter().map(|(_, account)| *account).collect::<Vec<_>>())
        .fetch_all(executor)
        .await
}

/// How many current grants an account has.
pub async fn count(executor: impl PgExecutor<'_>, application: Uuid, account: Uuid) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT count(*) FROM grants WHERE application_id = $1 AND account_id = $2 AND valid_to IS NULL")
        .bind(application)
        .bind(account)
        .fetch_one(executor)
        .await
}

/// What an account holds, as an import compares it.
#[derive(Debug, Clone)]
pub struct HeldAccess {
    /// The account.
    pub account_id: Uuid,
    /// What it may do, ascending.
    pub entitlements: Vec<Uuid>,
    /// Attributes of those grants that have some.
    pub attributes: Option<Json<BTreeMap<Uuid, BTreeMap<String, String>>>>,
}

impl FromRow<'_, PgRow> for HeldAccess {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let joined: &[u8] = row.try_get(1)?;
        let mut entitlements: Vec<Uuid> = joined.as_chunks().0.iter().map(|id| Uuid::from_bytes(*id)).collect();
        entitlements.sort_unstable();
        Ok(Self { account_id: row.try_get(0)?, entitlements, attributes: row.try_get(2)? })
    }
}

/// What accounts of an application hold, ascending after the given one: at most `limit` accounts of those that hold anything.
pub async fn held(
    executor: impl PgExecutor<'_>,
    application: Uuid,
    after: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<HeldAccess>> {
    // An account is one row, and its entitlements one value: what each costs on its way is more than what it says.
    sqlx::query_as(
        "SELECT account_id, string_agg(uuid_send(entitlement_id), ''),
             jsonb_object_agg(entitlement_id, attributes) FILTER (WHERE attributes IS NOT NULL)
         FROM grants WHERE application_id = $1 AND valid_to IS NULL AND account_id > $2
         GROUP BY account_id ORDER BY account_id LIMIT $3",
    )
    .bind(application)
    .bind(after)
    .bind(limit)
    .fetch_all(executor)
    .await
}
