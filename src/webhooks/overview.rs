//! What people are told of subscriptions.

use aggregates::config_object::ObjectType;
use aggregates::webhook::{Asked, Subscription};
use projections::config_objects::{self, ConfigObjectRow};
use projections::events::{EventRow, head};
use projections::page::{Page, SIZE};
use sqlx::PgPool;

use super::credentials::Credentials;
use super::deliver::{asked, next};
use super::store::{self, Cursor};
use crate::configuration::secrets_of;

/// A subscription and how it stands.
pub struct Overview {
    /// The object.
    pub object: ConfigObjectRow,
    /// What it asks for, unless it can't be given that.
    pub subscription: Option<Subscription>,
    /// Why nothing is sent.
    pub problem: Option<String>,
    /// How far it is.
    pub cursor: Cursor,
    /// The next event that is to be delivered, if there is one within a stretch of the log. Workers move the cursor over what isn't
    /// asked for, so what waits is further on only while they are behind.
    pub pending: Option<EventRow>,
}

/// One page of subscriptions, by name.
///
/// # Errors
/// The database is away.
pub async fn overview(pool: &PgPool, page: i64) -> sqlx::Result<Page<Overview>> {
    let objects = config_objects::of_type(pool, ObjectType::TriggerSubscription.as_str()).await?;
    let total = objects.len() as i64;
    let skipped = usize::try_from((page - 1).saturating_mul(SIZE)).unwrap_or(usize::MAX);
    let head = head(pool).await?;
    let mut items = Vec::new();
    for object in objects.into_iter().skip(skipped).take(SIZE as usize) {
        let cursor = store::cursor(pool, object.id).await?;
        let (asked, unreadable) = match asked(pool, object.id).await? {
            Ok(asked) => (asked, None),
            Err(error) => (Asked::default(), Some(format!("its history can't be read: {error}"))),
        };
        let pending = if asked.is_empty() {
            None
        } else {
            next(pool, &asked, cursor.position.max(asked.begins_after()), head).await?.0.pop_front()
        };
        let (subscription, problem) = match Subscription::read(&object.document.value()) {
            Ok(read) => {
                let refused = Credentials::read(&read, &secrets_of(pool, object.id).await?).err();
                (Some(read), refused)
            }
            Err(reason) => (None, Some(reason)),
        };
        items.push(Overview { object, subscription, problem: unreadable.or(problem), cursor, pending });
    }
    Ok(Page { items, total })
}
