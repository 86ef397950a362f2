//! One error type; how it is rendered depends on who asks (contracts §1.3; RFC 9457 when asked for).

use std::sync::Arc;

use aggregates::{Refusal, Violation};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cqrs_es::persist::PersistenceError;
use serde::Serialize;
use utoipa::ToSchema;

use super::oauth::OAuthErrorBody;
use super::request::RequestInfo;
use super::sailpoint;
use super::veza::VezaErrorBody;
use crate::journal::{AppendError, CommandError};

/// Why a request wasn't carried out.
#[derive(Debug, Clone)]
pub struct ApiError {
    /// The status answered.
    pub status: StatusCode,
    /// The word for programs.
    pub code: &'static str,
    /// The sentence for people.
    pub message: String,
    /// The fields that break rules.
    pub fields: Vec<Violation>,
    /// Seconds after which to try again.
    pub retry_after: Option<u32>,
    /// What isn't there.
    pub resource: Option<Box<Resource>>,
    /// The answer is another's: that of the request which used the same `Idempotency-Key`.
    pub replay: Option<Box<Replay>>,
}

/// What was asked for and isn't there.
#[derive(Debug, Clone)]
pub struct Resource {
    /// What it would be, in lower case.
    pub kind: String,
    /// Its id.
    pub id: String,
}

/// The answer given before.
#[derive(Debug, Clone)]
pub struct Replay {
    /// The status.
    pub status: u16,
    /// The body; `None` when the first answer was never rendered: then what `location` shows is the answer.
    pub body: Option<String>,
    /// Path of what the request made or changed.
    pub location: String,
}

impl ApiError {
    /// An error of this status, code and message.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            fields: Vec::new(),
            retry_after: None,
            resource: None,
            replay: None,
        }
    }

    /// 400: fields break rules.
    pub fn validation(fields: Vec<Violation>) -> Self {
        let error = Self::new(StatusCode::BAD_REQUEST, "validation_error", "One or more validation errors occurred");
        Self { fields, ..error }
    }

    /// 400: one field breaks a rule.
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        Self::validation(vec![Violation::new(field, message)])
    }

    /// 404: nothing has this id.
    pub fn not_found(what: &str, id: impl std::fmt::Display) -> Self {
        let error = Self::new(StatusCode::NOT_FOUND, "not_found", format!("{what} with id {id} not found"));
        error.about(what, id.to_string())
    }

    /// Names what isn't there: its kind and its id.
    pub fn about(self, what: &str, id: String) -> Self {
        Self { resource: Some(Box::new(Resource { kind: what.to_lowercase(), id })), ..self }
    }

    /// 401.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
    }

    /// 403.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    /// 403: nothing is answered (rulings 6).
    pub fn switched_off() -> Self {
        Self::forbidden("The API is switched off in the system settings")
    }

    /// 409.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", message)
    }

    /// 422.
    pub fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unprocessable_entity", message)
    }

    /// 413.
    pub fn too_large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", message)
    }

    /// 415.
    pub fn unsupported_media_type(found: &str, allowed: &str) -> Self {
        let found = if found.is_empty() { "missing".to_owned() } else { format!("{found:?}") };
        let message = format!("The Content-Type is {found}; this operation takes {allowed}");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message)
    }

    /// 503 with `Retry-After`.
    pub fn unavailable(message: impl Into<String>) -> Self {
        let error = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message);
        Self { retry_after: Some(1), ..error }
    }

    /// 500; what happened goes to the log, not to the client.
    pub fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "An unexpected error occurred")
    }

    /// The body of contracts §1.3, §3.6 under Veza's paths, §2.3 under SailPoint's, RFC 6749's under `/oauth`; RFC 9457's when
    /// it is asked for.
    pub(super) fn render(self, request: &RequestInfo) -> Response {
        let correlation_id = request.correlation_id();
        let (status, retry_after) = (self.status, self.retry_after);
        let mut response = if request.wants_problem {
            let problem = Problem {
                r#type: format!("urn:muniment:error:{}", self.code),
                title: self.code.replace('_', " "),
                status: self.status.as_u16(),
                detail: &self.message,
                instance: &request.path,
                correlation_id,
                errors: &self.fields,
            };
            let mut response = axum::Json(problem).into_response();
            let kind = HeaderValue::from_static("application/problem+json");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            response
        } else if request.speaks_veza() {
            axum::Json(VezaErrorBody::of(&self, request)).into_response()
        } else if request.speaks_sailpoint() {
            sailpoint::render(self, request)
        } else if request.speaks_oauth() {
            axum::Json(OAuthErrorBody::from(self)).into_response()
        } else {
            let (error, message, errors) = (self.code, self.message, self.fields);
            axum::Json(ErrorBody { error: error.to_owned(), message, correlation_id, errors }).into_response()
        };
        *response.status_mut() = status;
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            // Clients say who they are with name and secret (RFC 6749 §5.2).
            let scheme = if request.speaks_oauth() { "Basic realm=\"oauth\"" } else { "Bearer" };
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(scheme));
        }
        response
    }
}

