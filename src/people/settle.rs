//! The stages of an event follow its access requests.

use aggregates::party::Party;
use aggregates::personnel_event::{PersonnelEvent, PersonnelEventCommand as Command};
use uuid::Uuid;

use crate::app::SharedApp;
use crate::journal::{CommandError, Context};

/// Completes the stages whose access requests have all moved on.
///
/// # Errors
/// What the journal said.
pub async fn settle(app: &SharedApp, id: Uuid, context: &Context) -> Result<(), CommandError> {
    let requests = projections::access_requests::of_personnel_event(&app.pool, id).await?;
    let all = |statuses: &[&str]| requests.iter().all(|request| statuses.contains(&request.status.as_str()));
    let command = Command::Settle {
        is_provisioned: all(&["Resolved", "Completed", "Canceled"]),
        is_verified: all(&["Completed", "Canceled"]),
        by: Party::from(&context.actor),
        at: app.clock.now(),
    };
    match app.journal.execute::<PersonnelEvent>(id, command, None, context.clone()).await {
        // It has ended meanwhile.
        Err(CommandError::Refused(_)) => Ok(()),
        other => other.map(drop),
    }
}
