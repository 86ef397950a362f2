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

/// Who moves, when, and to what.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleTransitionRequest {
    /// GUID of the identity.
    identity_id: Option<String>,
    /// What changes; only what is given does.
    identity: Option<IdentityRequest>,
    /// A date (the first moment of that day in the configured timezone) or a time; today or later.
    effective_date: Option<String>,
    /// After the effective date; then what it did is undone.
    end_date: Option<String>,
    /// At most 4,000 characters.
    comment: Option<String>,
}

/// Asks for a change of role. When it begins, access is suggested by what others with that department and title hold.
#[utoipa::path(
    post, path = "/api/personnel-events/role-transition", tag = TAG, operation_id = "createRoleTransition", security(("token" = [])),
    request_body = RoleTransitionRequest,
    responses(
        (status = 201, body = PersonnelEventDetail),
        (status = 400, description = "Fields break rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an operator's token", body = ErrorBody),
        (status = 409, description = "Another event about this person stands against it", body = ErrorBody),
        (status = 415, description = "Not application/json", body = ErrorBody),
    )
)]
pub async fn role_transition(
    session: Session<Operates>,
    Json(request): Json<RoleTransitionRequest>,
) -> Result<Response, ApiError> {
    let parts = Parts {
        identity_id: request.identity_id,
        identity: request.identity,
        effective_date: request.effective_date,
        end_date: request.end_date,
        comment: request.comment,
    };
    create(&session, PersonnelEventType::RoleTransition, parts).await
}
