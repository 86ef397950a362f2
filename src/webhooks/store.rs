//! SQL of cursors and of the log of deliveries.

use chrono::{DateTime, TimeDelta, Utc};
use projections::events::EventRow;
use projections::page::{Page, SIZE};
use sqlx::PgPool;
use uuid::Uuid;

use super::attempt::{Attempt, Outcome};

/// Attempts that are kept of a subscription, and days for which they are.
const KEPT: i64 = 1000;
const DAYS: i64 = 30;

/// How far a subscription is.
#[derive(Debug, Clone, Default, sqlx::FromRow)]
pub struct Cursor {
    /// Which.
    pub subscription_id: Uuid,
    /// Its version at the last attempt.
    pub version: i64,
    /// Of its secrets, as known at the last attempt.
    pub secrets_at: Option<DateTime<Utc>>,
    /// Up to here everything is delivered.
    pub position: i64,
    /// The last so many attempts failed.
    pub failures: i32,
    /// When the last one was.
    pub attempted_at: Option<DateTime<Utc>>,
    /// Not before; `None` = the last attempt didn't fail.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// Why the last attempt failed.
    pub reason: Option<String>,
}

impl Cursor {
    /// What the subscription was made of at the last attempt.
    pub(super) const fn made(&self) -> Made {
        Made { version: self.version, secrets_at: self.secrets_at }
    }
}

/// What a subscription is made of now: its document's version, and when the latest of its secrets came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Made {
    pub(super) version: i64,
    pub(super) secrets_at: Option<DateTime<Utc>>,
}

/// An attempt that was made.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns' comments say it")]
pub struct Delivery {
    pub number: i64,
    pub position: i64,
    pub event_type: String,
    pub message_id: Uuid,
    pub attempted_at: DateTime<Utc>,
    pub outcome: String,
    pub status: Option<i16>,
    pub reason: Option<String>,
}

/// What an attempt leaves behind.
pub(super) struct Record<'r> {
    pub(super) subscription: Uuid,
    pub(super) made: Made,
    pub(super) event: &'r EventRow,
    pub(super) message: Uuid,
    pub(super) attempt: &'r Attempt,
    pub(super) failures: i32,
    pub(super) attempted_at: DateTime<Utc>,
    pub(super) next_attempt_at: Option<DateTime<Utc>>,
}

macro_rules! made {
    ($id:literal) => {
        concat!(
            "coalesce((SELECT o.version FROM config_objects AS o WHERE o.id = ",
            $id,
            "), 0) AS version, (SELECT max(s.brought_at) FROM work.config_secrets AS s WHERE s.owner_id = ",
            $id,
            " AND s.job_id = '00000000-0000-0000-0000-000000000000') AS secrets_at"
        )
    };
}

/// What a subscription is made of; version 0 = it is gone.
pub(super) async fn made(pool: &PgPool, subscription: Uuid) -> sqlx::Result<Made> {
    sqlx::query_as(concat!("SELECT ", made!("$1"))).bind(subscription).fetch_one(pool).await
}

/// Cursors of these subscriptions, of those that have any.
pub(super) async fn cursors(pool: &PgPool, subscriptions: &[Uuid]) -> sqlx::Result<Vec<Cursor>> {
    sqlx::query_as("SELECT * FROM work.webhook_cursors WHERE subscription_id = ANY ($1)")
        .bind(subscriptions)
        .fetch_all(pool)
        .await
}

/// A subscription's cursor; before the first attempt it is at the log's begin.
pub(super) async fn cursor(pool: &PgPool, subscription: Uuid) -> sqlx::Result<Cursor> {
    Ok(cursors(pool, &[subscription]).await?.pop().unwrap_or_default())
}

