//! Is it alive, is it ready, what does it measure. No token: load balancers and Prometheus ask.

use std::sync::OnceLock;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use sqlx::Executor;

use super::error::ApiError;
use crate::app::SharedApp;

static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Starts measuring, once a process.
pub fn install_recorder() {
    RECORDER.get_or_init(|| PrometheusBuilder::new().install_recorder().ok());
}

/// Folds what was measured into the histograms, for ever: until then every measure is held in memory.
pub async fn upkeep() {
    let mut interval = tokio::time::interval(std::time::Duration::from_secs(5));
    loop {
        interval.tick().await;
        if let Some(recorder) = RECORDER.get().and_then(Option::as_ref) {
            recorder.run_upkeep();
        }
    }
}

/// The process answers.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// The database answers and is of this program's version.
pub(super) async fn readyz(State(app): State<SharedApp>) -> Result<&'static str, ApiError> {
    app.pool.execute("SELECT 1 FROM journal.schema_version").await.map_err(|error| {
        tracing::warn!(%error, "not ready");
        ApiError::unavailable("The database is away")
    })?;
    Ok("ready\n")
}

/// Prometheus text format.
pub(super) async fn metrics() -> Response {
    let text = RECORDER.get().and_then(Option::as_ref).map(PrometheusHandle::render).unwrap_or_default();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}
