use aggregates::automation::built_ins;
use axum::Json;

use super::TAG;
use super::body::AutomationBody;
use crate::http::error::ApiError;
use crate::http::session::{Audits, Session};
use crate::http::veza::{Values, VezaErrorBody};

/// Every automation, the built-in ones and then the oldest first; never paged.
#[utoipa::path(
    get, path = "/api/preview/awf/automations", tag = TAG, operation_id = "listAutomations", security(("token" = [])),
    responses(
        (status = 200, body = Values<AutomationBody>),
        (status = 401, description = "No valid token", body = VezaErrorBody),
        (status = 403, description = "Not an auditor's token", body = VezaErrorBody),
    )
)]
pub async fn list(session: Session<Audits>) -> Result<Json<Values<AutomationBody>>, ApiError> {
    let rows = projections::automations::all(session.pool()).await?;
    let built_in = built_ins().into_iter().map(AutomationBody::from);
    Ok(Json(Values { values: built_in.chain(rows.into_iter().map(AutomationBody::from)).collect() }))
}
