//! The stages of an event follow its access requests.

use aggregates::party::Party;
use aggregates::personnel_event::{PersonnelEvent, PersonnelEventCommand as Command};
use projections::access_requests::AccessRequestRow;
use uuid::Uuid;

use crate::app::SharedApp;
use crate::journal::{AppendError, CommandError, Context};

/// How often it is tried again when the event moved on meanwhile.
const ATTEMPTS: usize = 8;

/// Completes the stages whose access requests have all moved on.
///
/// # Errors
/// What the journal said.
pub async fn settle(app: &SharedApp, id: Uuid, context: &Context) -> Result<(), CommandError> {
    let settled = decide(app, id, context, |requests| Command::Settle {
        is_provisioned: requests.iter().all(is_provisioned),
        is_verified: requests.iter().all(is_verified),
        by: Party::from(&context.actor),
        at: app.clock.now(),
    });
    match settled.await {
        // It has ended meanwhile.
        Err(CommandError::Refused(_)) => Ok(()),
        other => other,
    }
}

/// Nothing is left to be carried out.
pub fn is_provisioned(request: &AccessRequestRow) -> bool {
    matches!(request.status.as_str(), "Resolved" | "Completed" | "Canceled")
}

/// It is so; a suggestion that nobody wanted is as good. What was asked for and canceled responders must answer for.
fn is_verified(request: &AccessRequestRow) -> bool {
    request.status == "Completed" || (request.status == "Canceled" && request.is_suggested)
}

/// Decides a command by the event's access requests: they are read after the event, which must not move on until the append.
/// So what is said of the requests of one stage never ends another.
///
/// # Errors
/// What the journal said.
pub async fn decide(
    app: &SharedApp,
    id: Uuid,
    context: &Context,
    command: impl Fn(&[AccessRequestRow]) -> Command,
) -> Result<(), CommandError> {
    for attempt in 1.. {
        let event = app.journal.load::<PersonnelEvent>(id).await?;
        let version = event.version;
        let requests = projections::access_requests::of_personnel_event(&app.pool, id).await?;
        let executing = app.journal.execute_on(event, command(&requests), Some(version), context.clone());
        match executing.await {
            Err(CommandError::Append(AppendError::Conflict { .. })) if attempt < ATTEMPTS => {}
            other => return other.map(drop),
        }
    }
    Ok(())
}
