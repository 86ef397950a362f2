use axum::Json;
use chrono::{DateTime, Utc};
use projections::events::EventRow;
use serde::Serialize;
use url::Position;
use utoipa::ToSchema;
use uuid::Uuid;

use super::TAG;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::Query;
use crate::http::page::PageBody;
use crate::http::session::{Audits, Session};
use crate::webhooks::{Overview, overview};

/// A trigger subscription and how far it is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookBody {
    /// Names it under `/api/webhooks`, and its stream in the log.
    id: Uuid,
    /// Names it in files.
    object_id: String,
    /// Its name.
    name: String,
    /// Why nothing is delivered; null = its document asks for what can be, and its secrets are known here.
    problem: Option<String>,
    /// Is it switched on? null when it has a problem that hides it.
    is_enabled: Option<bool>,
    /// Where events go; without the query, which may hold a token.
    url: Option<String>,
    /// Which events.
    event_types: Vec<&'static str>,
    /// Up to this position of the log everything that it asks for is delivered.
    position: i64,
    /// The next event that waits to be delivered; null = there is none within the 20,000 positions after `position`.
    pending: Option<PendingBody>,
    /// So many attempts failed since the last that didn't.
    failures: i32,
    /// When the last attempt was.
    attempted_at: Option<DateTime<Utc>>,
    /// Why the last attempt failed; null = it didn't.
    reason: Option<String>,
    /// When the pending event is tried again, unless the subscription or its secrets change before.
    next_attempt_at: Option<DateTime<Utc>>,
}

/// An event that waits.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PendingBody {
    /// Its place in the log.
    position: i64,
    /// What happened.
    event_type: String,
    /// Since when it waits.
    recorded_at: DateTime<Utc>,
}

impl From<EventRow> for PendingBody {
    fn from(event: EventRow) -> Self {
        Self { position: event.position, event_type: event.event_type, recorded_at: event.recorded_at }
    }
}

impl From<Overview> for WebhookBody {
    fn from(found: Overview) -> Self {
        let Overview { object, subscription: read, problem, cursor, pending } = found;
        let next_attempt_at = cursor.next_attempt_at.filter(|_| pending.is_some());
        Self {
            id: object.id,
            object_id: object.object_id,
            name: object.name,
            problem,
            is_enabled: read.as_ref().map(|read| read.is_enabled),
            // A URL that names a user isn't read at all.
            url: read.as_ref().map(|read| read.url[..Position::AfterPath].to_owned()),
            event_types: read.map(|read| read.event_types.into_iter().collect()).unwrap_or_default(),
            position: cursor.position,
            pending: pending.map(PendingBody::from),
            failures: cursor.failures,
            attempted_at: cursor.attempted_at,
            reason: cursor.reason,
            next_attempt_at,
        }
    }
}

/// Trigger subscriptions by name, and how far each is.
#[utoipa::path(
    get, path = "/api/webhooks", tag = TAG, operation_id = "listWebhooks", security(("token" = [])),
    params(("page" = Option<i64>, Query, description = "1-based")),
    responses(
        (status = 200, body = PageBody<WebhookBody>),
        (status = 400, description = "page is no number of at least 1", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an auditor's token", body = ErrorBody),
    )
)]
pub async fn list(session: Session<Audits>, query: Query) -> Result<Json<PageBody<WebhookBody>>, ApiError> {
    let page = query.page()?;
    let found = overview(session.pool(), page).await?;
    Ok(Json(PageBody::of(found, page, WebhookBody::from)))
}
