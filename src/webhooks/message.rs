//! What is sent: an event as Standard Webhooks wraps it.

use aggregates::ids;
use axum::http::{HeaderMap, HeaderValue, header};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use projections::events::EventRow;
use serde::Serialize;
use uuid::Uuid;

use super::WebhookError;
use super::credentials::Credentials;
use crate::http::events::EventBody;

/// A request's body and what it is known by.
pub(super) struct Message {
    /// The same for each attempt, and after a crash: the receiver drops what it has.
    pub(super) id: Uuid,
    /// The very bytes that are signed.
    pub(super) body: Bytes,
}

#[derive(Serialize)]
struct Body {
    r#type: String,
    timestamp: DateTime<Utc>,
    data: EventBody,
}

impl Message {
    /// The message of a subscription about an event.
    pub(super) fn of(subscription: Uuid, event: EventRow) -> Result<Self, WebhookError> {
        let id = ids::native(subscription, "webhook", &event.position.to_string());
        let (r#type, timestamp) = (event.event_type.clone(), event.recorded_at);
        let body = serde_json::to_vec(&Body { r#type, timestamp, data: event.try_into()? })?;
        Ok(Self { id, body: body.into() })
    }

    /// The headers of an attempt at this time, signed.
    pub(super) fn headers(&self, credentials: &Credentials, now: DateTime<Utc>) -> HeaderMap {
        let (id, timestamp) = (self.id.to_string(), now.timestamp());
        let mut headers = HeaderMap::new();
        let known = [
            ("webhook-signature", credentials.key.sign(&id, timestamp, &self.body)),
            ("webhook-id", id),
            ("webhook-timestamp", timestamp.to_string()),
        ];
        // Digits, letters and base64 are what headers may have.
        headers.extend(known.into_iter().filter_map(|(name, value)| {
            Some((axum::http::HeaderName::from_static(name), HeaderValue::try_from(value).ok()?))
        }));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(concat!("muniment/", env!("CARGO_PKG_VERSION"))));
        if let Some(authorization) = &credentials.authorization {
            headers.insert(header::AUTHORIZATION, authorization.clone());
        }
        headers
    }
}
