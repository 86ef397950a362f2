use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use super::PersonnelEventRow;
use crate::page::{Page, Window};

/// Which events a list wants. All conditions must hold.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// About this person.
    pub identity_id: Option<Uuid>,
    /// `Role Transition`, ...
    pub r#type: Option<&'static str>,
    /// `Pending`, ...
    pub status: Option<&'static str>,
}

impl Wanted {
    fn push(&self, query: &mut QueryBuilder<Postgres>) {
        query.push(" WHERE true");
        if let Some(identity) = self.identity_id {
            query.push(" AND identity_id = ").push_bind(identity);
        }
        if let Some(kind) = self.r#type {
            query.push(" AND type = ").push_bind(kind);
        }
        if let Some(status) = self.status {
            query.push(" AND status = ").push_bind(status);
        }
    }
}

/// One page, the latest effective date first.
pub async fn list(pool: &PgPool, wanted: &Wanted, page: i64) -> sqlx::Result<Page<PersonnelEventRow>> {
    let mut count = QueryBuilder::new("SELECT count(*) FROM personnel_events");
    wanted.push(&mut count);
    let total: i64 = count.build_query_scalar().fetch_one(pool).await?;
    let window = Window::of(page, total);
    let direction = if window.from_end { "ASC" } else { "DESC" };
    let mut query = QueryBuilder::new("SELECT * FROM personnel_events");
    wanted.push(&mut query);
    query.push(format!(" ORDER BY effective_at {direction}, number {direction} OFFSET "));
    query.push_bind(window.offset).push(" LIMIT ").push_bind(window.limit);
    let rows = query.build_query_as().fetch_all(pool).await?;
    Ok(Page { items: window.arrange(rows), total })
}

/// One event.
pub async fn find(executor: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<Option<PersonnelEventRow>> {
    sqlx::query_as("SELECT * FROM personnel_events WHERE id = $1").bind(id).fetch_optional(executor).await
}

/// Events to which something happens by itself now.
pub async fn waking(executor: impl PgExecutor<'_>, now: DateTime<Utc>) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar("SELECT id FROM personnel_events WHERE wakes_at <= $1 ORDER BY wakes_at, number LIMIT 1000")
        .bind(now)
        .fetch_all(executor)
        .await
}

/// Open events whose access requests, if any, have all moved on: their stages may follow.
pub async fn settleable(executor: impl PgExecutor<'_>) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar(
        "SELECT p.id FROM personnel_events AS p
         WHERE p.settles AND NOT EXISTS (
             SELECT FROM access_requests AS r WHERE r.personnel_event_id = p.id
                 AND NOT (r.status = 'Completed' OR (r.status = 'Canceled' AND (r.is_suggested OR p.status = 'Open'))
                          OR (r.status = 'Resolved' AND p.status = 'Open'))
         ) ORDER BY p.number LIMIT 1000",
    )
    .fetch_all(executor)
    .await
}
