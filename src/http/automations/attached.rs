use aggregates::automation::built_ins;
use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::TAG;
use super::body::AutomationBody;
use crate::http::error::ApiError;
use crate::http::extract::Id;
use crate::http::session::{Audits, Session};
use crate::http::veza::{Values, VezaErrorBody};

/// An automation as it is attached to a workflow.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttachedBody {
    /// The automation.
    pub automation: AutomationBody,
    /// Run only when named; false = always.
    pub opt_in: bool,
}

/// The automations that certifications of a workflow may run, the built-in ones and then the oldest first; never paged.
#[utoipa::path(
    get, path = "/api/preview/awf/automations:attached/{id}", tag = TAG, operation_id = "listAttachedAutomations",
    security(("token" = [])),
    params(("id" = String, Path, description = "The workflow: a GUID")),
    responses(
        (status = 200, body = Values<AttachedBody>),
        (status = 400, description = "Not a GUID", body = VezaErrorBody),
        (status = 401, description = "No valid token", body = VezaErrorBody),
        (status = 403, description = "Not an auditor's token", body = VezaErrorBody),
        (status = 404, description = "No such workflow", body = VezaErrorBody),
    )
)]
pub async fn list(session: Session<Audits>, Id(id): Id) -> Result<Json<Values<AttachedBody>>, ApiError> {
    let workflow = projections::access_workflows::find(session.pool(), id).await?;
    workflow.ok_or_else(|| ApiError::not_found("Workflow", id))?;
    let rows = projections::automations::attached_to(session.pool(), id).await?;
    let built_in =
        built_ins().into_iter().map(|automation| AttachedBody { automation: automation.into(), opt_in: true });
    let shown =
        rows.into_iter().map(|row| AttachedBody { automation: row.automation.into(), opt_in: row.attached_opt_in });
    Ok(Json(Values { values: built_in.chain(shown).collect() }))
}
