//! `ETag` and `If-Match`: a resource's version is that of its stream (rulings 9).

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::error::ApiError;
use crate::journal::{AppendError, CommandError};

/// An answer that shows a resource at a version.
pub fn tagged(version: i64, answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    if let Ok(etag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

/// The version that `If-Match` demands.
pub fn if_match(headers: &HeaderMap) -> Result<Option<i64>, ApiError> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let version = text.trim_start_matches("W/").trim_matches('"').parse();
    version.map(Some).map_err(|_| ApiError::field("If-Match", format!("{text:?} is not an ETag that this server gave")))
}

/// What the journal refused: a stream that isn't at the version demanded is 412.
pub fn refused(error: CommandError, is_demanded: bool) -> ApiError {
    match error {
        CommandError::Append(AppendError::Conflict { found, .. }) if is_demanded => {
            let message = format!("If-Match doesn't match: the current ETag is \"{found}\"");
            ApiError::new(StatusCode::PRECONDITION_FAILED, "precondition_failed", message)
        }
        other => other.into(),
    }
}
