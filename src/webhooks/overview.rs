//! What people are told of subscriptions.

use aggregates::config_object::ObjectType;
use aggregates::webhook::Subscription;
use projections::config_objects::{self, ConfigObjectRow};
use projections::events::{EventRow, head};
use projections::page::{Page, SIZE};
use sqlx::PgPool;

use super::WebhookError;
use super::deliver::{asked, next};
use super::store::{self, Cursor};

/// A subscription and how it stands.
pub struct Overview {
    /// The object.
    pub object: ConfigObjectRow,
    /// What it asks for, or why it can't be given that.
    pub subscription: Result<Subscription, String>,
    /// How far it is.
    pub cursor: Cursor,
    /// The next event that is to be delivered, if there is one.
    pub pending: Option<EventRow>,
}

/// One page of subscriptions, by name.
///
/// # Errors
/// The database is away.
pub async fn overview(pool: &PgPool, page: i64) -> Result<Page<Overview>, WebhookError> {
    let objects = config_objects::of_type(pool, ObjectType::TriggerSubscription.as_str()).await?;
    let total = objects.len() as i64;
    let skipped = usize::try_from((page - 1).saturating_mul(SIZE)).unwrap_or(usize::MAX);
    let head = head(pool).await?;
    let mut items = Vec::new();
    for object in objects.into_iter().skip(skipped).take(SIZE as usize) {
        let cursor = store::cursors(pool, &[object.id]).await?.pop().unwrap_or_default();
        let asked = asked(pool, object.id).await?;
        let mut pending = None;
        let mut position = cursor.position.max(asked.begins_after());
        while pending.is_none() && !asked.is_empty() && position < head {
            let (mut found, looked) = next(pool, &asked, position, head).await?;
            (pending, position) = (found.pop_front(), looked);
        }
        let subscription = Subscription::read(&object.document.value());
        items.push(Overview { object, subscription, cursor, pending });
    }
    Ok(Page { items, total })
}
