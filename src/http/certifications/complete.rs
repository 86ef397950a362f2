use aggregates::Refusal;
use aggregates::certification::{Certification, CertificationCommand};
use axum::Json;

use super::{TAG, location};
use crate::http::error::ApiError;
use crate::http::extract::{IdAndVerb, NoBody};
use crate::http::session::{Operates, Session};
use crate::http::veza::{Empty, VezaErrorBody};
use crate::journal::CommandError;

/// Completes a certification: from then on nothing is decided in it, but rejected rows can become FIXED for seven days. Rows without
/// a decision stay so.
#[utoipa::path(
    post, path = "/api/preview/awf/certifications/{id}", tag = TAG, operation_id = "completeCertification",
    security(("token" = [])),
    params(("id" = String, Path, description = "GUID")),
    responses(
        (status = 200, body = Empty),
        (status = 400, description = "Not a GUID", body = VezaErrorBody),
        (status = 401, description = "No valid token", body = VezaErrorBody),
        (status = 403, description = "Not an operator's token", body = VezaErrorBody),
        (status = 404, description = "No such certification", body = VezaErrorBody),
        (status = 409, description = "It isn't in progress", body = VezaErrorBody),
    )
)]
pub async fn complete(session: Session<Operates>, path: IdAndVerb, _: NoBody) -> Result<Json<Empty>, ApiError> {
    let id = path.of("complete")?;
    let context = session.context(location(id));
    let done = session.journal().execute::<Certification>(id, CertificationCommand::Complete, None, context).await;
    done.map_err(|error| match error {
        CommandError::Refused(Refusal::NotFound(_)) => ApiError::not_found("Certification", id),
        other => other.into(),
    })?;
    Ok(Json(Empty {}))
}
