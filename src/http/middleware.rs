//! Around every request: its id, its limits, its log line, its measures, and the rendering of errors.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::DefaultKeyedRateLimiter;
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::error::{ApiError, Replay};
use super::measures::Measures;
use super::request::RequestInfo;
use crate::app::SharedApp;

/// A request must be answered within this, but for uploads and streams, which have their own limits.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// What the middleware needs beside the application.
pub(super) struct Around {
    pub(super) app: SharedApp,
    pub(super) rate: Option<DefaultKeyedRateLimiter<IpAddr>>,
    pub(super) measures: Measures,
}

/// Marks an answer that must not be kept for a repetition: its handler can give it again.
#[derive(Clone)]
pub struct Secret;

pub(super) async fn around(State(around): State<Arc<Around>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let info = Arc::new(RequestInfo::new(
        &*around.app.clock,
        request.method().clone(),
        request.uri().path(),
        request.headers(),
        request.extensions(),
    ));
    let route = request.extensions().get::<MatchedPath>().cloned();
    let authorization = request.headers().get(header::AUTHORIZATION).cloned();
    request.extensions_mut().insert(Arc::clone(&info));
    let response = match limited(&around, &info) {
        Err(error) => error.into_response(),
        Ok(()) if has_no_time_limit(&info) => next.run(request).await,
        Ok(()) => match tokio::time::timeout(TIME_LIMIT, next.run(request)).await {
            Ok(response) => response,
            Err(_) => ApiError::unavailable("The request took longer than 30 seconds").into_response(),
        },
    };
    let mut response = finish(&around.app, &info, response, authorization).await;
    if let Ok(id) = HeaderValue::from_str(&info.correlation_id()) {
        response.headers_mut().insert("x-request-id", id);
    }
    let status = response.status();
    let elapsed = started.elapsed();
    around.measures.record(&info.method, route.as_ref().map_or("unknown", MatchedPath::as_str), status, elapsed);
    tracing::debug!(
        request_id = %info.id.simple(), method = %info.method, path = info.path, status = status.as_u16(),
        elapsed_us = elapsed.as_micros() as u64, "request"
    );
    response
}

fn has_no_time_limit(info: &RequestInfo) -> bool {
    // `/beta/sp-config/import`, `/sp-config/v1/import`
    let is_config_import = info.speaks_sailpoint() && info.path.ends_with("/import");
    info.path == "/api/application-imports/upload" || info.path == "/api/events" || is_config_import
}

fn limited(around: &Around, info: &RequestInfo) -> Result<(), ApiError> {
    let Some(rate) = &around.rate else { return Ok(()) };
    let address = info.source.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    rate.check_key(&address).map_err(|_| ApiError {
        retry_after: Some(1),
        ..ApiError::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_requests",
            "Too many requests from this address; try again in a second",
        )
    })
}

/// Renders an error, replays an earlier answer, or keeps the answer of a keyed request.
async fn finish(
    app: &SharedApp,
    info: &RequestInfo,
    mut response: Response,
    authorization: Option<HeaderValue>,
) -> Response {
    if let Some(error) = response.extensions_mut().remove::<Box<ApiError>>() {
        return if let Some(replay) = error.replay {
            replayed(app, *replay, authorization).await
        } else {
            let mut rendered = error.render(info);
            // axum says here which methods a route has.
            if let Some(allow) = response.headers_mut().remove(header::ALLOW) {
                rendered.headers_mut().insert(header::ALLOW, allow);
            }
            rendered
        };
    }
    match (info.carried_out_by.get(), &info.idempotency_key) {
        (Some(actor), Some(key))
            if response.status().is_success() && response.extensions_mut().remove::<Secret>().is_none() =>
        {
            keep(app, actor, key, response).await
        }
        _ => response,
    }
}

async fn keep(app: &SharedApp, actor: &str, key: &str, response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let Ok(body) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
        return ApiError::internal(&"a response body could not be read").into_response();
    };
    let text = String::from_utf8_lossy(&body);
    if let Err(error) = crate::work::idempotency::answered(&app.pool, actor, key, parts.status.as_u16(), &text).await {
        tracing::warn!(%error, "the answer of a request with an Idempotency-Key was not kept");
    }
    Response::from_parts(parts, Body::from(body))
}

async fn replayed(app: &SharedApp, replay: Replay, authorization: Option<HeaderValue>) -> Response {
    let status = StatusCode::from_u16(replay.status).unwrap_or(StatusCode::OK);
    if let Some(body) = replay.body {
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
        return response;
    }
    // The server died between the append and the answer: what the request made is the answer.
    let mut request = Request::new(Body::empty());
    *request.method_mut() = Method::GET;
    if let Ok(uri) = replay.location.parse() {
        *request.uri_mut() = uri;
    }
    if let Some(authorization) = authorization {
        request.headers_mut().insert(header::AUTHORIZATION, authorization);
    }
    match app.router.get() {
        Some(router) => match router.clone().oneshot(request).await {
            Ok(mut response) => {
                if response.status() == StatusCode::OK {
                    *response.status_mut() = status;
                }
                response
            }
            Err(never) => match never {},
        },
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// A panic in a handler is a bug, and still a JSON answer.
#[expect(clippy::needless_pass_by_value, reason = "the signature that the layer asks for")]
pub(super) fn panicked(panic: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without words");
    ApiError::internal(&text).into_response()
}

/// No such path.
pub(super) async fn unknown_route(request: Request) -> ApiError {
    let path = request.uri().path();
    ApiError::new(StatusCode::NOT_FOUND, "not_found", format!("There is nothing at {path}; see /docs"))
        .about("path", path.to_owned())
}

/// The path exists, but not for this method.
pub(super) async fn wrong_method(request: Request) -> ApiError {
    let (method, path) = (request.method(), request.uri().path());
    let message = format!("{method} is not possible at {path}; the Allow header says what is");
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
}
