use aggregates::access_request::{AccessRequest, AccessRequestCommand};
use aggregates::identity::{Identity, IdentityCommand};
use aggregates::party::Party;
use aggregates::personnel_event::{PersonnelEvent, PersonnelEventCommand, PersonnelEventType};
use axum::http::StatusCode;
use axum::response::Response;
use uuid::Uuid;

use super::body::PersonnelEventDetail;
use super::{TAG, location, refused, show};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Id, OptionalJson};
use crate::http::party::{ReasonRequest, text};
use crate::http::session::{Operates, Session};
use crate::journal::{Append, AppendError, CommandError, Context};

/// How often it is tried again when somebody else came first.
const ATTEMPTS: usize = 8;

/// Ends an event before its time, and with it its access requests that are under way. What was done stays done.
#[utoipa::path(
    post, path = "/api/personnel-events/{id}/cancel", tag = TAG, operation_id = "cancelPersonnelEvent", security(("token" = [])),
    params(("id" = String, Path, description = "GUID")),
    request_body = Option<ReasonRequest>,
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
pub async fn cancel(
    session: Session<Operates>,
    Id(id): Id,
    OptionalJson(request): OptionalJson<ReasonRequest>,
) -> Result<Response, ApiError> {
    let reason = text(request.comment.as_deref());
    let context = session.context(location(id));
    for attempt in 1.. {
        match cancel_all(&session, id, reason.clone(), &context).await {
            Ok(()) => break,
            Err(CommandError::Append(AppendError::Conflict { .. })) if attempt < ATTEMPTS => {}
            Err(error) => return Err(refused(error, id)),
        }
    }
    show(&session, id, StatusCode::OK).await
}

/// The event, its requests, and what it said about the identity, in one append.
async fn cancel_all(
    session: &Session<Operates>,
    id: Uuid,
    reason: Option<String>,
    context: &Context,
) -> Result<(), CommandError> {
    let (by, at) = (Party::from(&session.actor()), session.now);
    let loaded = session.journal().load::<PersonnelEvent>(id).await?;
    let command = PersonnelEventCommand::Cancel { reason, by: by.clone(), at };
    let (event, append) = loaded.decide(command, context.clone()).await?;
    let mut appends: Vec<Append> = append.into_iter().collect();
    for row in projections::access_requests::of_personnel_event(session.pool(), id).await? {
        if matches!(row.status.as_str(), "Completed" | "Canceled") {
            continue;
        }
        let request = session.journal().load::<AccessRequest>(row.id).await?;
        if request.aggregate.status().is_terminal() {
            continue;
        }
        let reason = Some("The personnel event was canceled".to_owned());
        let command = AccessRequestCommand::Cancel { reason, by: by.clone(), at };
        appends.extend(request.decide(command, context.clone()).await?.1);
    }
    let undo = match event.kind() {
        Some(PersonnelEventType::Onboard) => Some(IdentityCommand::Offboard { personnel_event: id }),
        Some(PersonnelEventType::RoleTransition) => Some(IdentityCommand::EndTransition { personnel_event: id }),
        _ => None,
    };
    if let (Some(command), Some(identity)) = (undo, event.identity_id) {
        let known = session.journal().load::<Identity>(identity).await?;
        appends.extend(known.decide(command, context.clone()).await?.1);
    }
    if let Some(append) = appends.into_iter().reduce(Append::and) {
        session.journal().append(append).await?;
    }
    Ok(())
}
