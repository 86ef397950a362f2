use aggregates::api_token::{ApiToken, ApiTokenCommand, Role};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json as Body};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::TAG;
use super::body::TokenBody;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::SecretJson;
use crate::http::middleware::Secret;
use crate::http::session::{Administers, Session};
use crate::journal::{AppendError, CommandError};
use crate::tokens::{derived_secret, new_secret, secret_sha256};

/// A token to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenRequest {
    /// Unique among tokens that aren't revoked; at most 256 characters.
    name: String,
    /// reader, auditor, operator (the default) or administrator.
    #[schema(value_type = Option<String>)]
    role: Option<Role>,
    /// The person it stands for.
    identity_id: Option<Uuid>,
    /// A date or time in the future; absent = never.
    #[schema(example = "2027-03-15")]
    expiration_date: Option<String>,
}

/// A new token with its secret, which can't be read again.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewTokenBody {
    /// The token's fields.
    #[serde(flatten)]
    pub token: TokenBody,
    /// Send it as `Authorization: Bearer`; it is shown this once.
    pub secret: String,
}

/// Makes a token; the answer holds its secret, once.
///
/// With an `Idempotency-Key` the secret follows from the caller's own, so a repetition is answered alike and no secret kept.
#[utoipa::path(
    post, path = "/api/tokens", tag = TAG, operation_id = "createToken", security(("token" = [])),
    request_body = TokenRequest,
    responses(
        (status = 201, body = NewTokenBody),
        (status = 400, description = "Fields break rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an administrator's token", body = ErrorBody),
        (status = 409, description = "Another token has this name", body = ErrorBody),
    )
)]
pub async fn create(
    session: Session<Administers>,
    SecretJson { value: request, key }: SecretJson<TokenRequest>,
) -> Result<Response, ApiError> {
    let secret = match (&key, session.request.request_sha256.get()) {
        (Some((key, _)), Some(request_sha256)) => derived_secret(&session.secret, key, request_sha256),
        _ => new_secret().map_err(|error| ApiError::internal(&error))?,
    };
    if let Some((_, Some(known))) = &key {
        let id = known.location.rsplit('/').next().unwrap_or_default();
        let mut response = answer(&session, crate::http::extract::id("location", id)?, secret).await?;
        response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
        return Ok(response);
    }
    if let Some(identity) = request.identity_id
        && projections::identities::find(session.pool(), identity).await?.is_none()
    {
        return Err(ApiError::field("identityId", format!("Identity with id {identity} not found")));
    }
    let expires_at = match &request.expiration_date {
        None => None,
        Some(text) => Some(aggregates::values::time(text).ok_or_else(|| {
            ApiError::field("expirationDate", format!("{text:?} is not {}", aggregates::values::TIME_ALLOWED))
        })?),
    };
    if expires_at.is_some_and(|at| at <= session.now) {
        return Err(ApiError::field("expirationDate", "The expiration must lie in the future"));
    }
    let id = session.app.clock.id();
    let command = ApiTokenCommand::Create {
        name: request.name.trim().to_owned(),
        role: request.role.unwrap_or(Role::Operator),
        identity_id: request.identity_id,
        expires_at,
        secret_sha256: secret_sha256(&secret),
        now: session.now,
    };
    let context = session.creating(format!("/api/tokens/{id}"));
    session.journal().create::<ApiToken>(id, command, context).await.map_err(|error| match error {
        CommandError::Append(AppendError::ClaimTaken { .. }) => ApiError::conflict("Another token has this name"),
        other => other.into(),
    })?;
    answer(&session, id, secret).await
}

async fn answer(session: &Session<Administers>, id: Uuid, secret: String) -> Result<Response, ApiError> {
    let rows = projections::api_tokens::list(session.pool()).await?;
    let row = rows.into_iter().find(|row| row.id == id).ok_or_else(|| ApiError::not_found("Token", id))?;
    // An OAuth client that repeats its request with another access token would get a secret that opens nothing.
    if row.secret_sha256 != secret_sha256(&secret) {
        let message = "The token was made; its secret is shown only to the access token that made it";
        return Err(ApiError::conflict(message));
    }
    let body = NewTokenBody { token: TokenBody::of(row, None), secret };
    Ok((StatusCode::CREATED, Extension(Secret), Body(body)).into_response())
}
