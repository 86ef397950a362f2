use aggregates::party::Party;
use aggregates::personnel_event::PersonnelEventCommand;
use axum::http::StatusCode;
use axum::response::Response;
use projections::access_requests::AccessRequestRow;

use super::body::PersonnelEventDetail;
use super::{StagePath, TAG, location, refused, show};
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
    let context = session.context(location(id));
    let command = |requests: &[AccessRequestRow]| PersonnelEventCommand::Complete {
        stage,
        outstanding: requests.iter().filter(|row| !settle::is_provisioned(row)).map(|row| row.number).collect(),
        by: Party::from(&context.actor),
        at: session.now,
    };
    settle::decide(&session.app, id, &context, command).await.map_err(|error| refused(error, id))?;
    if let Err(error) = settle::settle(&session.app, id, &following(&context)).await {
        // It is completed; a worker lets what follows follow.
        tracing::warn!(%error, %id, "the event goes on later");
    }
    session.app.people_bell.notify_one();
    show(&session, id, StatusCode::OK).await
}
