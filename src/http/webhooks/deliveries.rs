use aggregates::config_object::ObjectType;
use axum::Json;
use chrono::{DateTime, Utc};
use projections::config_objects::find;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::TAG;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Id, Query};
use crate::http::page::PageBody;
use crate::http::session::{Audits, Session};
use crate::webhooks::{Delivery, deliveries};

/// An attempt to deliver an event.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryBody {
    /// 1, 2, 3, ... in the subscription.
    number: i64,
    /// The event's place in the log.
    position: i64,
    /// What happened.
    event_type: String,
    /// The `webhook-id` that was sent, or would have been.
    message_id: Uuid,
    /// When.
    attempted_at: DateTime<Utc>,
    /// delivered, failed or refused: then nothing was sent.
    outcome: String,
    /// What the receiver answered; null = nothing.
    status: Option<i16>,
    /// Why it wasn't delivered.
    reason: Option<String>,
}

impl From<Delivery> for DeliveryBody {
    fn from(delivery: Delivery) -> Self {
        Self {
            number: delivery.number,
            position: delivery.position,
            event_type: delivery.event_type,
            message_id: delivery.message_id,
            attempted_at: delivery.attempted_at,
            outcome: delivery.outcome,
            status: delivery.status,
            reason: delivery.reason,
        }
    }
}

/// Attempts to deliver to a subscription, the latest first: the last thousand, for 30 days.
#[utoipa::path(
    get, path = "/api/webhooks/{id}/deliveries", tag = TAG, operation_id = "listWebhookDeliveries", security(("token" = [])),
    params(("id" = String, Path, description = "GUID"), ("page" = Option<i64>, Query, description = "1-based")),
    responses(
        (status = 200, body = PageBody<DeliveryBody>),
        (status = 400, description = "A parameter breaks rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an auditor's token", body = ErrorBody),
        (status = 404, description = "No such subscription", body = ErrorBody),
    )
)]
pub async fn list(
    session: Session<Audits>,
    Id(id): Id,
    query: Query,
) -> Result<Json<PageBody<DeliveryBody>>, ApiError> {
    let page = query.page()?;
    let found = find(session.pool(), id).await?;
    if found.is_none_or(|object| object.kind != ObjectType::TriggerSubscription.as_str()) {
        return Err(ApiError::not_found("Webhook", id));
    }
    let found = deliveries(session.pool(), id, page).await?;
    Ok(Json(PageBody::of(found, page, DeliveryBody::from)))
}
