//! What is known of a request from its head, shared by middleware and handler.

use std::net::{IpAddr, SocketAddr};
use std::sync::OnceLock;

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap, Method, header};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::clock::Clock;

/// Of one request.
pub struct RequestInfo {
    /// Names the request in responses, in the log and in the metadata of its events.
    pub id: Uuid,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// The path asked for.
    pub path: String,
    /// The method.
    pub method: Method,
    /// Where it came from.
    pub source: Option<IpAddr>,
    /// The client wants RFC 9457 errors.
    pub wants_problem: bool,
    /// As the client sent it.
    pub idempotency_key: Option<String>,
    /// SHA-256 of method, path and canonical body, once the body was read.
    pub request_sha256: OnceLock<[u8; 32]>,
    /// The actor under whom a keyed append was made: then the answer is kept.
    pub carried_out_by: OnceLock<String>,
}

impl RequestInfo {
    pub(super) fn new(
        clock: &dyn Clock,
        method: Method,
        path: &str,
        headers: &HeaderMap,
        extensions: &Extensions,
    ) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        Self {
            id: clock.id(),
            received_at: clock.now(),
            path: path.to_owned(),
            method,
            source: extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip()),
            wants_problem: text(header::ACCEPT.as_str())
                .is_some_and(|accept| accept.contains("application/problem+json")),
            idempotency_key: text("idempotency-key").map(str::to_owned),
            request_sha256: OnceLock::new(),
            carried_out_by: OnceLock::new(),
        }
    }

    /// Are its errors to be Veza's (contracts §3.6)?
    pub fn speaks_veza(&self) -> bool {
        let is_beneath =
            |prefix: &str| self.path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        is_beneath(super::veza::PREFIX) || is_beneath(super::providers::PREFIX)
    }

    /// Are its errors to be SailPoint's (contracts §2.3)?
    pub fn speaks_sailpoint(&self) -> bool {
        super::sailpoint::is_ours(&self.path)
    }

    /// Are its errors to be OAuth's (RFC 6749 §5.2)?
    pub fn speaks_oauth(&self) -> bool {
        self.path.strip_prefix(super::oauth::PREFIX).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// 32 hex digits (contracts §1.3).
    pub fn correlation_id(&self) -> String {
        self.id.simple().to_string()
    }
}

#[cfg(test)]
impl RequestInfo {
    /// A request to a path, for tests of what is rendered there; its id is 42.
    pub(super) fn at(path: &str) -> Self {
        Self {
            id: Uuid::from_u128(42),
            received_at: DateTime::UNIX_EPOCH,
            path: path.to_owned(),
            method: Method::GET,
            source: None,
            wants_problem: false,
            idempotency_key: None,
            request_sha256: OnceLock::new(),
            carried_out_by: OnceLock::new(),
        }
    }
}
