use std::collections::HashMap;

use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

use super::AccountRow;
use crate::counts;
use crate::page::{Page, Window};

/// One page of an application's current accounts, by key; `correlated` keeps only those with, or without, an identity.
pub async fn list(
    pool: &PgPool,
    application: Uuid,
    correlated: Option<bool>,
    page: i64,
) -> sqlx::Result<Page<AccountRow>> {
    let all = counts::rows(pool, "accounts", application).await?;
    let uncorrelated = counts::rows(pool, "uncorrelated_accounts", application).await?;
    let (total, filter) = match correlated {
        None => (all, ""),
        Some(true) => (all - uncorrelated, "AND identity_id IS NOT NULL"),
        Some(false) => (uncorrelated, "AND identity_id IS NULL"),
    };
    let window = Window::of(page, total);
    let direction = window.direction();
    let rows = sqlx::query_as(&format!(
        "SELECT * FROM accounts WHERE application_id = $1 AND valid_to IS NULL {filter}
         ORDER BY key {direction}, id {direction} OFFSET $2 LIMIT $3"
    ))
    .bind(application)
    .bind(window.offset)
    .bind(window.limit)
    .fetch_all(pool)
    .await?;
    Ok(Page { items: window.arrange(rows), total })
}

/// The native keys of accounts, whether they are still there or not.
pub async fn keys(executor: impl PgExecutor<'_>, ids: &[Uuid]) -> sqlx::Result<HashMap<Uuid, String>> {
    let keys: Vec<(Uuid, String)> = sqlx::query_as("SELECT DISTINCT id, key FROM accounts WHERE id = ANY ($1)")
        .bind(ids)
        .fetch_all(executor)
        .await?;
    Ok(keys.into_iter().collect())
}

/// The last version of every account that an application ever had.
pub async fn known(executor: impl PgExecutor<'_>, application: Uuid) -> sqlx::Result<Vec<AccountRow>> {
    // Two halves, since current and earlier versions have each their index; and only the few that are gone must be sorted.
    sqlx::query_as(
        "SELECT * FROM accounts WHERE application_id = $1 AND valid_to IS NULL
         UNION ALL (
             SELECT DISTINCT ON (id) * FROM accounts AS a
             WHERE application_id = $1 AND valid_to IS NOT NULL
                 AND NOT EXISTS (SELECT FROM accounts AS c WHERE c.id = a.id AND c.valid_to IS NULL)
             ORDER BY id, valid_from DESC
         )",
    )
    .bind(application)
    .fetch_all(executor)
    .await
}

/// The last version of an account, current or not.
pub async fn find(executor: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<Option<AccountRow>> {
    sqlx::query_as("SELECT * FROM accounts WHERE id = $1 ORDER BY valid_from DESC LIMIT 1")
        .bind(id)
        .fetch_optional(executor)
        .await
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
