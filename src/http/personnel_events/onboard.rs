use aggregates::personnel_event::PersonnelEventType;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::TAG;
use super::body::PersonnelEventDetail;
use super::request::{IdentityRequest, Parts, create};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::Json;
use crate::http::session::{Operates, Session};

/// Who joins, and when.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OnboardRequest {
    /// Who joins.
    identity: Option<IdentityRequest>,
    /// A date (the first moment of that day in the configured timezone) or a time; may be past.
    effective_date: Option<String>,
    /// After the effective date; when access is taken again.
    end_date: Option<String>,
    /// At most 4,000 characters.
    comment: Option<String>,
}

/// Asks for an onboarding. The identity comes into being when it is approved.
#[utoipa::path(
    post, path = "/api/personnel-events/onboard", tag = TAG, operation_id = "createOnboard", security(("token" = [])),
    request_body = OnboardRequest,
    responses(
        (status = 201, body = PersonnelEventDetail),
        (status = 400, description = "Fields break rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an operator's token", body = ErrorBody),
        (status = 409, description = "Somebody with this e-mail address is being onboarded", body = ErrorBody),
        (status = 415, description = "Not application/json", body = ErrorBody),
    )
)]
pub async fn onboard(session: Session<Operates>, Json(request): Json<OnboardRequest>) -> Result<Response, ApiError> {
    let parts = Parts {
        identity: request.identity,
        effective_date: request.effective_date,
        end_date: request.end_date,
        comment: request.comment,
        ..Parts::default()
    };
    create(&session, PersonnelEventType::Onboard, parts).await
}
