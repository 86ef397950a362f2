//! What becomes of events that trigger subscriptions ask for.

pub mod deliveries;
pub mod list;

use super::error::ApiError;
use crate::webhooks::WebhookError;

pub(super) const TAG: &str = "Webhooks";

impl From<WebhookError> for ApiError {
    fn from(error: WebhookError) -> Self {
        match error {
            WebhookError::Database(error) => error.into(),
            other => Self::internal(&other),
        }
    }
}
