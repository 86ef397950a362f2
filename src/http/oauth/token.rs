use aggregates::api_client::Scope;
use axum::Json;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::parameters::Parameters;
use super::{OAuthErrorBody, ORG, POD, TAG, TENANT_ID, invalid_client, invalid_request};
use crate::app::SharedApp;
use crate::http::error::ApiError;
use crate::jwt::{Claims, SigningKey};
use crate::tokens::Token;

/// An access token is valid for so many seconds: what SailPoint's clients know (contracts §2.4).
const LIFETIME: i64 = 749;
/// Who issues them.
const ISSUER: &str = "muniment";

/// What a client sends; each parameter in the query, in the form, or (the first two) as `Authorization: Basic`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "documents the form that `Parameters` reads")]
pub struct TokenForm {
    /// Always `client_credentials`.
    #[schema(example = "client_credentials")]
    grant_type: String,
    /// As `muniment client create` printed it.
    client_id: String,
    /// As `muniment client create` printed it.
    client_secret: String,
    /// Some of the client's scopes, with blanks between; absent = all of them.
    #[schema(example = "sp:config:read")]
    scope: Option<String>,
}

/// An access token.
#[derive(Serialize, ToSchema)]
pub struct AccessTokenBody {
    /// Send it as `Authorization: Bearer`.
    pub access_token: String,
    /// Always `bearer`.
    pub token_type: &'static str,
    /// Seconds.
    pub expires_in: i64,
    /// What it may be used for, with blanks between.
    pub scope: String,
    /// Always `OFFLINE`.
    #[serde(rename = "accessType")]
    pub access_type: &'static str,
    /// The one tenant.
    pub tenant_id: &'static str,
    /// Always false.
    pub internal: bool,
    /// The one tenant's place.
    pub pod: &'static str,
    /// Always false.
    pub strong_auth_supported: bool,
    /// The one tenant's name.
    pub org: &'static str,
    /// Whom the client stands for, else the client.
    pub user_id: Uuid,
    /// Whom the client stands for.
    pub identity_id: Option<Uuid>,
    /// Names the token.
    pub jti: Uuid,
}

/// Gives a client an access token for its secret.
///
/// The parameters may be in the query, in the form, or partly in each; id and secret also in `Authorization: Basic`.
#[utoipa::path(
    post, path = "/oauth/token", tag = TAG, operation_id = "createAccessToken",
    params(
        ("grant_type" = Option<String>, Query, description = "As in the form"),
        ("client_id" = Option<String>, Query, description = "As in the form"),
        ("client_secret" = Option<String>, Query, description = "As in the form; better there, where no log of a proxy has it"),
        ("scope" = Option<String>, Query, description = "As in the form"),
    ),
    request_body(content(
        (TokenForm = "application/x-www-form-urlencoded"),
        (TokenForm = "multipart/form-data"),
    )),
    responses(
        (status = 200, body = AccessTokenBody),
        (status = 400, description = "invalid_request, unsupported_grant_type, invalid_scope", body = OAuthErrorBody),
        (status = 401, description = "invalid_client", body = OAuthErrorBody),
        (status = 403, description = "The API is switched off", body = OAuthErrorBody),
        (status = 413, description = "Larger than 16 KiB", body = OAuthErrorBody),
        (status = 415, description = "Neither of the two forms", body = OAuthErrorBody),
    )
)]
pub async fn token(State(app): State<SharedApp>, request: Request) -> Result<Response, ApiError> {
    let parameters = Parameters::of(request, &app).await?;
    match parameters.get("grant_type") {
        Some("client_credentials") => {}
        Some(_) => {
            let message = "The grant_type must be client_credentials";
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "unsupported_grant_type", message));
        }
        None => return Err(invalid_request("The grant_type is missing; it must be client_credentials")),
    }
    let (Some(id), Some(secret)) = (parameters.get("client_id"), parameters.get("client_secret")) else {
        return Err(invalid_client("The client_id or the client_secret is missing"));
    };
    let verdict = app.tokens.check_client(Uuid::try_parse(id).ok(), secret).await?;
    let client = verdict.client.ok_or_else(|| invalid_client("The client_id or the client_secret is wrong"))?;
    if !verdict.api_enabled {
        return Err(ApiError::switched_off());
    }
    let scopes = scopes(&client, parameters.get("scope"))?;
    let key = verdict.signing_key.ok_or_else(|| ApiError::unavailable("There is no key to sign with yet"))?;
    let claims = claims(&client, scopes, app.clock.id(), app.clock.now());
    let body = answer(&client, &claims, &key)?;
    // RFC 6749 §5.1: nobody in between may keep it.
    Ok(([(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")], Json(body)).into_response())
}

/// The scopes asked for, which must be the client's; all of them when none is asked for.
fn scopes(client: &Token, asked: Option<&str>) -> Result<Vec<Scope>, ApiError> {
    let Some(asked) = asked else { return Ok(client.scopes.clone()) };
    let mut scopes = Vec::new();
    for word in asked.split_ascii_whitespace() {
        match word.parse() {
            Ok(scope) if client.has_any(&[scope, Scope::All]) => scopes.push(scope),
            _ => {
                let message = format!("The client's scopes are {}", Scope::join(&client.scopes));
                return Err(ApiError::new(StatusCode::BAD_REQUEST, "invalid_scope", message));
            }
        }
    }
    scopes.sort_unstable();
    scopes.dedup();
    if scopes.is_empty() { Ok(client.scopes.clone()) } else { Ok(scopes) }
}

fn claims(client: &Token, scope: Vec<Scope>, jti: Uuid, now: DateTime<Utc>) -> Claims {
    let authorities = if client.role.administers() { vec!["ORG_ADMIN".to_owned()] } else { Vec::new() };
    Claims {
        iss: ISSUER.to_owned(),
        sub: client.identity_id.unwrap_or(client.id).to_string(),
        client_id: client.id,
        user_name: client.name.clone(),
        scope,
        authorities,
        exp: now.timestamp() + LIFETIME,
        iat: now.timestamp(),
        jti,
        tenant_id: TENANT_ID.to_owned(),
        org: ORG.to_owned(),
        pod: POD.to_owned(),
        internal: false,
    }
}

fn answer(client: &Token, claims: &Claims, key: &SigningKey) -> Result<AccessTokenBody, ApiError> {
    Ok(AccessTokenBody {
        access_token: key.sign(claims).map_err(|error| ApiError::internal(&error))?,
        token_type: "bearer",
        expires_in: LIFETIME,
        scope: Scope::join(&claims.scope),
        access_type: "OFFLINE",
        tenant_id: TENANT_ID,
        internal: false,
        pod: POD,
        strong_auth_supported: false,
        org: ORG,
        user_id: client.identity_id.unwrap_or(client.id),
        identity_id: client.identity_id,
        jti: claims.jti,
    })
}
