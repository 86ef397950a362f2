use axum::Json as Body;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{TAG, change, given, refused};
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::session::{Administers, Session};
use crate::http::veza::{Empty, VezaErrorBody};
use crate::reviews::{Change, Scope};

/// What is to be attached to what.
#[derive(Debug, Deserialize, ToSchema)]
pub struct AttachRequest {
    /// The automation; ignored with `all` and a workflow.
    id: Option<String>,
    /// The workflow; absent with `all`: every workflow.
    workflow_id: Option<String>,
    /// Every automation to the workflow; without a workflow, the automation to every one.
    all: Option<bool>,
    /// Run only when named; false = always; absent = the automation's own.
    opt_in: Option<bool>,
}

impl AttachRequest {
    fn scope(&self) -> Result<Scope, ApiError> {
        let workflow = given("workflow_id", self.workflow_id.as_deref())?;
        if let (Some(true), Some(workflow)) = (self.all, workflow) {
            return Ok(Scope::AllAutomations { workflow });
        }
        match (given("id", self.id.as_deref())?, workflow, self.all) {
            (Some(automation), Some(workflow), _) => Ok(Scope::One { automation, workflow }),
            (Some(automation), None, Some(true)) => Ok(Scope::AllWorkflows { automation }),
            (Some(_), None, _) => Err(ApiError::field("workflow_id", "workflow_id is required unless all is true")),
            (None, ..) => Err(ApiError::field("id", "id is required unless all is true and workflow_id is given")),
        }
    }
}

/// Attaches an automation to a workflow, every automation to a workflow, or an automation to every workflow: one append.
/// Again, it sets `opt_in`.
#[utoipa::path(
    post, path = "/api/preview/awf/automations:attach", tag = TAG, operation_id = "attachAutomations",
    security(("token" = [])),
    request_body = AttachRequest,
    responses(
        (status = 200, body = Empty),
        (status = 400, description = "Fields break rules", body = VezaErrorBody),
        (status = 401, description = "No valid token", body = VezaErrorBody),
        (status = 403, description = "Not an administrator's token", body = VezaErrorBody),
        (status = 404, description = "No such automation, or no such workflow", body = VezaErrorBody),
        (status = 415, description = "Not application/json", body = VezaErrorBody),
    )
)]
pub async fn attach(
    session: Session<Administers>,
    Json(request): Json<AttachRequest>,
) -> Result<Body<Empty>, ApiError> {
    let (scope, opt_in) = (request.scope()?, request.opt_in);
    change(&session, Change::Attach { scope, opt_in }).await.map_err(refused)?;
    Ok(Body(Empty {}))
}
