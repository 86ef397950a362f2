use axum::Json;
use axum::extract::{Request, State};
use axum::http::header;
use serde::Serialize;
use utoipa::ToSchema;

use super::{OAuthErrorBody, ORG, POD, TAG, TENANT_ID, invalid_request};
use crate::app::SharedApp;
use crate::http::error::ApiError;

/// Where the tenant, of which there is one, gives tokens.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InfoBody {
    /// The one tenant.
    pub tenant_id: &'static str,
    /// Its name.
    pub org: &'static str,
    /// Its place.
    pub pod: &'static str,
    /// Where everything is: the `BaseURL` of SailPoint's clients.
    #[schema(example = "https://muniment.example.com")]
    pub api_endpoint: String,
    /// Where tokens are.
    #[schema(example = "https://muniment.example.com/oauth/token")]
    pub token_endpoint: String,
}

/// The tenant and its endpoints.
#[utoipa::path(
    get, path = "/oauth/info", tag = TAG, operation_id = "getOAuthInfo",
    responses(
        (status = 200, body = InfoBody),
        (status = 400, description = "No Host header", body = OAuthErrorBody),
        (status = 403, description = "The API is switched off", body = OAuthErrorBody),
    )
)]
pub async fn info(State(app): State<SharedApp>, request: Request) -> Result<Json<InfoBody>, ApiError> {
    if !app.tokens.is_api_enabled().await? {
        return Err(ApiError::switched_off());
    }
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    // HTTP/2 says it in the URI, HTTP/1 in the header.
    let host = request.uri().authority().map(axum::http::uri::Authority::as_str).or_else(|| header(header::HOST));
    let host = host.ok_or_else(|| invalid_request("The Host header is missing"))?;
    // Before a proxy that speaks TLS for us, only that knows.
    let is_https = app.config.has_tls || header(header::HeaderName::from_static("x-forwarded-proto")) == Some("https");
    let api_endpoint = format!("{}://{host}", if is_https { "https" } else { "http" });
    let token_endpoint = format!("{api_endpoint}/oauth/token");
    Ok(Json(InfoBody { tenant_id: TENANT_ID, org: ORG, pod: POD, api_endpoint, token_endpoint }))
}
