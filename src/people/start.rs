//! A stage of work begins: its access requests and what changes about the person, in one append with it.

use aggregates::access_request::{AccessRequest, AccessRequestCommand};
use aggregates::identity::Identity;
use aggregates::party::Party;
use aggregates::personnel_event::{PersonnelEvent, PersonnelEventCommand as Command, PersonnelEventType};
use uuid::Uuid;

use super::{plan, settle};
use crate::app::SharedApp;
use crate::journal::{Append, AppendError, CommandError, Context, Loaded};

/// How often it is tried again when somebody else came first.
const ATTEMPTS: usize = 8;

/// Begins the stage whose time has come, if any, and lets the stages follow.
///
/// # Errors
/// What the journal said.
pub async fn start(app: &SharedApp, id: Uuid, context: &Context) -> Result<(), CommandError> {
    for attempt in 1.. {
        let loaded = app.journal.load::<PersonnelEvent>(id).await?;
        let now = app.clock.now();
        let Some(stage) = loaded.aggregate.startable(now) else { return Ok(()) };
        let plan = plan::of(&app.pool, id, &loaded.aggregate, stage).await?;
        let (reporter, identity) = (loaded.aggregate.reporter.clone(), loaded.aggregate.identity_id);
        let mut requests = Vec::new();
        let mut appends = Vec::new();
        for planned in plan.requests {
            let request = app.clock.id();
            let responders = responders(app, planned.request.application_id).await?;
            let command = AccessRequestCommand::Request {
                request: planned.request,
                reporter: reporter.clone(),
                responders,
                is_approved: planned.is_approved,
                at: now,
            };
            let (_, append) = Loaded::<AccessRequest>::new(&request).decide(command, context.clone()).await?;
            appends.extend(append);
            requests.push(request);
        }
        if let (Some(command), Some(identity)) = (plan.identity, identity) {
            let known = app.journal.load::<Identity>(identity).await?;
            appends.extend(known.decide(command, context.clone()).await?.1);
        }
        if loaded.aggregate.kind() == Some(PersonnelEventType::Offboard)
            && let Some(identity) = identity
        {
            appends.extend(withdrawn(app, identity, &reporter, context).await?);
        }
        let (_, append) = loaded.decide(Command::Start { requests, at: now }, context.clone()).await?;
        let Some(append) = append else { return Ok(()) };
        match app.journal.append(appends.into_iter().fold(append, Append::and)).await {
            Ok(_) => break,
            Err(AppendError::Conflict { .. }) if attempt < ATTEMPTS => {}
            Err(error) => return Err(error.into()),
        }
    }
    settle::settle(app, id, context).await
}

/// Who leaves is given nothing any more.
async fn withdrawn(
    app: &SharedApp,
    identity: Uuid,
    by: &Party,
    context: &Context,
) -> Result<Vec<Append>, CommandError> {
    let mut appends = Vec::new();
    for request in projections::access_requests::to_be_given(&app.pool, identity).await? {
        let request = app.journal.load::<AccessRequest>(request).await?;
        if request.aggregate.status().is_terminal() {
            continue;
        }
        let reason = Some("The person is leaving".to_owned());
        let command = AccessRequestCommand::Cancel { reason, by: by.clone(), at: app.clock.now() };
        appends.extend(request.decide(command, context.clone()).await?.1);
    }
    Ok(appends)
}

/// Who answers requests for an application's access: its responders, else the default ones.
///
/// # Errors
/// The tables can't be read.
pub async fn responders(app: &SharedApp, application: Uuid) -> Result<Vec<Uuid>, CommandError> {
    let row = projections::applications::find(&app.pool, application).await?;
    match row.map(|row| row.responders.0).filter(|responders| !responders.is_empty()) {
        Some(responders) => Ok(responders),
        None => default_responders(app).await,
    }
}

/// Who answers where nothing else says who does.
///
/// # Errors
/// The log can't be read.
pub async fn default_responders(app: &SharedApp) -> Result<Vec<Uuid>, CommandError> {
    use aggregates::settings::{ID, Settings};
    Ok(app.journal.load::<Settings>(ID).await?.aggregate.default_responders)
}
