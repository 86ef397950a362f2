use aggregates::access_request::AccessRequestCommand;
use aggregates::party::{Comment, Party};
use axum::response::Response;

use super::body::AccessRequestDetail;
use super::{TAG, change};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Id, Json};
use crate::http::party::CommentRequest;
use crate::http::session::{Operates, Session};

/// Remarks something about it.
#[utoipa::path(
    post, path = "/api/access-requests/{id}/comments", tag = TAG, operation_id = "commentAccessRequest", security(("token" = [])),
    params(("id" = String, Path, description = "GUID")),
    request_body = CommentRequest,
    responses(
        (status = 200, body = AccessRequestDetail, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "Fields break rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an operator's token", body = ErrorBody),
        (status = 404, description = "No such access request", body = ErrorBody),
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
    change(&session, id, AccessRequestCommand::Comment(comment)).await
}
