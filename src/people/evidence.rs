//! Verification is by evidence: when an import shows access gone (or there), the request verifies itself and names the
//! import; when a later one shows it undone, the request reopens as a finding.

use std::collections::BTreeSet;

use aggregates::Refusal;
use aggregates::access_request::{AccessRequest, AccessRequestCommand as Command, Evidence};
use aggregates::party::Party;
use projections::access_requests::{Said, find, undone, unfixed, verified_by};
use uuid::Uuid;

use super::{by_itself, settle};
use crate::app::SharedApp;
use crate::journal::{Append, AppendError, CommandError, Context};
use crate::reviews;
use crate::work::evidence::{Untaken, take, untaken};

/// How often it is tried again when somebody else came first.
const ATTEMPTS: usize = 8;

/// Takes the evidence of every import that has finished since. An application whose evidence can't be taken waits; the others don't.
///
/// # Errors
/// The tables can't be read.
pub async fn take_all(app: &SharedApp) -> Result<(), CommandError> {
    let mut waiting: BTreeSet<Uuid> = BTreeSet::new();
    for import in untaken(&app.workers).await? {
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
    for request in verified_by(&app.workers, said).await? {
        events.extend(verify(app, request, &evidence(), &by, &context).await?);
    }
    for request in unfixed(&app.workers, said).await? {
        fix(app, request, &evidence(), &context).await?;
    }
    for request in undone(&app.workers, said).await? {
        let command = Command::Reopen { evidence: evidence(), at: app.clock.now() };
        carry_out(app, request, command, &context).await?;
    }
    for event in events {
        settle::settle(app, event, &context).await?;
    }
    take(&app.workers, import.application_id, position).await?;
    Ok(())
}

/// Verifies a request, and marks the row FIXED for whose rejection it was made, in one append; gives its personnel event.
async fn verify(
    app: &SharedApp,
    request: Uuid,
    evidence: &Evidence,
    by: &Party,
    context: &Context,
) -> Result<Option<Uuid>, CommandError> {
    for attempt in 1.. {
        let loaded = app.journal.load::<AccessRequest>(request).await?;
        let (event, item) = match &loaded.aggregate.request {
            Some(request) => (request.personnel_event_id, request.review_item),
            None => (None, None),
        };
        let command = Command::Verify { evidence: Some(evidence.clone()), by: by.clone(), at: app.clock.now() };
        let append = match loaded.decide(command, context.clone()).await {
            Ok((_, Some(append))) => append,
            // Somebody has moved the request on meanwhile.
            Ok((_, None)) | Err(Refusal::Conflict(_)) => break,
            Err(refusal) => return Err(refusal.into()),
        };
        let fixed = match item {
            Some(item) => reviews::fixed(app, item, evidence, context).await?,
            None => None,
        };
        match app.journal.append(fixed.into_iter().fold(append, Append::and)).await {
            Ok(_) => return Ok(event),
            Err(AppendError::Conflict { .. } | AppendError::Guard { .. }) if attempt < ATTEMPTS => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

/// Marks the row FIXED for whose rejection a request was made that has ended by hand.
async fn fix(app: &SharedApp, request: Uuid, evidence: &Evidence, context: &Context) -> Result<(), CommandError> {
    let loaded = app.journal.load::<AccessRequest>(request).await?;
    let Some(item) = loaded.aggregate.request.and_then(|request| request.review_item) else { return Ok(()) };
    for attempt in 1.. {
        let Some(fixed) = reviews::fixed(app, item, evidence, context).await? else { return Ok(()) };
        match app.journal.append(fixed).await {
            Ok(_) => return Ok(()),
            Err(AppendError::Conflict { .. } | AppendError::Guard { .. }) if attempt < ATTEMPTS => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Carries out a command unless somebody has moved the request on meanwhile; gives its personnel event.
async fn carry_out(
    app: &SharedApp,
    request: Uuid,
    command: Command,
    context: &Context,
) -> Result<Option<Uuid>, CommandError> {
    match app.journal.execute::<AccessRequest>(request, command, None, context.clone()).await {
        Ok(_) => Ok(find(&app.workers, request).await?.and_then(|row| row.personnel_event_id)),
        Err(CommandError::Refused(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
