use aggregates::Violation;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::body::AutomationRequest;
use super::{TAG, change};
use crate::http::error::ApiError;
use crate::http::etag::{self, if_match};
use crate::http::extract::{self, Json};
use crate::http::session::{Administers, Session};
use crate::http::veza::{self, Empty, VezaErrorBody};
use crate::reviews::Change;

/// An automation as it is to be, whole.
#[derive(Debug, Deserialize, ToSchema)]
pub struct UpdateAutomationRequest {
    /// It, with its id.
    value: Option<AutomationRequest>,
}

/// Replaces an automation. When this turns `attach_to_new_workflows` on, it is attached to every workflow there is; turning it
/// off detaches nothing.
#[utoipa::path(
    put, path = "/api/preview/awf/automations", tag = TAG, operation_id = "updateAutomation", security(("token" = [])),
    params(("If-Match" = Option<String>, Header, description = "The ETag that it must still have")),
    request_body = UpdateAutomationRequest,
    responses(
        (status = 200, body = Empty, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "Fields break rules, or another automation has this name", body = VezaErrorBody),
        (status = 401, description = "No valid token", body = VezaErrorBody),
        (status = 403, description = "Not an administrator's token", body = VezaErrorBody),
        (status = 404, description = "No such automation", body = VezaErrorBody),
        (status = 412, description = "If-Match doesn't match", body = VezaErrorBody),
        (status = 415, description = "Not application/json", body = VezaErrorBody),
    )
)]
pub async fn update(
    session: Session<Administers>,
    headers: HeaderMap,
    Json(request): Json<UpdateAutomationRequest>,
) -> Result<Response, ApiError> {
    let demanded = if_match(&headers)?;
    let Some(value) = request.value else { return Err(ApiError::field("value", "value is required")) };
    let id = id(value.id.as_ref());
    let definition = value.definition(true);
    let (id, definition) = match (id, definition) {
        (Ok(id), Ok(definition)) => (id, definition),
        (id, definition) => {
            let id = id.err().map(|message| Violation::new("id", message));
            let others = definition.err().map(|error| error.fields).unwrap_or_default();
            return Err(within_value(ApiError::validation(id.into_iter().chain(others).collect())));
        }
    };
    let changing = change(&session, Change::UpdateAutomation { id, definition, demanded }).await;
    let refused = |error| within_value(veza::refused(error, "Automation", demanded.is_some()));
    let changed = changing.map_err(refused)?;
    Ok(etag::tagged(changed.version, axum::Json(Empty {})))
}

fn id(value: Option<&Value>) -> Result<Uuid, String> {
    match value {
        None | Some(Value::Null) => Err("id is required".to_owned()),
        Some(Value::String(text)) => extract::id("id", text).map_err(|_| format!("{text:?} is not a GUID")),
        Some(other) => Err(format!("{other} is not a GUID")),
    }
}

/// Fields are named by their place in the body.
fn within_value(mut error: ApiError) -> ApiError {
    for violation in &mut error.fields {
        violation.field = format!("value.{}", violation.field);
    }
    error
}
