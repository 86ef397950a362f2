use std::collections::HashMap;

use sqlx::{PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

use super::EntitlementRow;
use crate::counts;
use crate::page::{Page, Window};

/// One page of an application's current entitlements, by key.
pub async fn list(pool: &PgPool, application: Uuid, page: i64) -> sqlx::Result<Page<EntitlementRow>> {
    let total = counts::rows(pool, "entitlements", application).await?;
    let window = Window::of(page, total);
    let direction = window.direction();
    let rows = sqlx::query_as(&format!(
        "SELECT * FROM entitlements WHERE application_id = $1 AND valid_to IS NULL
         ORDER BY key {direction}, id {direction} OFFSET $2 LIMIT $3"
    ))
    .bind(application)
    .bind(window.offset)
    .bind(window.limit)
    .fetch_all(pool)
    .await?;
    Ok(Page { items: window.arrange(rows), total })
}

/// A current entitlement of an application.
pub async fn find_current(
    executor: impl PgExecutor<'_>,
    application: Uuid,
    id: Uuid,
) -> sqlx::Result<Option<EntitlementRow>> {
    sqlx::query_as("SELECT * FROM entitlements WHERE id = $1 AND application_id = $2 AND valid_to IS NULL")
        .bind(id)
        .bind(application)
        .fetch_optional(executor)
        .await
}

/// The native keys of entitlements, whether they are still there or not.
pub async fn keys(executor: impl PgExecutor<'_>, ids: &[Uuid]) -> sqlx::Result<HashMap<Uuid, String>> {
    let keys: Vec<(Uuid, String)> = sqlx::query_as("SELECT DISTINCT id, key FROM entitlements WHERE id = ANY ($1)")
        .bind(ids)
        .fetch_all(executor)
        .await?;
    Ok(keys.into_iter().collect())
}

/// The last version of every entitlement that an application ever had.
pub async fn known(connection: &mut PgConnection, application: Uuid) -> sqlx::Result<Vec<EntitlementRow>> {
    // Two halves, since current and earlier versions have each their index.
    sqlx::query_as(
        "SELECT DISTINCT ON (id) * FROM (
             SELECT * FROM entitlements WHERE application_id = $1 AND valid_to IS NULL
             UNION ALL SELECT * FROM entitlements WHERE application_id = $1 AND valid_to IS NOT NULL
         ) AS versions ORDER BY id, valid_from DESC",
    )
    .bind(application)
    .fetch_all(connection)
    .await
}
