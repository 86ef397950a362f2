use axum::Json as Body;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::body::AutomationRequest;
use super::{TAG, change, refused};
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::session::{Administers, Session};
use crate::http::veza::VezaErrorBody;
use crate::reviews::Change;

/// A new automation.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewAutomationBody {
    /// Its id.
    pub id: Uuid,
}

/// Makes an automation. With `attach_to_new_workflows` it is attached to every workflow there is, in the same append.
#[utoipa::path(
    post, path = "/api/preview/awf/automations", tag = TAG, operation_id = "createAutomation", security(("token" = [])),
    request_body = AutomationRequest,
    responses(
        (status = 200, body = NewAutomationBody),
        (status = 400, description = "Fields break rules, or another automation has this name", body = VezaErrorBody),
        (status = 401, description = "No valid token", body = VezaErrorBody),
        (status = 403, description = "Not an administrator's token", body = VezaErrorBody),
        (status = 415, description = "Not application/json", body = VezaErrorBody),
    )
)]
pub async fn create(
    session: Session<Administers>,
    Json(request): Json<AutomationRequest>,
) -> Result<Body<NewAutomationBody>, ApiError> {
    let definition = request.definition(false)?;
    let changed = change(&session, Change::CreateAutomation { definition }).await.map_err(refused)?;
    Ok(Body(NewAutomationBody { id: changed.id }))
}
