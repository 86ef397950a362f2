use aggregates::Refusal;
use aggregates::automation_run::{AutomationRun, AutomationRunCommand};
use aggregates::certification::Certification;
use aggregates::certification_row::Phase;
use aggregates::party::Party;
use axum::Json;

use super::{TAG, location};
use crate::http::error::ApiError;
use crate::http::extract::{IdAndVerb, NoBody};
use crate::http::session::{Operates, Session};
use crate::http::veza::{Empty, VezaErrorBody};
use crate::journal::{CommandError, StreamId};

/// Reverses a run's decisions, by events, on rows that nobody has touched since. It is answered when that has begun; the run tells
/// when it is done (`UNDONE`). Administrators may, and whoever began the run.
#[utoipa::path(
    post, path = "/api/preview/awf/automation_runs/{id}", tag = TAG, operation_id = "undoAutomationRun",
    security(("token" = [])),
    params(("id" = String, Path, description = "GUID")),
    responses(
        (status = 200, body = Empty),
        (status = 400, description = "Not a GUID", body = VezaErrorBody),
        (status = 401, description = "No valid token", body = VezaErrorBody),
        (status = 403, description = "Not an operator's token, or another's run", body = VezaErrorBody),
        (status = 404, description = "No such run", body = VezaErrorBody),
        (status = 409, description = "It goes on, is undone already, or the certification has ended", body = VezaErrorBody),
    )
)]
pub async fn undo(session: Session<Operates>, path: IdAndVerb, _: NoBody) -> Result<Json<Empty>, ApiError> {
    let id = path.of("undo")?;
    let row = projections::automation_runs::find(session.pool(), id).await?;
    let row = row.ok_or_else(|| ApiError::not_found("Automation run", id))?;
    let is_theirs = Party::from(&row.actor.0).is(&Party::from(&session.actor()));
    if !is_theirs && !session.token.role.administers() {
        return Err(ApiError::forbidden("Only administrators reverse what others began"));
    }
    let certification = projections::certifications::find(session.pool(), row.certification_id).await?;
    let certification = certification.ok_or_else(|| ApiError::not_found("Certification", row.certification_id))?;
    if certification.phase(session.now) != Phase::InProgress {
        return Err(ApiError::conflict(format!(
            "The certification is in {}; runs are reversed in progress",
            certification.state
        )));
    }
    let loaded = session.journal().load::<AutomationRun>(id).await.map_err(CommandError::from)?;
    let decided = loaded.decide(AutomationRunCommand::Undo, session.context(location(id))).await;
    let (_, append) = decided.map_err(|error: Refusal| ApiError::from(CommandError::from(error)))?;
    if let Some(mut append) = append {
        append.guards.push((StreamId::of::<Certification>(&certification.id), certification.version));
        session.journal().append(append).await.map_err(CommandError::from)?;
    }
    session.app.reviews_bell.notify_one();
    Ok(Json(Empty {}))
}
