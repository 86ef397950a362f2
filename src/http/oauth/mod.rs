//! OAuth 2.0 for clients (contracts §2.4): client credentials for an access token (RFC 6749 §4.4).
//!
//! Nobody has a [`super::session::Session`] yet here: who asks says who it is in the request itself.

pub mod info;
mod parameters;
pub mod token;

use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiError;

/// Where its operations are.
pub const PREFIX: &str = "/oauth";
/// The tag of the operations.
pub const TAG: &str = "OAuth";

/// The one tenant: SailPoint's clients want an id, a name and a place of it, the same on every server.
pub const TENANT_ID: &str = "6d756e69-6d65-8e74-8000-000000000000";
/// The tenant's name.
pub const ORG: &str = "muniment";
/// The tenant's place.
pub const POD: &str = "muniment";

/// Error body under `/oauth` (RFC 6749 §5.2).
#[derive(Debug, Serialize, ToSchema)]
pub struct OAuthErrorBody {
    /// The word for programs.
    #[schema(example = "invalid_client")]
    pub error: String,
    /// The sentence for people.
    #[schema(example = "The client or its secret is wrong")]
    pub error_description: String,
}

impl From<ApiError> for OAuthErrorBody {
    fn from(error: ApiError) -> Self {
        // What every extractor calls so has another name in OAuth.
        let code = if error.code == "validation_error" { "invalid_request" } else { error.code };
        let sentences: Vec<String> = error.fields.into_iter().map(|violation| violation.message).collect();
        let description = if sentences.is_empty() { error.message } else { sentences.join("; ") };
        Self { error: code.to_owned(), error_description: description }
    }
}

/// 400: a parameter is missing or there twice.
fn invalid_request(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "invalid_request", message)
}

/// 401: the client isn't who it says it is.
fn invalid_client(message: &str) -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "invalid_client", message)
}
