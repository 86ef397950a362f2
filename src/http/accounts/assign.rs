use aggregates::account::AccountCommand;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::body::AccountDetailBody;
use super::{TAG, change, load};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::etag::if_match;
use crate::http::extract::{Id, Json};
use crate::http::session::{Operates, Session};

/// To whom an account belongs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AssignmentRequest {
    /// An identity that isn't Removed.
    identity_id: Uuid,
    /// Why; at most 4,000 characters.
    comment: Option<String>,
}

/// Links an account to a person by hand. No rule and no import changes that, until it is released.
#[utoipa::path(
    post, path = "/api/accounts/{id}/identity", tag = TAG, operation_id = "assignAccount", security(("token" = [])),
    params(
        ("id" = String, Path, description = "GUID"),
        ("If-Match" = Option<String>, Header, description = "The ETag that it must still have"),
    ),
    request_body = AssignmentRequest,
    responses(
        (status = 200, body = AccountDetailBody, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "Fields break rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an operator's token", body = ErrorBody),
        (status = 404, description = "No such account", body = ErrorBody),
        (status = 409, description = "The account was removed", body = ErrorBody),
        (status = 412, description = "If-Match doesn't match", body = ErrorBody),
        (status = 415, description = "Not application/json", body = ErrorBody),
    )
)]
pub async fn assign(
    session: Session<Operates>,
    Id(id): Id,
    headers: HeaderMap,
    Json(request): Json<AssignmentRequest>,
) -> Result<Response, ApiError> {
    let demanded = if_match(&headers)?;
    let loaded = load(&session, id).await?;
    let identity_id = request.identity_id;
    match projections::identities::find(session.pool(), identity_id).await? {
        None => return Err(ApiError::field("identityId", format!("Identity with id {identity_id} not found"))),
        Some(found) if found.row.status == "Removed" => {
            let message = format!("Identity {identity_id} is Removed: no source names it any more");
            return Err(ApiError::field("identityId", message));
        }
        Some(_) => {}
    }
    let comment = request.comment.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    change(&session, loaded, id, AccountCommand::Assign { identity_id, comment }, demanded).await
}
