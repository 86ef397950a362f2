use aggregates::ballot::Answer;
use aggregates::identity::{Identity, IdentityCommand, is_present};
use aggregates::personnel_event::{PersonnelEvent, PersonnelEventCommand, PersonnelEventType};
use axum::http::StatusCode;
use axum::response::Response;
use uuid::Uuid;

use super::body::PersonnelEventDetail;
use super::{StagePath, TAG, clashing, location, refused, show};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::OptionalJson;
use crate::http::party::{AnswerRequest, voter};
use crate::http::session::{Operates, Session};
use crate::journal::{AppendError, CommandError, Context, Loaded};
use crate::people::{following, start};

/// How often an answer is given again when somebody else came first.
const ATTEMPTS: usize = 8;

/// Says yes to Approval or Verification. When all responders have, the stage is completed and the event goes on.
#[utoipa::path(
    post, path = "/api/personnel-events/{id}/stages/{stage}/approve", tag = TAG, operation_id = "approvePersonnelStage",
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
pub async fn approve(
    session: Session<Operates>,
    StagePath { id, stage }: StagePath,
    OptionalJson(request): OptionalJson<AnswerRequest>,
) -> Result<Response, ApiError> {
    let context = session.context(location(id));
    for attempt in 1.. {
        let loaded = session.journal().load::<PersonnelEvent>(id).await?;
        let voter = voter(&session, request.responder_id, loaded.aggregate.ballot(stage)).await?;
        let new_identity = joiner(&session, &loaded.aggregate).await?;
        let command = PersonnelEventCommand::Answer {
            stage,
            voter,
            answer: Answer::Approved,
            comment: request.comment(),
            new_identity,
            at: session.app.clock.now(),
        };
        match answer(&session, loaded, (id, new_identity), command, context.clone()).await {
            Ok(()) => break,
            Err(CommandError::Append(AppendError::Conflict { .. })) if attempt < ATTEMPTS => {}
            Err(error @ CommandError::Append(_)) => return Err(clashing(&session, error).await),
            Err(error) => return Err(refused(error, id)),
        }
    }
    // What follows is no longer the request's: should it fail, a worker does it.
    if let Err(error) = start::start(&session.app, id, &following(&context)).await {
        tracing::warn!(%error, %id, "the event begins later");
        session.app.people_bell.notify_one();
    }
    show(&session, id, StatusCode::OK).await
}

/// The identity of an onboarding: who has the address already, a feed's or one who left and comes back, else a new one.
async fn joiner(session: &Session<Operates>, event: &PersonnelEvent) -> Result<Uuid, ApiError> {
    let new = session.app.clock.id();
    let email = event.request.as_ref().and_then(|request| request.identity.email.as_deref());
    match email.filter(|_| event.kind() == Some(PersonnelEventType::Onboard)) {
        Some(email) => {
            let known = projections::identities::with_email(session.pool(), email).await?;
            Ok(known.map_or(new, |(id, _)| id))
        }
        None => Ok(new),
    }
}

/// An onboarding that is approved by this answer makes its identity in the same append.
async fn answer(
    session: &Session<Operates>,
    loaded: Loaded<PersonnelEvent>,
    (id, new_identity): (Uuid, Uuid),
    command: PersonnelEventCommand,
    context: Context,
) -> Result<(), CommandError> {
    let (event, append) = loaded.decide(command, context.clone()).await?;
    let Some(mut append) = append else { return Ok(()) };
    let is_approved = event.identity_id == Some(new_identity);
    if let Some(request) = event.request.filter(|request| is_approved && request.r#type == PersonnelEventType::Onboard)
    {
        let known = session.journal().load::<Identity>(new_identity).await?;
        // A feed may have named the joiner before anybody approved.
        if !is_present(&known.aggregate.records) {
            let command = IdentityCommand::Onboard { personnel_event: id, record: request.identity };
            append = known.decide(command, context).await?.1.into_iter().fold(append, crate::journal::Append::and);
        }
    }
    session.journal().append(append).await?;
    Ok(())
}
