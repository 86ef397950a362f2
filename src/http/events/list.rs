use axum::Json;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use projections::events::{Filter, after};
use serde::Serialize;
use sqlx::PgPool;
use utoipa::ToSchema;

use super::{EventBody, TAG};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::Query;
use crate::http::session::{Audits, Session};

const LIMIT: i64 = 100;
const MOST: i64 = 1000;

/// A stretch of the log.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventsBody {
    /// Ascending.
    items: Vec<EventBody>,
    /// The last position examined; pass it as `afterPosition`. A page may be short, an empty page at the head ends.
    next_position: i64,
}

/// The audit trail, oldest first. With `Accept: application/x-ndjson` one event a line up to the head of the log.
#[utoipa::path(
    get, path = "/api/events", tag = TAG, operation_id = "listEvents", security(("token" = [])),
    params(
        ("afterPosition" = Option<i64>, Query, description = "Only later ones; default 0"),
        ("aggregateType" = Option<String>, Query, description = "snake_case"),
        ("aggregateId" = Option<String>, Query, description = "The stream"),
        ("eventType" = Option<String>, Query, description = "PascalCase"),
        ("actor" = Option<String>, Query, description = "The actor's id"),
        ("since" = Option<String>, Query, description = "Recorded at or after"),
        ("until" = Option<String>, Query, description = "Recorded before"),
        ("limit" = Option<i64>, Query, description = "1 to 1000; default 100, as NDJSON no limit"),
    ),
    responses(
        (status = 200, content((EventsBody = "application/json"), (EventBody = "application/x-ndjson"))),
        (status = 400, description = "A parameter breaks rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an auditor's token", body = ErrorBody),
    )
)]
pub async fn list(session: Session<Audits>, query: Query, headers: HeaderMap) -> Result<Response, ApiError> {
    let position = query.number("afterPosition", 0, i64::MAX)?.unwrap_or(0);
    let limit = query.number("limit", 1, MOST)?;
    let text = |name: &str| query.text(name).map(str::to_owned);
    let filter = Filter {
        aggregate_type: known("aggregateType", text("aggregateType"), |(kind, _, _)| kind)?,
        aggregate_id: text("aggregateId"),
        event_type: known("eventType", text("eventType"), |(_, name, _)| name)?,
        actor: text("actor"),
        since: query.time("since")?,
        until: query.time("until")?,
    };
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("application/x-ndjson") {
        return Ok(ndjson(session.pool().clone(), position, filter, limit));
    }
    let found = after(session.pool(), position, &filter, limit.unwrap_or(LIMIT)).await?;
    let items: Result<Vec<EventBody>, _> = found.events.into_iter().map(TryInto::try_into).collect();
    let items = items.map_err(|error: serde_json::Error| ApiError::internal(&error))?;
    Ok(Json(EventsBody { items, next_position: found.next_position }).into_response())
}

/// A type that no version ever wrote is a mistake, not an empty answer.
fn known(
    field: &str,
    text: Option<String>,
    of: fn((&'static str, &'static str, &'static str)) -> &'static str,
) -> Result<Option<String>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    let mut allowed: Vec<&str> = aggregates::DomainEvent::types().into_iter().map(of).collect();
    allowed.dedup();
    if allowed.contains(&text.as_str()) {
        return Ok(Some(text));
    }
    Err(ApiError::field(field, format!("{text:?} is unknown; allowed: {}", allowed.join(", "))))
}

struct Reading {
    pool: PgPool,
    position: i64,
    filter: Filter,
    /// Events still wanted; `None` = all.
    left: Option<i64>,
    is_done: bool,
}

fn ndjson(pool: PgPool, position: i64, filter: Filter, limit: Option<i64>) -> Response {
    let reading = Reading { pool, position, filter, left: limit, is_done: false };
    let lines = stream::try_unfold(reading, |mut reading| async move {
        if reading.is_done {
            return Ok::<_, std::io::Error>(None);
        }
        let limit = reading.left.map_or(MOST, |left| left.min(MOST));
        let found =
            after(&reading.pool, reading.position, &reading.filter, limit).await.map_err(std::io::Error::other)?;
        reading.position = found.next_position;
        reading.left = reading.left.map(|left| left - found.events.len() as i64);
        reading.is_done = found.at_head || reading.left == Some(0);
        let mut lines = Vec::new();
        for event in found.events {
            let body = EventBody::try_from(event)?;
            serde_json::to_writer(&mut lines, &body)?;
            lines.push(b'\n');
        }
        Ok(Some((Bytes::from(lines), reading)))
    });
    let mut response = Response::new(Body::from_stream(lines));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    response
}
