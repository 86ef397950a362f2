use aggregates::personnel_event::PersonnelEventCommand;
use axum::response::Response;

use super::body::PersonnelEventDetail;
use super::{TAG, change};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Id, Json};
use crate::http::party::AssigneeRequest;
use crate::http::session::{Operates, Session};

/// Says who looks after an event.
#[utoipa::path(
    post, path = "/api/personnel-events/{id}/assign", tag = TAG, operation_id = "assignPersonnelEvent", security(("token" = [])),
    params(("id" = String, Path, description = "GUID")),
    request_body = AssigneeRequest,
    responses(
        (status = 200, body = PersonnelEventDetail, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "Fields break rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an operator's token", body = ErrorBody),
        (status = 404, description = "No such personnel event", body = ErrorBody),
        (status = 409, description = "It has ended", body = ErrorBody),
        (status = 415, description = "Not application/json", body = ErrorBody),
    )
)]
pub async fn assign(
    session: Session<Operates>,
    Id(id): Id,
    Json(request): Json<AssigneeRequest>,
) -> Result<Response, ApiError> {
    let assignee = request.check(&session).await?;
    change(&session, id, PersonnelEventCommand::Assign(assignee)).await
}
