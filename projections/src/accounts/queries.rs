use std::collections::HashMap;

use aggregates::account::{AccountRecord, Owner};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor, PgPool, Row};
use uuid::Uuid;

use super::{AccountRow, Correlation};
use crate::page::{Page, Window};
use crate::{counts, versions};

/// One page of an application's current accounts, by key; `correlated` keeps only those with, or without, an identity.
pub async fn list(
    pool: &PgPool,
    application: Uuid,
    correlated: Option<bool>,
    page: i64,
) -> sqlx::Result<Page<AccountRow>> {
    let all = counts::rows(pool, "accounts", application).await?;
    let uncorrelated = counts::rows(pool, "uncorrelated_accounts", application).await?;
    let (total, halves) = match correlated {
        None => (all, &HALVES[..]),
        Some(true) => (all - uncorrelated, &HALVES[1..]),
        Some(false) => (uncorrelated, &HALVES[..1]),
    };
    let window = Window::of(page, total);
    let direction = window.direction();
    let order = format!("ORDER BY key {direction}, id {direction}");
    // Each half in the order of its index, as far as the page may reach into it.
    let halves: Vec<String> = halves.iter().map(|half| format!("({half} {order} LIMIT $2 + $3)")).collect();
    let rows =
        sqlx::query_as(&format!("SELECT * FROM ({}) AS halves {order} OFFSET $2 LIMIT $3", halves.join(" UNION ALL ")))
            .bind(application)
            .bind(window.offset)
            .bind(window.limit)
            .fetch_all(pool)
            .await?;
    Ok(Page { items: window.arrange(rows), total })
}

/// An application's current accounts, those without an identity and those with one: each half has its own index.
const HALVES: [&str; 2] = [
    "SELECT * FROM accounts WHERE application_id = $1 AND valid_to IS NULL AND identity_id IS NULL",
    "SELECT * FROM accounts WHERE application_id = $1 AND valid_to IS NULL AND identity_id IS NOT NULL",
];

/// The native keys of accounts, whether they are still there or not.
pub async fn keys(executor: impl PgExecutor<'_>, ids: &[Uuid]) -> sqlx::Result<HashMap<Uuid, String>> {
    let keys: Vec<(Uuid, String)> = sqlx::query_as(&format!(
        "SELECT a.id, a.key FROM unnest($1::uuid[]) AS u (id) CROSS JOIN LATERAL ({}) AS a",
        versions::latest("accounts", "u.id")
    ))
    .bind(ids)
    .fetch_all(executor)
    .await?;
    Ok(keys.into_iter().collect())
}

/// An account as an import compares it.
#[derive(Debug, Clone)]
pub struct KnownAccount {
    /// Its id.
    pub id: Uuid,
    /// Its native key.
    pub key: String,
    /// Is it there? Else it was.
    pub is_present: bool,
    /// What the feed said last; `None` = nothing but that it is there.
    pub record: Option<Box<AccountRecord>>,
    /// Whose it is, and who says so.
    pub owner: Option<Owner>,
}

/// What is read of every known account; of those whose feed said more than that they are there, that is read as well.
const KNOWN: &str = "id, key, valid_to IS NULL, identity_id, correlation";
const SAID: &str = "id, name, identity, email, employee_id, is_active, last_login_at, type, attributes";
const SAYS_NOTHING: &str = "name IS NULL AND identity IS NULL AND email IS NULL AND employee_id IS NULL
    AND is_active IS NULL AND last_login_at IS NULL AND type IS NULL AND attributes = '{}'";

/// By place: there may be a million rows, and to find a column by its name costs more than to read it.
fn known_of(row: &PgRow) -> sqlx::Result<KnownAccount> {
    let owner = |identity_id| {
        let correlation: Option<Json<Correlation>> = row.try_get(4)?;
        Ok::<_, sqlx::Error>(match correlation {
            Some(Json(Correlation::Manual { comment, .. })) => Owner::Assigned { identity_id, comment },
            _ => Owner::Found(identity_id),
        })
    };
    Ok(KnownAccount {
        id: row.try_get(0)?,
        key: row.try_get(1)?,
        is_present: row.try_get(2)?,
        owner: row.try_get::<Option<Uuid>, _>(3)?.map(owner).transpose()?,
        record: None,
    })
}

fn said_of(row: &PgRow) -> sqlx::Result<(Uuid, AccountRecord)> {
    let Json(attributes) = row.try_get(8)?;
    let record = AccountRecord {
        name: row.try_get(1)?,
        identity: row.try_get(2)?,
        email: row.try_get(3)?,
        employee_id: row.try_get(4)?,
        is_active: row.try_get(5)?,
        last_login_at: row.try_get(6)?,
        r#type: row.try_get(7)?,
        attributes,
    };
    Ok((row.try_get(0)?, record))
}

/// Every account that an application ever had.
pub async fn known(connection: &mut PgConnection, application: Uuid) -> sqlx::Result<Vec<KnownAccount>> {
    // Current and earlier versions have each their index; and only the few that are gone must be sorted.
    let gone = "SELECT DISTINCT ON (id) * FROM accounts AS a
         WHERE application_id = $1 AND valid_to IS NOT NULL
             AND NOT EXISTS (SELECT FROM accounts AS c WHERE c.id = a.id AND c.valid_to IS NULL)
         ORDER BY id, valid_from DESC";
    let all = format!("({} UNION ALL ({gone})) AS known", HALVES.join(" UNION ALL "));
    // Where grants alone say who is there, columns without a value would be most of what is read.
    let mut all_say_nothing = true;
    let mut known: Vec<KnownAccount> = sqlx::query(&format!("SELECT {KNOWN}, {SAYS_NOTHING} FROM {all}"))
        .bind(application)
        .try_map(|row| {
            all_say_nothing &= row.try_get::<bool, _>(5)?;
            known_of(&row)
        })
        .fetch_all(&mut *connection)
        .await?;
    if !all_say_nothing {
        let said: Vec<(Uuid, AccountRecord)> =
            sqlx::query(&format!("SELECT {SAID} FROM {all} WHERE NOT ({SAYS_NOTHING})"))
                .bind(application)
                .try_map(|row| said_of(&row))
                .fetch_all(connection)
                .await?;
        let mut said: HashMap<Uuid, AccountRecord> = said.into_iter().collect();
        for known in &mut known {
            known.record = said.remove(&known.id).map(Box::new);
        }
    }
    Ok(known)
}

/// The last version of an account, current or not.
pub async fn find(executor: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<Option<AccountRow>> {
    sqlx::query_as(&versions::latest("accounts", "$1")).bind(id).fetch_optional(executor).await
}

/// The current accounts of an identity in every application.
pub async fn of_identity(executor: impl PgExecutor<'_>, identity: Uuid) -> sqlx::Result<Vec<AccountRow>> {
    sqlx::query_as(
        "SELECT * FROM accounts WHERE identity_id = $1 AND valid_to IS NULL ORDER BY application_id, key, id",
    )
    .bind(identity)
    .fetch_all(executor)
    .await
}
