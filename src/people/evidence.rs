//! Verification is by evidence: when an import shows access gone (or there), the request verifies itself and names the
//! import; when a later one shows it undone, the request reopens as a finding.

use std::collections::BTreeSet;

use aggregates::access_request::{AccessRequest, AccessRequestCommand as Command, Evidence};
use projections::access_requests::{Said, find, undone, verified_by};
use uuid::Uuid;

use super::{by_itself, settle};
use crate::app::SharedApp;
use crate::journal::CommandError;
use crate::work::evidence::{Untaken, take, untaken};

/// Takes the evidence of every import that has finished since. An application whose evidence can't be taken waits; the others don't.
///
/// # Errors
/// The tables can't be read.
pub async fn take_all(app: &SharedApp) -> Result<(), CommandError> {
    let mut waiting: BTreeSet<Uuid> = BTreeSet::new();
    for import in untaken(&app.pool).await? {
        if waiting.contains(&import.application_id) {
            continue;
        }
        if let Err(error) = take_from(app, &import).await {
            tracing::warn!(%error, import = %import.id, "its evidence is taken later");
            waiting.insert(import.application_id);
        }
    }
    Ok(())
}

async fn take_from(app: &SharedApp, import: &Untaken) -> Result<(), CommandError> {
    let position = import.ended_position;
    let said = Said { application: import.application_id, position, accounts: import.accounts, grants: import.grants };
    let evidence = || Evidence { application_import_id: import.id, number: import.number, position };
    let (context, by) = by_itself(app, Some(position));
    let mut events: BTreeSet<Uuid> = BTreeSet::new();
    for request in verified_by(&app.pool, said).await? {
        let command = Command::Verify { evidence: Some(evidence()), by: by.clone(), at: app.clock.now() };
        events.extend(carry_out(app, request, command, &context).await?);
    }
    for request in undone(&app.pool, said).await? {
        let command = Command::Reopen { evidence: evidence(), at: app.clock.now() };
        carry_out(app, request, command, &context).await?;
    }
    for event in events {
        settle::settle(app, event, &context).await?;
    }
    take(&app.pool, import.application_id, position).await?;
    Ok(())
}

/// Carries out a command unless somebody has moved the request on meanwhile; gives its personnel event.
async fn carry_out(
    app: &SharedApp,
    request: Uuid,
    command: Command,
    context: &crate::journal::Context,
) -> Result<Option<Uuid>, CommandError> {
    match app.journal.execute::<AccessRequest>(request, command, None, context.clone()).await {
        Ok(_) => Ok(find(&app.pool, request).await?.and_then(|row| row.personnel_event_id)),
        Err(CommandError::Refused(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
