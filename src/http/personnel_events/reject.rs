use aggregates::ballot::Answer;
use aggregates::personnel_event::{PersonnelEvent, PersonnelEventCommand};
use axum::response::Response;
use uuid::Uuid;

use super::body::PersonnelEventDetail;
use super::{StagePath, TAG, change};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::OptionalJson;
use crate::http::party::{AnswerRequest, voter};
use crate::http::session::{Operates, Session};

/// Says no. When all responders have answered, a rejected Approval cancels the event; a rejected Verification opens the work
/// before it again.
#[utoipa::path(
    post, path = "/api/personnel-events/{id}/stages/{stage}/reject", tag = TAG, operation_id = "rejectPersonnelStage",
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
        (status = 409, description = "It isn't open, or nobody answers their own request, or the answer was given", body = ErrorBody),
        (status = 415, description = "Not application/json", body = ErrorBody),
    )
)]
pub async fn reject(
    session: Session<Operates>,
    StagePath { id, stage }: StagePath,
    OptionalJson(request): OptionalJson<AnswerRequest>,
) -> Result<Response, ApiError> {
    let event = session.journal().load::<PersonnelEvent>(id).await?.aggregate;
    let command = PersonnelEventCommand::Answer {
        stage,
        voter: voter(&session, request.responder_id, event.ballot(stage)).await?,
        answer: Answer::Rejected,
        comment: request.comment(),
        new_identity: Uuid::nil(),
        at: session.now,
    };
    change(&session, id, command).await
}
