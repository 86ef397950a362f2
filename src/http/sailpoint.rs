//! SailPoint's dialect (contracts §2.1, §2.3): which paths speak it, and how errors are told there.

#[cfg(test)]
mod tests;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiError;
use super::request::RequestInfo;

/// Where its operations are: one contract under the prefix of each version, and after the service's name.
pub const PREFIXES: [&str; 6] =
    ["/sp-config", "/beta/sp-config", "/v2024/sp-config", "/v2025/sp-config", "/v2026/sp-config", "/sp-config/v1"];

/// Is a path one of SailPoint's?
pub(super) fn is_ours(path: &str) -> bool {
    PREFIXES.iter().any(|prefix| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// Error body under SailPoint's paths (contracts §2.3).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SailPointErrorBody {
    /// The status, a finer number, and words.
    #[schema(example = "400.1.3 Illegal value")]
    pub detail_code: String,
    /// Names this request in the log and in the audit trail: 32 hex digits.
    #[schema(example = "0af7651916cd43dd8448eb211c80319c")]
    pub tracking_id: String,
    /// The sentences for people.
    pub messages: Vec<SailPointMessage>,
    /// Always empty.
    pub causes: Vec<SailPointMessage>,
}

/// A sentence.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SailPointMessage {
    /// Always `en-US`.
    pub locale: &'static str,
    /// Always `DEFAULT`.
    pub locale_origin: &'static str,
    /// The sentence.
    pub text: String,
}

/// 401 under SailPoint's paths.
#[derive(Debug, Serialize, ToSchema)]
pub struct SailPointUnauthorized {
    /// What is wrong with the token.
    #[schema(example = "JWT validation failed: JWT is expired")]
    pub error: String,
}

/// 429 under SailPoint's paths.
#[derive(Serialize)]
struct TooManyRequests {
    message: &'static str,
}

/// The error's body as SailPoint's clients read it.
pub(super) fn render(error: ApiError, request: &RequestInfo) -> Response {
    match error.status {
        StatusCode::UNAUTHORIZED => Json(SailPointUnauthorized { error: error.message }).into_response(),
        // The blanks are in the contract.
        StatusCode::TOO_MANY_REQUESTS => Json(TooManyRequests { message: " Rate Limit Exceeded " }).into_response(),
        _ => Json(body(error, request.correlation_id())).into_response(),
    }
}

fn body(error: ApiError, tracking_id: String) -> SailPointErrorBody {
    let detail_code = detail_code(&error);
    let texts = if error.fields.is_empty() {
        vec![error.message]
    } else {
        error.fields.into_iter().map(|violation| violation.message).collect()
    };
    let messages =
        texts.into_iter().map(|text| SailPointMessage { locale: "en-US", locale_origin: "DEFAULT", text }).collect();
    SailPointErrorBody { detail_code, tracking_id, messages, causes: Vec::new() }
}

/// Statuses that contracts §2.3 doesn't show are told by number and name.
fn detail_code(error: &ApiError) -> String {
    let is_about_a_field = error.fields.iter().any(|violation| !violation.field.is_empty());
    match error.status.as_u16() {
        400 if is_about_a_field => "400.1.3 Illegal value".to_owned(),
        400 => "400.1 Bad Request Content".to_owned(),
        403 => "403 Forbidden".to_owned(),
        404 => "404 Not found".to_owned(),
        500 => "500.0 Internal Fault".to_owned(),
        other => format!("{other} {}", error.status.canonical_reason().unwrap_or_default()),
    }
}
