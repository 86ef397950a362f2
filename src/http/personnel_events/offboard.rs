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

/// Who leaves, and when.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OffboardRequest {
    /// GUID of the identity.
    identity_id: Option<String>,
    /// A date (the first moment of that day in the configured timezone) or a time; today or later.
    effective_date: Option<String>,
    /// At most 4,000 characters.
    comment: Option<String>,
}

/// Asks for an offboarding. When it begins, every access of the person is to be removed.
#[utoipa::path(
    post, path = "/api/personnel-events/offboard", tag = TAG, operation_id = "createOffboard", security(("token" = [])),
    request_body = OffboardRequest,
    responses(
        (status = 201, body = PersonnelEventDetail),
        (status = 400, description = "Fields break rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an operator's token", body = ErrorBody),
        (status = 409, description = "Another event about this person stands against it, or it was offboarded", body = ErrorBody),
        (status = 415, description = "Not application/json", body = ErrorBody),
    )
)]
pub async fn offboard(session: Session<Operates>, Json(request): Json<OffboardRequest>) -> Result<Response, ApiError> {
    let parts = Parts {
        identity_id: request.identity_id,
        effective_date: request.effective_date,
        comment: request.comment,
        ..Parts::default()
    };
    create(&session, PersonnelEventType::Offboard, parts).await
}
