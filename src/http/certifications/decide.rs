use std::time::{Duration, Instant};

use aggregates::automation_run_rows::Counts;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{TAG, reviewer, update};
use crate::http::automation_runs;
use crate::http::error::ApiError;
use crate::http::extract::{Id, Json};
use crate::http::session::{Operates, Session};
use crate::http::veza::{VezaErrorBody, review_refused};
use crate::reviews::{self, NewDecision};

/// How long the answer waits for the run.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(20);

/// A decision about all rows that filters mean. Both must match. Fields that aren't listed are ignored.
#[derive(Debug, Deserialize, ToSchema)]
pub struct DecideRequest {
    /// Over source, destination and grant; empty = all.
    filter: Option<String>,
    /// Over decision, notes, `signed_off_state` and previous; empty = all.
    mutable_filter: Option<String>,
    /// `NONE` (resets), `ACCEPTED` or `REJECTED`, the same after `RESULT_DECISION_`, or 1 to 3.
    #[schema(value_type = Option<String>)]
    decision: Option<Value>,
    /// At most 4,000 characters.
    notes: Option<String>,
    /// `NOT_SIGNED_OFF`, `SIGNED_OFF`, 1 or 2.
    #[schema(value_type = Option<String>)]
    signed_off_state: Option<Value>,
    /// Only tell which rows are meant.
    dry_run: Option<bool>,
}

/// What was decided.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecidedBody {
    /// The run; null for a dry one.
    pub run_id: Option<Uuid>,
    /// `RUNNING`, `COMPLETED` or `ERROR`; null for a dry run.
    pub status: Option<String>,
    /// Rows that the filters meant when it began.
    pub matched: u64,
    /// Rows that changed.
    pub changed: u64,
    /// Rows left alone: not the caller's to decide about, their own access, signed off, or touched by somebody meanwhile.
    pub skipped: u64,
}

/// A run that goes on.
#[derive(Debug, Serialize, ToSchema)]
pub struct GoingOnBody {
    /// The run.
    pub run_id: Uuid,
}

/// Decides about all rows that filters mean. These are fixed when it begins; what somebody touches meanwhile is left alone.
#[utoipa::path(
    post, path = "/api/preview/awf/certifications/{id}/results:decide", tag = TAG, operation_id = "decideResults",
    security(("token" = [])),
    params(("id" = String, Path, description = "The certification: a GUID")),
    request_body = DecideRequest,
    responses(
        (status = 200, body = DecidedBody),
        (status = 202, description = "It goes on after 20 seconds", body = GoingOnBody),
        (status = 400, description = "Fields break rules", body = VezaErrorBody),
        (status = 401, description = "No valid token", body = VezaErrorBody),
        (status = 403, description = "Not an operator's token", body = VezaErrorBody),
        (status = 404, description = "No such certification", body = VezaErrorBody),
        (status = 409, description = "It isn't in progress", body = VezaErrorBody),
        (status = 415, description = "Not application/json", body = VezaErrorBody),
    )
)]
pub async fn decide(
    session: Session<Operates>,
    Id(id): Id,
    Json(request): Json<DecideRequest>,
) -> Result<Response, ApiError> {
    let since = Instant::now();
    let asked = request.read(&session)?;
    let started = reviews::start(&session.app, id, &asked, |run| session.context(automation_runs::location(run))).await;
    let started = started.map_err(|error| review_refused(error, false))?;
    let Some(run_id) = started.run_id else {
        let (matched, skipped) = (started.counts.matched, started.counts.skipped);
        let body = DecidedBody { run_id: None, status: None, matched, changed: 0, skipped };
        return Ok(axum::Json(body).into_response());
    };
    loop {
        let run = projections::automation_runs::find(session.pool(), run_id).await?;
        if let Some(run) = run.filter(|run| run.ended_at.is_some()) {
            let counts = projections::automation_runs::counts(session.pool(), &run).await?;
            let Counts { matched, changed, skipped, .. } = counts.first().copied().unwrap_or_default();
            let body = DecidedBody { run_id: Some(run_id), status: Some(run.status), matched, changed, skipped };
            return Ok(axum::Json(body).into_response());
        }
        if since.elapsed() > PATIENCE {
            return Ok((StatusCode::ACCEPTED, axum::Json(GoingOnBody { run_id })).into_response());
        }
        tokio::time::sleep(LOOK).await;
    }
}

impl DecideRequest {
    fn read(self, session: &Session<Operates>) -> Result<NewDecision, ApiError> {
        let mut found = Vec::new();
        let change = update::read_change(
            "",
            self.decision.as_ref(),
            self.signed_off_state.as_ref(),
            self.notes.as_deref(),
            &mut found,
        );
        if !found.is_empty() {
            return Err(ApiError::validation(found));
        }
        Ok(NewDecision {
            filter: self.filter.unwrap_or_default(),
            mutable_filter: self.mutable_filter.unwrap_or_default(),
            change,
            by: reviewer(session),
            is_dry: self.dry_run.unwrap_or_default(),
        })
    }
}
