//! What becomes of events that trigger subscriptions ask for.

pub mod deliveries;
pub mod list;

pub(super) const TAG: &str = "Webhooks";
