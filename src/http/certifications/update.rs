use std::collections::HashSet;

use aggregates::Violation;
use aggregates::certification_row::{Change, Decision, NotificationStatus, REVIEWER_LIMIT, SignedOffState};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{TAG, location, reviewer};
use crate::http::access_workflows::body::{UserRequest, identity};
use crate::http::error::ApiError;
use crate::http::etag::{self, if_match};
use crate::http::extract::{Id, Json};
use crate::http::party::wrong_responders;
use crate::http::session::{Access, Operates, Session};
use crate::http::veza::{Empty, VezaErrorBody, review_refused, word};
use crate::reviews::{self, Ask};

/// What is to become of a row.
#[derive(Debug, Deserialize, ToSchema)]
pub struct UpdateResultRequest {
    /// It.
    pub(super) value: Option<ResultRequest>,
}

/// A row as it is to be. What is absent stays; fields that aren't listed are ignored.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct ResultRequest {
    /// Which row.
    result_id: Option<i64>,
    /// `NONE` (resets), `ACCEPTED`, `REJECTED` or `FIXED`, the same after `RESULT_DECISION_`, or 1 to 4; `UNKNOWN` or 0 = stays.
    #[schema(value_type = Option<String>)]
    decision: Option<Value>,
    /// At most 4,000 characters, which replace those before; blanks alone clear them, empty = stays.
    notes: Option<String>,
    /// `NOT_SIGNED_OFF`, `SIGNED_OFF`, 1 or 2; `UNKNOWN` or 0 = stays.
    #[schema(value_type = Option<String>)]
    signed_off_state: Option<Value>,
    /// Active identities who review it from then on; absent or empty = stays.
    reviewers: Option<Vec<UserRequest>>,
    /// Only with `force_update`: `UNKNOWN`, `PENDING`, `SUCCEED`, `FAILED` or 0 to 3.
    #[schema(value_type = Option<String>)]
    notification_status: Option<Value>,
}

/// Decides about a row: its reviewers and administrators may. Until it is signed off a later decision replaces an earlier one. A
/// rejection opens an access request that takes the grant away.
#[utoipa::path(
    put, path = "/api/preview/awf/certifications/{id}/results", tag = TAG, operation_id = "updateResult",
    security(("token" = [])),
    params(
        ("id" = String, Path, description = "The certification: a GUID"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the row must still have"),
    ),
    request_body = UpdateResultRequest,
    responses(
        (status = 200, body = Empty, headers(("ETag" = String, description = "The row's version"))),
        (status = 400, description = "Fields break rules", body = VezaErrorBody),
        (status = 401, description = "No valid token", body = VezaErrorBody),
        (status = 403, description = "Not an operator's token", body = VezaErrorBody),
        (status = 404, description = "No such certification, or no such row", body = VezaErrorBody),
        (status = 409, description = "Signed off, ended, not theirs to decide, or about their own access", body = VezaErrorBody),
        (status = 412, description = "If-Match doesn't match", body = VezaErrorBody),
        (status = 415, description = "Not application/json", body = VezaErrorBody),
    )
)]
pub async fn update(
    session: Session<Operates>,
    Id(id): Id,
    headers: HeaderMap,
    Json(request): Json<UpdateResultRequest>,
) -> Result<Response, ApiError> {
    change(&session, id, &headers, request, false).await
}

pub(super) async fn change<A: Access>(
    session: &Session<A>,
    certification: Uuid,
    headers: &HeaderMap,
    request: UpdateResultRequest,
    is_forced: bool,
) -> Result<Response, ApiError> {
    let demanded = if_match(headers)?;
    let Some(value) = request.value else { return Err(ApiError::field("value", "value is required")) };
    let (result, change, status) = value.read(is_forced)?;
    let reviewers = match &value.reviewers {
        Some(users) if !users.is_empty() => Some(named(session, users).await?),
        _ => None,
    };
    let ask = Ask { by: reviewer(session), change, reviewers, notification_status: status, is_forced, demanded };
    let context = session.context(format!("{}/results/{result}", location(certification)));
    let version = reviews::decide(&session.app, certification, result, &ask, &context).await;
    let version = version.map_err(|error| review_refused(error, demanded.is_some()))?;
    Ok(etag::tagged(version, axum::Json(Empty {})))
}

impl ResultRequest {
    fn read(&self, is_forced: bool) -> Result<(u32, Change, Option<NotificationStatus>), ApiError> {
        let mut found = Vec::new();
        let result = self.result_id.and_then(|id| u32::try_from(id).ok());
        if result.is_none() {
            let message = match self.result_id {
                Some(id) => format!("{id} is not a whole number of at least 0"),
                None => "result_id is required".to_owned(),
            };
            found.push(Violation::new("value.result_id", message));
        }
        let change = read_change(
            "value.",
            self.decision.as_ref(),
            self.signed_off_state.as_ref(),
            self.notes.as_deref(),
            &mut found,
        );
        let (all, spell) = (&NotificationStatus::ALL, NotificationStatus::as_str);
        let status = self.notification_status.as_ref().filter(|_| is_forced);
        let status = match word(status, all, spell, NotificationStatus::read) {
            Ok(given) => status.map(|_| given),
            Err(message) => {
                found.push(Violation::new("value.notification_status", message));
                None
            }
        };
        match result {
            Some(result) if found.is_empty() => Ok((result, change, status)),
            _ => Err(ApiError::validation(found)),
        }
    }
}

/// A change by the words or numbers of the API.
pub(super) fn read_change(
    prefix: &str,
    decision: Option<&Value>,
    signed_off_state: Option<&Value>,
    notes: Option<&str>,
    found: &mut Vec<Violation>,
) -> Change {
    let decision = word(decision, &Decision::ALL, Decision::as_str, Decision::read).unwrap_or_else(|message| {
        found.push(Violation::new(format!("{prefix}decision"), message));
        Decision::Unknown
    });
    let (all, spell) = (&SignedOffState::ALL, SignedOffState::as_str);
    let state = word(signed_off_state, all, spell, SignedOffState::read).unwrap_or_else(|message| {
        found.push(Violation::new(format!("{prefix}signed_off_state"), message));
        SignedOffState::Unknown
    });
    Change::of(decision, state, notes.unwrap_or_default())
}

async fn named<A: Access>(session: &Session<A>, users: &[UserRequest]) -> Result<Vec<Uuid>, ApiError> {
    if users.len() > REVIEWER_LIMIT {
        let message = format!("{} reviewers are named; at most {REVIEWER_LIMIT} are allowed", users.len());
        return Err(ApiError::field("value.reviewers", message));
    }
    let mut ids: Vec<Uuid> = Vec::with_capacity(users.len());
    for (at, user) in users.iter().enumerate() {
        ids.push(identity(session, &format!("value.reviewers[{at}]"), user).await?);
    }
    let wrong = wrong_responders(session, &ids).await?;
    let wrong: Vec<Violation> = wrong
        .into_iter()
        .enumerate()
        .filter_map(|(at, (_, wrong))| Some(Violation::new(format!("value.reviewers[{at}]"), wrong?)))
        .collect();
    if !wrong.is_empty() {
        return Err(ApiError::validation(wrong));
    }
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(*id));
    Ok(ids)
}
