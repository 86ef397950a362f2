use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use super::AccessRequestRow;
use crate::page::{Page, Window};

/// Which requests a list wants. All conditions must hold.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// About this person's access.
    pub identity_id: Option<Uuid>,
    /// In this application.
    pub application_id: Option<Uuid>,
    /// `Add`, ...
    pub action: Option<&'static str>,
    /// `Pending`, ...
    pub status: Option<&'static str>,
}

impl Wanted {
    fn push(&self, query: &mut QueryBuilder<Postgres>) {
        query.push(" WHERE true");
        if let Some(identity) = self.identity_id {
            query.push(" AND identity_id = ").push_bind(identity);
        }
        if let Some(application) = self.application_id {
            query.push(" AND application_id = ").push_bind(application);
        }
        if let Some(action) = self.action {
            query.push(" AND action = ").push_bind(action);
        }
        if let Some(status) = self.status {
            query.push(" AND status = ").push_bind(status);
        }
    }
}

/// One page, the newest first.
pub async fn list(pool: &PgPool, wanted: &Wanted, page: i64) -> sqlx::Result<Page<AccessRequestRow>> {
    let mut count = QueryBuilder::new("SELECT count(*) FROM access_requests");
    wanted.push(&mut count);
    let total: i64 = count.build_query_scalar().fetch_one(pool).await?;
    let window = Window::of(page, total);
    let direction = if window.from_end { "ASC" } else { "DESC" };
    let mut query = QueryBuilder::new("SELECT * FROM access_requests");
    wanted.push(&mut query);
    query.push(format!(" ORDER BY number {direction} OFFSET "));
    query.push_bind(window.offset).push(" LIMIT ").push_bind(window.limit);
    let rows = query.build_query_as().fetch_all(pool).await?;
    Ok(Page { items: window.arrange(rows), total })
}

/// One request.
pub async fn find(executor: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<Option<AccessRequestRow>> {
    sqlx::query_as("SELECT * FROM access_requests WHERE id = $1").bind(id).fetch_optional(executor).await
}

/// The requests that a personnel event made, in their order.
pub async fn of_personnel_event(executor: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<Vec<AccessRequestRow>> {
    sqlx::query_as("SELECT * FROM access_requests WHERE personnel_event_id = $1 ORDER BY number")
        .bind(id)
        .fetch_all(executor)
        .await
}

/// A person's requests under way that would give access.
pub async fn to_be_given(executor: impl PgExecutor<'_>, identity: Uuid) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar(
        "SELECT id FROM access_requests WHERE identity_id = $1 AND action IN ('Add', 'Change', 'Restore')
             AND status IN ('Pending', 'Scheduled', 'Open') ORDER BY number",
    )
    .bind(identity)
    .fetch_all(executor)
    .await
}

/// What was to be taken from a person after this request: accounts and entitlements.
pub async fn taken_after(
    executor: impl PgExecutor<'_>,
    identity: Uuid,
    number: i64,
) -> sqlx::Result<Vec<(Option<Uuid>, Option<Uuid>)>> {
    sqlx::query_as(
        "SELECT p.account_id, p.entitlement_id FROM access_requests AS r
         JOIN access_request_privileges AS p ON p.access_request_id = r.id
         WHERE r.identity_id = $1 AND r.number > $2 AND r.action = 'Remove' AND r.status <> 'Canceled'",
    )
    .bind(identity)
    .bind(number)
    .fetch_all(executor)
    .await
}

/// Requests whose date has come.
pub async fn waking(executor: impl PgExecutor<'_>, now: DateTime<Utc>) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar("SELECT id FROM access_requests WHERE wakes_at <= $1 ORDER BY wakes_at, number LIMIT 1000")
        .bind(now)
        .fetch_all(executor)
        .await
}
