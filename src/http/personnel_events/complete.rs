use aggregates::party::Party;
use aggregates::personnel_event::PersonnelEventCommand;
use axum::http::StatusCode;
use axum::response::Response;

use super::body::PersonnelEventDetail;
use super::{StagePath, TAG, change, location, show};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::NoBody;
use crate::http::session::{Operates, Session};
use crate::people::{following, settle};

/// Says that a stage of work is done. Its access requests must be provisioned or canceled.
#[utoipa::path(
    post, path = "/api/personnel-events/{id}/stages/{stage}/complete", tag = TAG, operation_id = "completePersonnelStage",
    security(("token" = [])),
    params(
        ("id" = String, Path, description = "GUID"),
        ("stage" = String, Path, description = "provision, transition-in, transition-out or removal"),
    ),
    responses(
        (status = 200, body = PersonnelEventDetail, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "Not a GUID", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an operator's token", body = ErrorBody),
        (status = 404, description = "No such personnel event, or it has no such stage", body = ErrorBody),
        (status = 409, description = "It isn't open, or access requests are outstanding", body = ErrorBody),
    )
)]
pub async fn complete(
    session: Session<Operates>,
    StagePath { id, stage }: StagePath,
    _: NoBody,
) -> Result<Response, ApiError> {
    let requests = projections::access_requests::of_personnel_event(session.pool(), id).await?;
    let is_done = |status: &str| matches!(status, "Resolved" | "Completed" | "Canceled");
    let outstanding = requests.iter().filter(|row| !is_done(&row.status)).map(|row| row.number).collect();
    let by = Party::from(&session.actor());
    let command = PersonnelEventCommand::Complete { stage, outstanding, by, at: session.now };
    change(&session, id, command).await?;
    let context = following(&session.context(location(id)));
    settle::settle(&session.app, id, &context).await?;
    show(&session, id, StatusCode::OK).await
}
