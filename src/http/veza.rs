//! What operations under Veza's paths share: their errors (contracts §3.6), and bodies around bodies.

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::error::ApiError;
use super::etag;
use super::request::RequestInfo;
use crate::journal::{AppendError, CommandError};
use crate::reviews::{ChangeError, ReviewError};

/// Where its operations are.
pub const PREFIX: &str = "/api/preview/awf";

/// A list, which is never paged (rulings 31).
#[derive(Debug, Serialize, ToSchema)]
pub struct Values<T> {
    /// All of them.
    pub values: Vec<T>,
}

/// One of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct Wrapped<T> {
    /// It.
    pub value: T,
}

/// `{}`: Veza's own client can't read an answer of no bytes.
#[derive(Debug, Serialize, ToSchema)]
pub struct Empty {}

/// Error body under `/api/preview/awf` (contracts §3.6).
#[derive(Debug, Serialize, ToSchema)]
pub struct VezaErrorBody {
    /// The word for programs, of google.rpc.Code.
    #[schema(example = "InvalidArgument")]
    pub code: &'static str,
    /// The sentence for people.
    #[schema(example = "Invalid Arguments")]
    pub message: String,
    /// Names this request in the log and in the audit trail: 32 hex digits.
    #[schema(example = "0af7651916cd43dd8448eb211c80319c")]
    pub request_id: String,
    /// When the request came.
    pub timestamp: DateTime<Utc>,
    /// Fields that break rules (`google.rpc.BadRequest`) or what isn't there (`ResourceInfo`), and what to do
    /// (`UserFacingErrorInfo`).
    #[schema(value_type = Vec<Object>)]
    pub details: Vec<Value>,
}

/// Code, reason, sentence, and what to do.
struct Words {
    code: &'static str,
    reason: &'static str,
    message: Option<&'static str>,
    resolution: &'static str,
}

impl Words {
    /// Statuses that contracts §3.6 doesn't show are named by analogy with google.rpc.Code.
    fn of(status: StatusCode) -> Self {
        let (code, reason, message, resolution) = match status.as_u16() {
            400 => (
                "InvalidArgument",
                "INVALID_ARGUMENTS",
                Some("Request includes invalid arguments."),
                "Reference error details for the exact field violations.",
            ),
            401 => ("Unauthenticated", "UNAUTHENTICATED", None, "Send a valid token as Authorization: Bearer."),
            403 => ("PermissionDenied", "PERMISSION_DENIED", None, "Use a token whose role allows this."),
            404 => ("NotFound", "NOT_FOUND", Some("Requested resource was not found."), "Check the path and the ids."),
            405 => ("Unimplemented", "METHOD_NOT_ALLOWED", None, "Use a method that the Allow header names."),
            409 => ("Aborted", "CONFLICT", None, "Read the current state and try again."),
            412 => ("FailedPrecondition", "PRECONDITION_FAILED", None, "Read the current state and try again."),
            413 => ("InvalidArgument", "PAYLOAD_TOO_LARGE", None, "Send less."),
            415 => ("InvalidArgument", "UNSUPPORTED_MEDIA_TYPE", None, "Send the body as application/json."),
            422 => ("FailedPrecondition", "UNPROCESSABLE", None, "Use another Idempotency-Key."),
            429 => ("ResourceExhausted", "TOO_MANY_REQUESTS", None, "Try again after Retry-After seconds."),
            503 => ("Unavailable", "UNAVAILABLE", None, "Try again after Retry-After seconds."),
            _ => ("Internal", "INTERNAL", None, "Tell the administrators the request_id."),
        };
        Self { code, reason, message, resolution }
    }
}

impl VezaErrorBody {
    /// The error as Veza's clients read it.
    pub(super) fn of(error: &ApiError, request: &RequestInfo) -> Self {
        let words = Words::of(error.status);
        let mut details = Vec::new();
        if error.status == StatusCode::BAD_REQUEST {
            let violation =
                |violation: &aggregates::Violation| json!({"field": violation.field, "description": violation.message});
            let violations: Vec<Value> = error.fields.iter().map(violation).collect();
            details.push(json!({"@type": "type.googleapis.com/google.rpc.BadRequest", "field_violations": violations}));
        }
        if let Some(resource) = &error.resource {
            details.push(json!({
                "@type": "type.googleapis.com/errorstatus.v1.ResourceInfo",
                "resource_type": resource.kind,
                "resource": resource.id,
            }));
        }
        details.push(json!({
            "@type": "type.googleapis.com/errorstatus.v1.UserFacingErrorInfo",
            "reason": words.reason,
            "metadata": {},
            "message": words.message.unwrap_or(&error.message),
            "resolution": words.resolution,
        }));
        let message = match error.status.as_u16() {
            400 => "Invalid Arguments".to_owned(),
            404 => "Not Found".to_owned(),
            _ => error.message.clone(),
        };
        Self {
            code: words.code,
            message,
            request_id: request.correlation_id(),
            timestamp: request.received_at,
            details,
        }
    }
}

/// What a change of workflows or automations was refused for. A name that is taken is a violation, as Veza's own
/// documents have it; `noun` is what is named.
pub(super) fn refused(error: ChangeError, noun: &str, is_demanded: bool) -> ApiError {
    match error {
        ChangeError::NotFound(what, id) => ApiError::not_found(what, id),
        ChangeError::Command(CommandError::Append(AppendError::ClaimTaken { .. })) => {
            ApiError::field("name", format!("{noun} with the same name already exists"))
        }
        ChangeError::Command(error) => etag::refused(error, is_demanded),
    }
}

/// A value by its number or its word; absent and null are the first one.
pub(super) fn word<T: Copy + Default>(
    value: Option<&Value>,
    all: &[T],
    spell: impl Fn(T) -> &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<T, String> {
    let found = match value {
        None | Some(Value::Null) => return Ok(T::default()),
        Some(Value::Number(number)) => number.as_u64().and_then(|at| all.get(usize::try_from(at).ok()?).copied()),
        Some(Value::String(word)) => read(word),
        Some(_) => None,
    };
    found.ok_or_else(|| {
        let allowed: Vec<String> = all.iter().enumerate().map(|(at, one)| format!("{} ({at})", spell(*one))).collect();
        let shown: String = value.map(ToString::to_string).unwrap_or_default().chars().take(60).collect();
        format!("{shown} is not allowed; allowed are {}", allowed.join(", "))
    })
}

/// What a review was refused for.
pub(super) fn review_refused(error: ReviewError, is_demanded: bool) -> ApiError {
    match error {
        ReviewError::NotFound(what, id) => ApiError::not_found(what, id),
        ReviewError::Command(error) => etag::refused(error, is_demanded),
        ReviewError::Database(error) => CommandError::from(error).into(),
        ReviewError::Interrupted => ApiError::unavailable("Another server is at it"),
        ReviewError::Stopped(message) => ApiError::conflict(message),
    }
}
