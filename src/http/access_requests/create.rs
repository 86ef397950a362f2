use aggregates::Violation;
use aggregates::access_request::{AccessRequest, AccessRequestCommand, Action, Privilege, RequestedAccess};
use aggregates::party::{COMMENT_LIMIT, Party};
use aggregates::personnel_event::date;
use aggregates::settings::{self, Settings};
use aggregates::values::TIME_ALLOWED;
use aggregates::violation::check_length;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::body::AccessRequestDetail;
use super::{TAG, location, show};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::Json;
use crate::http::party::{text, word};
use crate::http::session::{Operates, Session};
use crate::people::start;

/// Entitlements of one request.
const MOST: usize = 1000;

/// Access to be given, changed, taken, suspended or restored.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessRequestRequest {
    /// Add, Change, Remove, Suspend or Restore.
    action: Option<String>,
    /// GUID of the person.
    identity_id: Option<String>,
    /// GUID of the application.
    application_id: Option<String>,
    /// Ids or native keys of entitlements of the application.
    #[serde(default)]
    entitlements: Vec<String>,
    /// A date (the first moment of that day in the configured timezone) or a time; absent = now.
    needed_on: Option<String>,
    /// At most 4,000 characters.
    comment: Option<String>,
}

/// Asks for access. The application's responders (else the default ones) must all approve it.
#[utoipa::path(
    post, path = "/api/access-requests", tag = TAG, operation_id = "createAccessRequest", security(("token" = [])),
    request_body = AccessRequestRequest,
    responses(
        (status = 201, body = AccessRequestDetail),
        (status = 400, description = "Fields break rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an operator's token", body = ErrorBody),
        (status = 415, description = "Not application/json", body = ErrorBody),
    )
)]
pub async fn create(
    session: Session<Operates>,
    Json(request): Json<AccessRequestRequest>,
) -> Result<Response, ApiError> {
    let request = checked(&session, request).await?;
    let id = session.app.clock.id();
    let responders = start::responders(&session.app, request.application_id).await?;
    let command = AccessRequestCommand::Request {
        request,
        reporter: Party::from(&session.actor()),
        responders,
        is_approved: false,
        at: session.now,
    };
    session.journal().create::<AccessRequest>(id, command, session.creating(location(id))).await?;
    show(&session, id, StatusCode::CREATED).await
}

async fn checked(session: &Session<Operates>, request: AccessRequestRequest) -> Result<RequestedAccess, ApiError> {
    let mut violations = Vec::new();
    let mut required = |field: &str, label: &str, value: Option<String>| {
        let value = text(value.as_deref());
        if value.is_none() {
            violations.push(Violation::new(field, format!("{label} is required")));
        }
        value
    };
    let action = required("action", "Action", request.action);
    let identity = required("identityId", "Identity ID", request.identity_id);
    let application = required("applicationId", "Application ID", request.application_id);
    let mut judged = |outcome: Result<Option<Uuid>, ApiError>| match outcome {
        Ok(id) => id,
        Err(error) => {
            violations.extend(error.fields);
            None
        }
    };
    let identity = judged(identity.map(|text| crate::http::extract::id("identityId", &text)).transpose());
    let application = judged(application.map(|text| crate::http::extract::id("applicationId", &text)).transpose());
    let action = match word("action", action.as_deref(), &Action::ALL, Action::as_str) {
        Ok(action) => action,
        Err(error) => {
            violations.extend(error.fields);
            None
        }
    };
    let needed_at = needed(session, request.needed_on.as_deref(), &mut violations).await?;
    let comment = text(request.comment.as_deref());
    check_length(&mut violations, "comment", "Comment", comment.as_deref().unwrap_or_default(), COMMENT_LIMIT);
    if request.entitlements.len() > MOST {
        let message = format!("{} entitlements are named; at most {MOST} are allowed", request.entitlements.len());
        return Err(ApiError::field("entitlements", message));
    }
    if request.entitlements.is_empty() {
        violations.push(Violation::new("entitlements", "At least one entitlement is required"));
    }
    let (Some(action), Some(identity_id), Some(application_id)) = (action, identity, application) else {
        return Err(ApiError::validation(violations));
    };
    people(session, (action, identity_id, application_id), &mut violations).await?;
    let wanted = &request.entitlements;
    let privileges = privileges(session, (action, identity_id, application_id), wanted, &mut violations).await?;
    if !violations.is_empty() {
        return Err(ApiError::validation(violations));
    }
    Ok(RequestedAccess {
        action,
        identity_id,
        application_id,
        privileges,
        needed_at,
        personnel_event_id: None,
        is_suggested: false,
        review_item: None,
        comment,
    })
}

