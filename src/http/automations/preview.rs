use std::collections::BTreeMap;

use axum::Json as Body;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{TAG, given};
use crate::http::error::ApiError;
use crate::http::extract::{IdAndVerb, Json};
use crate::http::session::{Audits, Session};
use crate::http::veza::{VezaErrorBody, review_refused};
use crate::reviews::{self, Missed, Seen};

/// Where an automation is to be tried.
#[derive(Debug, Deserialize, ToSchema)]
pub struct PreviewRequest {
    /// The workflow.
    workflow_id: Option<String>,
}

/// What an automation would do.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewBody {
    /// Rows that a certification of the workflow would review now.
    pub rows: u64,
    /// Rows that the automation would mean.
    pub matched: u64,
    /// The first 100 of them.
    pub examples: Vec<SeenBody>,
    /// The certification with which rows are compared.
    pub history_certification_id: Option<Uuid>,
    /// Rows with a decision in it that the automation wouldn't mean, by the first reason: `FILTER_DOES_NOT_MATCH`,
    /// `MUTABLE_FILTER_DOES_NOT_MATCH`, `CHANGED_SINCE`.
    pub missed: BTreeMap<&'static str, u64>,
    /// The first 100 of them.
    pub missed_examples: Vec<MissedBody>,
}

/// A row.
#[derive(Debug, Serialize, ToSchema)]
pub struct SeenBody {
    /// The account.
    pub source: NamedBody,
    /// The entitlement.
    pub destination: NamedBody,
    /// The application.
    pub datasource: NamedBody,
}

/// Something by its name.
#[derive(Debug, Serialize, ToSchema)]
pub struct NamedBody {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
}

/// A row with a decision last time that isn't meant.
#[derive(Debug, Serialize, ToSchema)]
pub struct MissedBody {
    /// The row.
    #[serde(flatten)]
    pub row: SeenBody,
    /// What was decided last time.
    pub previous_decision: String,
    /// Why it isn't meant.
    pub reason: &'static str,
}

fn seen(row: Seen) -> SeenBody {
    let named = |(id, name): (Uuid, String)| NamedBody { id, name };
    SeenBody { source: named(row.source), destination: named(row.destination), datasource: named(row.application) }
}

fn missed(missed: Missed) -> MissedBody {
    let reason = missed.why.as_str();
    MissedBody { previous_decision: missed.previous.decision.long(), reason, row: seen(missed.row) }
}

/// What an automation would do in a certification of a workflow that were made now, and why it wouldn't mean rows about which
/// something was decided last time. Nothing is recorded.
#[utoipa::path(
    post, path = "/api/preview/awf/automations/{id}", tag = TAG, operation_id = "previewAutomation", security(("token" = [])),
    params(("id" = String, Path, description = "GUID")),
    request_body = PreviewRequest,
    responses(
        (status = 200, body = PreviewBody),
        (status = 400, description = "Not a GUID, or no workflow", body = VezaErrorBody),
        (status = 401, description = "No valid token", body = VezaErrorBody),
        (status = 403, description = "Not an auditor's token", body = VezaErrorBody),
        (status = 404, description = "No such automation, or no such workflow", body = VezaErrorBody),
        (status = 409, description = "A filter doesn't fit any more", body = VezaErrorBody),
        (status = 415, description = "Not application/json", body = VezaErrorBody),
    )
)]
pub async fn preview(
    session: Session<Audits>,
    path: IdAndVerb,
    Json(request): Json<PreviewRequest>,
) -> Result<Body<PreviewBody>, ApiError> {
    let id = path.of("preview")?;
    let workflow = given("workflow_id", request.workflow_id.as_deref())?;
    let workflow = workflow.ok_or_else(|| ApiError::field("workflow_id", "workflow_id is required"))?;
    let found = reviews::preview(&session.app, id, workflow).await.map_err(|error| review_refused(error, false))?;
    Ok(Body(PreviewBody {
        rows: found.rows,
        matched: found.matched,
        examples: found.examples.into_iter().map(seen).collect(),
        history_certification_id: found.history_id,
        missed: found.missed.into_iter().collect(),
        missed_examples: found.missed_examples.into_iter().map(missed).collect(),
    }))
}
