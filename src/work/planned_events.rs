//! Events that an import would have appended: of previews (rulings 20), and of those that the removal limit held back.

use aggregates::DomainEvent;
use sqlx::PgPool;
use uuid::Uuid;

/// An event in the order in which it would have been appended.
pub struct PlannedEvent {
    /// The stream.
    pub aggregate_id: String,
    /// The event.
    pub event: DomainEvent,
    /// How many changes it holds.
    pub changes: usize,
}

/// Events written at a time.
const BATCH: usize = 1000;

/// Keeps a plan, in place of one that an interrupted run kept.
pub async fn keep(pool: &PgPool, import: Uuid, events: impl Iterator<Item = PlannedEvent>) -> sqlx::Result<()> {
    let mut transaction = pool.begin().await?;
    sqlx::query("DELETE FROM work.planned_events WHERE application_import_id = $1")
        .bind(import)
        .execute(&mut *transaction)
        .await?;
    let mut events = events.peekable();
    let mut last_change = 0;
    while events.peek().is_some() {
        let (mut lasts, mut changes, mut types, mut ids, mut payloads) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for planned in events.by_ref().take(BATCH) {
            last_change += planned.changes as i64;
            lasts.push(last_change);
            changes.push(planned.changes as i64);
            types.push(planned.event.aggregate_type());
            payloads.push(planned.event.payload().map_err(|error| sqlx::Error::Encode(error.into()))?);
            ids.push(planned.aggregate_id);
        }
        sqlx::query(
            "INSERT INTO work.planned_events
             SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[])",
        )
        .bind(import)
        .bind(lasts)
        .bind(changes)
        .bind(types)
        .bind(ids)
        .bind(payloads)
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await
}
