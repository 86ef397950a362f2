use aggregates::personnel_event::PersonnelEventType;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::TAG;
use super::body::PersonnelEventDetail;
use super::request::{Parts, create};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::Json;
use crate::http::session::{Operates, Session};

/// Who is away, and from when until when.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeaveOfAbsenceRequest {
    /// GUID of the identity.
    identity_id: Option<String>,
    /// A date (the first moment of that day in the configured timezone) or a time; today or later.
    effective_date: Option<String>,
    /// After the effective date; absent while the return is unknown.
    end_date: Option<String>,
    /// At most 4,000 characters.
    comment: Option<String>,
}

/// Asks for a leave of absence. Access is suspended when it begins and restored when it ends; without an end date the return is Snoozed.
#[utoipa::path(
    post, path = "/api/personnel-events/leave-of-absence", tag = TAG, operation_id = "createLeaveOfAbsence", security(("token" = [])),
    request_body = LeaveOfAbsenceRequest,
    responses(
        (status = 201, body = PersonnelEventDetail),
        (status = 400, description = "Fields break rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an operator's token", body = ErrorBody),
        (status = 409, description = "Another event about this person stands against it", body = ErrorBody),
        (status = 415, description = "Not application/json", body = ErrorBody),
    )
)]
pub async fn leave_of_absence(
    session: Session<Operates>,
    Json(request): Json<LeaveOfAbsenceRequest>,
) -> Result<Response, ApiError> {
    let parts = Parts {
        identity_id: request.identity_id,
        effective_date: request.effective_date,
        end_date: request.end_date,
        comment: request.comment,
        ..Parts::default()
    };
    create(&session, PersonnelEventType::Absence, parts).await
}
