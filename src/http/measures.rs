//! What is measured of every request, with handles that are looked up once: names and labels are made of texts.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use metrics::{Counter, Histogram};

/// Methods that are measured; a client may make up any other.
const METHODS: [Method; 7] =
    [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::HEAD, Method::OPTIONS];

/// The handles of each route, by method and status.
#[derive(Default)]
pub(super) struct Measures(RwLock<HashMap<String, Vec<Measure>>>);

struct Measure {
    method: Method,
    status: StatusCode,
    requests: Counter,
    seconds: Histogram,
}

impl Measures {
    /// Counts a request.
    pub(super) fn record(&self, method: &Method, route: &str, status: StatusCode, elapsed: Duration) {
        if !METHODS.contains(method) {
            return;
        }
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let is_it = |measure: &&Measure| measure.method == *method && measure.status == status;
        if let Some(measure) = known.get(route).and_then(|measures| measures.iter().find(is_it)) {
            return measure.record(elapsed);
        }
        drop(known);
        let labels =
            [("method", method.to_string()), ("route", route.to_owned()), ("status", status.as_u16().to_string())];
        let measure = Measure {
            method: method.clone(),
            status,
            requests: metrics::counter!("muniment_http_requests_total", &labels),
            seconds: metrics::histogram!("muniment_http_request_seconds", "route" => route.to_owned()),
        };
        measure.record(elapsed);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(route.to_owned()).or_default().push(measure);
    }
}

impl Measure {
    fn record(&self, elapsed: Duration) {
        self.requests.increment(1);
        self.seconds.record(elapsed.as_secs_f64());
    }
}
