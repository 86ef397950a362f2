//! Webhooks: events go where trigger subscriptions ask for them, at least once and in the order of the log.
//!
//! Each subscription has a cursor, a position of the log up to which all is delivered. It moves only when the receiver said 2xx, so
//! a receiver that fails holds up itself and nobody else. Any number of servers may deliver: a lease says who does for which
//! subscription. What may be asked for is `aggregates::webhook`; which addresses may be called is [`address`].

mod address;
mod attempt;
mod backoff;
mod credentials;
mod deliver;
mod message;
mod outgoing;
mod overview;
mod receiver;
mod signature;
mod store;
pub mod worker;

pub use address::Network;
pub use outgoing::Outgoing;
pub use overview::{Overview, overview};
pub use store::{Cursor, Delivery, deliveries, tidy};

/// Positions of the log that are looked at in one go.
const STRETCH: i64 = 20_000;

/// Why webhooks wait.
#[derive(Debug, thiserror::Error)]
enum WebhookError {
    /// The database is away.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// An event can't be read.
    #[error(transparent)]
    Read(#[from] projections::events::ReadError),
    /// An event can't be written as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}