/// Error body (contracts §1.3).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// The word for programs.
    #[schema(example = "validation_error")]
    pub error: String,
    /// The sentence for people.
    pub message: String,
    /// Names this request in the log and in the audit trail: 32 hex digits.
    #[schema(example = "0af7651916cd43dd8448eb211c80319c")]
    pub correlation_id: String,
    /// The fields that break rules.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<FieldError>)]
    pub errors: Vec<Violation>,
}

/// A field that breaks a rule.
#[derive(ToSchema)]
#[expect(dead_code, reason = "documents the shape of aggregates::Violation")]
pub struct FieldError {
    /// Dotted path.
    #[schema(example = "connector.fileGroups[0].name")]
    field: String,
    /// What was found and what is allowed.
    message: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Problem<'a> {
    r#type: String,
    title: String,
    status: u16,
    detail: &'a str,
    instance: &'a str,
    correlation_id: String,
    #[serde(skip_serializing_if = "<[Violation]>::is_empty")]
    errors: &'a [Violation],
}

/// Carries the error to the middleware that knows the request and renders it.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(Box::new(self));
        response
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Invalid(fields) => Self::validation(fields),
            Refusal::NotFound(message) => Self::new(StatusCode::NOT_FOUND, "not_found", message),
            Refusal::Conflict(message) => Self::conflict(message),
            Refusal::Precondition(message) => Self::unprocessable(message),
        }
    }
}

impl From<AppendError> for ApiError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Conflict { .. } | AppendError::Guard { .. } | AppendError::ClaimTaken { .. } => {
                Self::conflict(error.to_string())
            }
            AppendError::KeyReused => Self::key_reused(),
            // Two requests with one key at the same moment: the other one is being answered.
            AppendError::Replayed { .. } => Self {
                retry_after: Some(1),
                ..Self::conflict(
                    "A request with this Idempotency-Key is being carried out; send it again for its answer",
                )
            },
            AppendError::Unavailable(message) => Self::unavailable(message),
            AppendError::Failed(_) => Self::internal(&error),
        }
    }
}

impl ApiError {
    /// 422: a key was used for another request.
    pub fn key_reused() -> Self {
        Self::unprocessable(
            "The Idempotency-Key was used within 24 hours for a request with another method, path or body",
        )
    }
}

impl From<CommandError> for ApiError {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Refused(refusal) => refusal.into(),
            CommandError::Append(error) => error.into(),
            CommandError::Database(error) => error.into(),
        }
    }
}

impl From<PersistenceError> for ApiError {
    fn from(error: PersistenceError) -> Self {
        match error {
            PersistenceError::ConnectionError(_) => Self::unavailable("The database is away"),
            other => Self::internal(&other),
        }
    }
}

/// An error that several requests share, because they shared a query.
impl From<Arc<sqlx::Error>> for ApiError {
    fn from(error: Arc<sqlx::Error>) -> Self {
        Self::of_database(&error)
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        Self::of_database(&error)
    }
}

impl ApiError {
    fn of_database(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Tls(_) => {
                tracing::warn!(%error, "the database is away");
                Self::unavailable("The database is away")
            }
            other if is_away(other) => Self::unavailable("The database is away"),
            other => Self::internal(other),
        }
    }
}

/// The server is stopping or starting, the statement took too long, or there are too many connections.
fn is_away(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned));
    matches!(code.as_deref(), Some("57P01" | "57P02" | "57P03" | "57014" | "53300"))
}