/// Keeps what came of an attempt, in one statement: the cursor moves only with a delivery, which is then in the log. Whoever lost the
/// lease and comes late only adds to the log: how it stands is said by those who are further on. Gives what the subscription is made
/// of now.
pub(super) async fn record(pool: &PgPool, record: &Record<'_>) -> sqlx::Result<Made> {
    let is_delivered = record.attempt.outcome == Outcome::Delivered;
    sqlx::query_as(concat!(
        "WITH cursor AS (
             INSERT INTO work.webhook_cursors AS c (subscription_id, version, secrets_at, position, attempts, failures,
                                                    attempted_at, next_attempt_at, reason)
             VALUES ($1, $2, $3, $4, 1, $5, $6, $7, $8)
             ON CONFLICT (subscription_id) DO UPDATE SET
                 position = greatest(c.position, excluded.position), attempts = c.attempts + 1,
                 (version, secrets_at, failures, attempted_at, next_attempt_at, reason) = (
                     SELECT excluded.version, excluded.secrets_at, excluded.failures, excluded.attempted_at,
                            excluded.next_attempt_at, excluded.reason WHERE excluded.position >= c.position
                     UNION ALL
                     SELECT c.version, c.secrets_at, c.failures, c.attempted_at, c.next_attempt_at, c.reason
                     WHERE excluded.position < c.position)
             RETURNING attempts),
         forgotten AS (
             DELETE FROM work.webhook_deliveries USING cursor WHERE subscription_id = $1 AND number <= cursor.attempts - $13)
         INSERT INTO work.webhook_deliveries (subscription_id, number, position, event_type, message_id, attempted_at, outcome,
                                              status, reason)
         SELECT $1, attempts, $9, $10, $11, $6, $12, $14, $8 FROM cursor
         RETURNING ",
        made!("$1")
    ))
    .bind(record.subscription)
    .bind(record.made.version)
    .bind(record.made.secrets_at)
    .bind(if is_delivered { record.event.position } else { record.event.position - 1 })
    .bind(record.failures)
    .bind(record.attempted_at)
    .bind(record.next_attempt_at)
    .bind(record.attempt.reason.as_deref())
    .bind(record.event.position)
    .bind(&record.event.event_type)
    .bind(record.message)
    .bind(record.attempt.outcome.as_str())
    .bind(KEPT)
    .bind(record.attempt.status.and_then(|status| i16::try_from(status).ok()))
    .fetch_one(pool)
    .await
}

/// Moves a cursor over what isn't asked for.
pub(super) async fn pass(pool: &PgPool, subscription: Uuid, made: Made, position: i64) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO work.webhook_cursors AS c (subscription_id, version, secrets_at, position, attempts, failures)
         VALUES ($1, $2, $3, $4, 0, 0)
         ON CONFLICT (subscription_id) DO UPDATE SET position = greatest(c.position, excluded.position)",
    )
    .bind(subscription)
    .bind(made.version)
    .bind(made.secrets_at)
    .bind(position)
    .execute(pool)
    .await?;
    Ok(())
}

/// One page of a subscription's attempts, the latest first.
pub async fn deliveries(pool: &PgPool, subscription: Uuid, page: i64) -> sqlx::Result<Page<Delivery>> {
    // What comes between the two statements is on no page yet.
    let (total, last): (i64, i64) = sqlx::query_as(
        "SELECT count(*), coalesce(max(number), 0) FROM work.webhook_deliveries WHERE subscription_id = $1",
    )
    .bind(subscription)
    .fetch_one(pool)
    .await?;
    let items = sqlx::query_as(
        "SELECT * FROM work.webhook_deliveries WHERE subscription_id = $1 AND number <= $2
         ORDER BY number DESC OFFSET $3 LIMIT $4",
    )
    .bind(subscription)
    .bind(last)
    .bind((page - 1).saturating_mul(SIZE))
    .bind(SIZE)
    .fetch_all(pool)
    .await?;
    Ok(Page { items, total })
}

/// Forgets old attempts, and subscriptions of which nothing is left.
pub async fn tidy(pool: &PgPool, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM work.webhook_deliveries WHERE attempted_at < $1")
        .bind(now - TimeDelta::days(DAYS))
        .execute(pool)
        .await?;
    sqlx::query(
        "DELETE FROM work.webhook_cursors AS c
         WHERE NOT EXISTS (SELECT FROM config_objects AS o WHERE o.id = c.subscription_id)
             AND NOT EXISTS (SELECT FROM work.webhook_deliveries AS d WHERE d.subscription_id = c.subscription_id)",
    )
    .execute(pool)
    .await?;
    Ok(())
}