async fn needed(
    session: &Session<Operates>,
    text: Option<&str>,
    violations: &mut Vec<Violation>,
) -> Result<Option<DateTime<Utc>>, ApiError> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    let settings = session.journal().load::<Settings>(settings::ID).await?.aggregate;
    let found = date(text, settings.timezone());
    if found.is_none() {
        violations.push(Violation::new("neededOn", format!("{text:?} is not {TIME_ALLOWED}")));
    }
    Ok(found)
}

async fn people(
    session: &Session<Operates>,
    (action, identity, application): (Action, Uuid, Uuid),
    violations: &mut Vec<Violation>,
) -> Result<(), ApiError> {
    match projections::identities::find(session.pool(), identity).await? {
        None => violations.push(Violation::new("identityId", format!("Identity with id {identity} not found"))),
        Some(view) if view.row.status != "Active" && matches!(action, Action::Add | Action::Restore) => {
            let message = format!("Identity {identity} is {}; access is given to Active ones", view.row.status);
            violations.push(Violation::new("identityId", message));
        }
        Some(_) => {}
    }
    match projections::applications::find(session.pool(), application).await? {
        None => {
            violations.push(Violation::new("applicationId", format!("Application with id {application} not found")));
        }
        Some(row) if row.is_archived => violations.push(Violation::new("applicationId", "Application is archived")),
        Some(_) => {}
    }
    Ok(())
}

/// The entitlements by id or key: there, and held by the person where they are to be changed, taken or suspended.
async fn privileges(
    session: &Session<Operates>,
    (action, identity, application): (Action, Uuid, Uuid),
    wanted: &[String],
    violations: &mut Vec<Violation>,
) -> Result<Vec<Privilege>, ApiError> {
    let pool = session.pool();
    let accounts = projections::accounts::of_identity(pool, identity).await?;
    let of_application = accounts.iter().filter(|account| account.application_id == application);
    let accounts: Vec<(Uuid, Uuid)> = of_application.map(|account| (application, account.id)).collect();
    let held = projections::grants::of_accounts(pool, &accounts).await?;
    let mut privileges: Vec<Privilege> = Vec::new();
    for (at, text) in wanted.iter().enumerate() {
        let field = format!("entitlements[{at}]");
        let by_key = aggregates::ids::entitlement(application, text);
        let mut found = projections::entitlements::find_current(pool, application, by_key).await?;
        if let (None, Ok(id)) = (&found, Uuid::try_parse(text)) {
            found = projections::entitlements::find_current(pool, application, id).await?;
        }
        let Some(entitlement) = found else {
            violations.push(Violation::new(field, format!("The application has no entitlement {text:?}")));
            continue;
        };
        let id = entitlement.id;
        if privileges.iter().any(|known| known.entitlement_id == Some(id)) {
            violations.push(Violation::new(field, format!("The entitlement {text:?} is named twice")));
            continue;
        }
        let privilege = |account_id| Privilege {
            account_id,
            entitlement_id: Some(id),
            key: entitlement.key.clone(),
            name: entitlement.name.clone(),
            peers: None,
        };
        let of: Vec<Privilege> = held
            .iter()
            .filter(|grant| grant.entitlement_id == id)
            .map(|grant| privilege(Some(grant.account_id)))
            .collect();
        if action.takes() && of.is_empty() {
            violations.push(Violation::new(field, format!("The person doesn't hold {text:?}")));
        } else if action == Action::Add && !of.is_empty() {
            violations.push(Violation::new(field, format!("The person holds {text:?} already")));
        } else if action.takes() {
            privileges.extend(of);
        } else {
            privileges.push(privilege(None));
        }
    }
    Ok(privileges)
}
