use aggregates::Violation;
use aggregates::personnel_event::{DraftFacts, PersonnelEventCommand, date};
use aggregates::settings::{self, Settings};
use aggregates::values::TIME_ALLOWED;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::PersonnelEventDetail;
use super::{TAG, change};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Id, Json};
use crate::http::session::{Operates, Session};

/// Other dates; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RescheduleRequest {
    /// A date or time, today or later; possible until the event has begun.
    effective_date: Option<String>,
    /// A date or time after the effective date; possible until what waits for it has begun.
    end_date: Option<String>,
}

/// Gives an event other dates. A leave whose return was unknown wakes up.
#[utoipa::path(
    post, path = "/api/personnel-events/{id}/reschedule", tag = TAG, operation_id = "reschedulePersonnelEvent",
    security(("token" = [])),
    params(("id" = String, Path, description = "GUID")),
    request_body = RescheduleRequest,
    responses(
        (status = 200, body = PersonnelEventDetail, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "Fields break rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an operator's token", body = ErrorBody),
        (status = 404, description = "No such personnel event", body = ErrorBody),
        (status = 409, description = "It has ended, has begun, or has no end date", body = ErrorBody),
        (status = 415, description = "Not application/json", body = ErrorBody),
    )
)]
pub async fn reschedule(
    session: Session<Operates>,
    Id(id): Id,
    Json(request): Json<RescheduleRequest>,
) -> Result<Response, ApiError> {
    let settings = session.journal().load::<Settings>(settings::ID).await?.aggregate;
    let facts = DraftFacts { now: session.now, timezone: settings.timezone(), custom_fields: Vec::new() };
    let mut violations = Vec::new();
    let mut read = |field: &str, text: Option<&str>| -> Option<DateTime<Utc>> {
        let text = text.filter(|text| !text.trim().is_empty())?;
        let time = date(text, facts.timezone);
        if time.is_none() {
            violations.push(Violation::new(field, format!("{text:?} is not {TIME_ALLOWED}")));
        }
        time
    };
    let effective_at = read("effectiveDate", request.effective_date.as_deref());
    let end_at = read("endDate", request.end_date.as_deref());
    if !violations.is_empty() {
        return Err(ApiError::validation(violations));
    }
    let command = PersonnelEventCommand::Reschedule { effective_at, end_at, today: facts.today(), at: session.now };
    change(&session, id, command).await
}
