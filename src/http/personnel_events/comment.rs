use aggregates::party::{Comment, Party};
use aggregates::personnel_event::PersonnelEventCommand;
use axum::response::Response;

use super::body::PersonnelEventDetail;
use super::{TAG, change};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Id, Json};
use crate::http::party::CommentRequest;
use crate::http::session::{Operates, Session};

/// Remarks something about an event.
#[utoipa::path(
    post, path = "/api/personnel-events/{id}/comments", tag = TAG, operation_id = "commentPersonnelEvent",
    security(("token" = [])),
    params(("id" = String, Path, description = "GUID")),
    request_body = CommentRequest,
    responses(
        (status = 200, body = PersonnelEventDetail, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "Fields break rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an operator's token", body = ErrorBody),
        (status = 404, description = "No such personnel event", body = ErrorBody),
        (status = 409, description = "Somebody else changed it again and again", body = ErrorBody),
        (status = 415, description = "Not application/json", body = ErrorBody),
    )
)]
pub async fn comment(
    session: Session<Operates>,
    Id(id): Id,
    Json(request): Json<CommentRequest>,
) -> Result<Response, ApiError> {
    let text = request.comment.trim().to_owned();
    let comment = Comment { by: Party::from(&session.actor()), at: session.now, text };
    change(&session, id, PersonnelEventCommand::Comment(comment)).await
}
