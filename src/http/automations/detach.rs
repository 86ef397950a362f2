use axum::Json as Body;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{TAG, change, given, refused};
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::session::{Administers, Session};
use crate::http::veza::{Empty, VezaErrorBody};
use crate::reviews::{Change, Detach};

/// What is to be detached from what.
#[derive(Debug, Deserialize, ToSchema)]
pub struct DetachRequest {
    /// The automation; ignored with `all`.
    id: Option<String>,
    /// The workflow.
    workflow_id: Option<String>,
    /// Every automation off the workflow.
    all: Option<bool>,
}

impl DetachRequest {
    fn read(&self) -> Result<Detach, ApiError> {
        let workflow = given("workflow_id", self.workflow_id.as_deref())?;
        let Some(workflow) = workflow else { return Err(ApiError::field("workflow_id", "workflow_id is required")) };
        if self.all == Some(true) {
            return Ok(Detach { automation: None, workflow });
        }
        match given("id", self.id.as_deref())? {
            Some(automation) => Ok(Detach { automation: Some(automation), workflow }),
            None => Err(ApiError::field("id", "id is required unless all is true")),
        }
    }
}

/// Detaches an automation, or every one, from a workflow: one append. What isn't attached is no error.
#[utoipa::path(
    post, path = "/api/preview/awf/automations:detach", tag = TAG, operation_id = "detachAutomations",
    security(("token" = [])),
    request_body = DetachRequest,
    responses(
        (status = 200, body = Empty),
        (status = 400, description = "Fields break rules", body = VezaErrorBody),
        (status = 401, description = "No valid token", body = VezaErrorBody),
        (status = 403, description = "Not an administrator's token", body = VezaErrorBody),
        (status = 404, description = "No such automation, or no such workflow", body = VezaErrorBody),
        (status = 415, description = "Not application/json", body = VezaErrorBody),
    )
)]
pub async fn detach(
    session: Session<Administers>,
    Json(request): Json<DetachRequest>,
) -> Result<Body<Empty>, ApiError> {
    change(&session, Change::Detach(request.read()?)).await.map_err(refused)?;
    Ok(Body(Empty {}))
}
