use axum::Json as Body;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::body::WorkflowRequest;
use super::{TAG, change, refused};
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::session::{Operates, Session};
use crate::http::veza::VezaErrorBody;
use crate::reviews::Change;

/// A new workflow.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewWorkflowBody {
    /// Its id.
    pub workflow_id: Uuid,
}

/// Makes a workflow. Automations with `attach_to_new_workflows` are attached to it in the same append; `automation_ids` may
/// name these.
#[utoipa::path(
    post, path = "/api/preview/awf/workflows", tag = TAG, operation_id = "createWorkflow", security(("token" = [])),
    request_body = WorkflowRequest,
    responses(
        (status = 200, body = NewWorkflowBody),
        (status = 400, description = "Fields break rules, or another workflow has this name", body = VezaErrorBody),
        (status = 401, description = "No valid token", body = VezaErrorBody),
        (status = 403, description = "Not an operator's token", body = VezaErrorBody),
        (status = 415, description = "Not application/json", body = VezaErrorBody),
    )
)]
pub async fn create(
    session: Session<Operates>,
    Json(request): Json<WorkflowRequest>,
) -> Result<Body<NewWorkflowBody>, ApiError> {
    let (definition, wrong) = request.asked(&session).await?;
    let changing = change(&session, Change::CreateWorkflow { definition, wrong }).await;
    let changed = changing.map_err(|error| refused(error, false))?;
    Ok(Body(NewWorkflowBody { workflow_id: changed.id }))
}
