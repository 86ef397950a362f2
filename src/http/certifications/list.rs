use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::TAG;
use super::body::{CertificationBody, bodies};
use crate::http::error::ApiError;
use crate::http::extract::Query;
use crate::http::session::{Reads, Session};
use crate::http::veza::VezaErrorBody;

/// The certifications of a workflow.
#[derive(Debug, Serialize, ToSchema)]
pub struct CertificationsBody {
    /// The oldest first.
    pub values: Vec<CertificationBody>,
    /// Always false: all are here.
    pub has_more: bool,
    /// How many.
    pub total_result_count: usize,
}

/// The certifications of a workflow, also of one that was deleted; never paged.
#[utoipa::path(
    get, path = "/api/preview/awf/certifications", tag = TAG, operation_id = "listCertifications",
    security(("token" = [])),
    params(("workflow_id" = String, Query, description = "GUID")),
    responses(
        (status = 200, body = CertificationsBody),
        (status = 400, description = "No workflow, or not a GUID", body = VezaErrorBody),
        (status = 401, description = "No valid token", body = VezaErrorBody),
    )
)]
pub async fn list(session: Session<Reads>, query: Query) -> Result<Json<CertificationsBody>, ApiError> {
    let workflow = query.id("workflow_id")?;
    let workflow = workflow.ok_or_else(|| ApiError::field("workflow_id", "workflow_id is required"))?;
    let rows = projections::certifications::of_workflow(session.pool(), workflow).await?;
    let values = bodies(&session, rows).await?;
    Ok(Json(CertificationsBody { has_more: false, total_result_count: values.len(), values }))
}
