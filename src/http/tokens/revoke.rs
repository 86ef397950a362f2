use aggregates::Refusal;
use aggregates::api_token::{ApiToken, ApiTokenCommand};
use axum::http::StatusCode;

use super::TAG;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::Id;
use crate::http::session::{Administers, Session};
use crate::journal::CommandError;

/// Ends a token at once, on every server.
#[utoipa::path(
    delete, path = "/api/tokens/{id}", tag = TAG, operation_id = "revokeToken", security(("token" = [])),
    params(("id" = String, Path, description = "GUID")),
    responses(
        (status = 204, description = "Ended"),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an administrator's token", body = ErrorBody),
        (status = 404, description = "No such token", body = ErrorBody),
        (status = 409, description = "Revoked already", body = ErrorBody),
    )
)]
pub async fn revoke(session: Session<Administers>, Id(id): Id) -> Result<StatusCode, ApiError> {
    let context = session.context("/api/tokens".to_owned());
    let executed = session.journal().execute::<ApiToken>(id, ApiTokenCommand::Revoke, None, context).await;
    executed.map_err(|error| match error {
        CommandError::Refused(Refusal::NotFound(_)) => ApiError::not_found("Token", id),
        other => other.into(),
    })?;
    Ok(StatusCode::NO_CONTENT)
}
