use aggregates::personnel_event::{PersonnelEvent, PersonnelEventCommand};
use axum::response::Response;

use super::body::PersonnelEventDetail;
use super::{StagePath, TAG, change};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::OptionalJson;
use crate::http::party::{AnswerRequest, voter};
use crate::http::session::{Operates, Session};

/// Takes an answer back while the stage is open: one's own, or, as an administrator, any responder's, or all.
#[utoipa::path(
    post, path = "/api/personnel-events/{id}/stages/{stage}/reset", tag = TAG, operation_id = "resetPersonnelStage",
    security(("token" = [])),
    params(
        ("id" = String, Path, description = "GUID"),
        ("stage" = String, Path, description = "approval or verification"),
    ),
    request_body = Option<AnswerRequest>,
    responses(
        (status = 200, body = PersonnelEventDetail, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "Fields break rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an operator's token", body = ErrorBody),
        (status = 404, description = "No such personnel event, or it has no such stage", body = ErrorBody),
        (status = 409, description = "It isn't open, or there is no answer to take back", body = ErrorBody),
        (status = 415, description = "Not application/json", body = ErrorBody),
    )
)]
pub async fn reset(
    session: Session<Operates>,
    StagePath { id, stage }: StagePath,
    OptionalJson(request): OptionalJson<AnswerRequest>,
) -> Result<Response, ApiError> {
    let event = session.journal().load::<PersonnelEvent>(id).await?.aggregate;
    let voter = voter(&session, request.responder_id, event.ballot(stage)).await?;
    change(&session, id, PersonnelEventCommand::Reset { stage, voter }).await
}
