//! Making a personnel event: what the four endpoints share.

use std::collections::BTreeMap;

use aggregates::Violation;
use aggregates::party::Party;
use aggregates::personnel_event::{
    Draft, DraftFacts, IdentityDraft, PersonnelEvent, PersonnelEventCommand, PersonnelEventType, Requested,
};
use aggregates::settings::{self, Settings, is_custom_field};
use axum::http::StatusCode;
use axum::response::Response;
use projections::personnel_events::Wanted;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{clashing, location, show};
use crate::http::error::ApiError;
use crate::http::session::{Operates, Session};

/// The joiner, or what changes about the mover. Also `customField1` to `customField10`, at most 2,048 characters each, as far
/// as they are enabled in the system settings.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IdentityRequest {
    /// At most 256 characters; a joiner has one.
    first_name: Option<String>,
    /// At most 256 characters; a joiner has one.
    last_name: Option<String>,
    /// At most 256 characters.
    email: Option<String>,
    /// GUID of an identity.
    supervisor_id: Option<String>,
    /// At most 256 characters.
    company: Option<String>,
    /// At most 256 characters.
    division: Option<String>,
    /// At most 128 characters.
    department: Option<String>,
    /// At most 256 characters.
    office: Option<String>,
    /// At most 256 characters.
    title: Option<String>,
    /// Employee (a joiner's default), `ServiceAccount`, Vendor, Shared, Mailbox, Client, Temporary, Administrator, Auditor or Unknown.
    identity_type: Option<String>,
    #[serde(flatten)]
    #[schema(value_type = Object)]
    custom_fields: BTreeMap<String, Option<String>>,
}

impl IdentityRequest {
    /// The draft; fields that there are not are violations.
    fn draft(self, violations: &mut Vec<Violation>) -> IdentityDraft {
        for name in self.custom_fields.keys().filter(|name| !is_custom_field(name)) {
            violations.push(Violation::new(format!("identity.{name}"), format!("Unknown field `{name}`")));
        }
        let custom = self.custom_fields.into_iter().filter(|(name, _)| is_custom_field(name));
        IdentityDraft {
            first_name: self.first_name,
            last_name: self.last_name,
            email: self.email,
            supervisor_id: self.supervisor_id,
            company: self.company,
            division: self.division,
            department: self.department,
            office: self.office,
            title: self.title,
            identity_type: self.identity_type,
            custom_fields: custom.filter_map(|(name, value)| Some((name, value?))).collect(),
        }
    }
}

/// The parts of a request, as the four endpoints have them.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) identity_id: Option<String>,
    pub(super) identity: Option<IdentityRequest>,
    pub(super) effective_date: Option<String>,
    pub(super) end_date: Option<String>,
    pub(super) comment: Option<String>,
}

/// Makes an event: 201 with its detail.
pub(super) async fn create(
    session: &Session<Operates>,
    r#type: PersonnelEventType,
    parts: Parts,
) -> Result<Response, ApiError> {
    let settings = session.journal().load::<Settings>(settings::ID).await?.aggregate;
    let facts =
        DraftFacts { now: session.now, timezone: settings.timezone(), custom_fields: settings.custom_fields.clone() };
    let mut violations = Vec::new();
    let draft = Draft {
        identity_id: parts.identity_id,
        identity: parts.identity.map(|identity| identity.draft(&mut violations)),
        effective_date: parts.effective_date,
        end_date: parts.end_date,
        comment: parts.comment,
    };
    let request = match draft.check(r#type, &facts) {
        Ok(request) if violations.is_empty() => request,
        Ok(_) => return Err(ApiError::validation(violations)),
        Err(found) => {
            violations.extend(found);
            return Err(ApiError::validation(violations));
        }
    };
    known(session, &request).await?;
    let id = session.app.clock.id();
    let command = PersonnelEventCommand::Request {
        request,
        reporter: Party::from(&session.actor()),
        responders: settings.default_responders,
        at: session.now,
    };
    let created = session.journal().create::<PersonnelEvent>(id, command, session.creating(location(id))).await;
    if let Err(error) = created {
        return Err(clashing(session, error).await);
    }
    show(session, id, StatusCode::CREATED).await
}

/// The people whom a request names are known, and fit.
async fn known(session: &Session<Operates>, request: &Requested) -> Result<(), ApiError> {
    let pool = session.pool();
    let mut violations = Vec::new();
    if let Some(id) = request.identity_id {
        match projections::identities::find(pool, id).await? {
            None => violations.push(Violation::new("identityId", format!("Identity with id {id} not found"))),
            Some(view) if view.row.status == "Active" => {}
            Some(_) if request.r#type == PersonnelEventType::Offboard => offboarded_once(session, id).await?,
            Some(view) if view.row.status == "Removed" => {
                let message = format!("Identity {id} is Removed: no source names it any more");
                violations.push(Violation::new("identityId", message));
            }
            Some(_) => {}
        }
    }
    if let (PersonnelEventType::Onboard, Some(email)) = (request.r#type, &request.identity.email)
        && let Some((bearer, status)) = projections::identities::with_email(pool, email).await?
        && status != "Removed"
    {
        let message = format!("{email} is the address of identity {bearer}, who is here already");
        violations.push(Violation::new("identity.email", message));
    }
    if let Some(supervisor) = request.identity.supervisor_id {
        let field = "identity.supervisorId";
        match projections::identities::find(pool, supervisor).await? {
            None => violations.push(Violation::new(field, format!("Identity with id {supervisor} not found"))),
            Some(view) if view.row.status == "Removed" => {
                violations.push(Violation::new(field, format!("Identity {supervisor} is Removed")));
            }
            Some(_) => {
                if let Some(id) = request.identity_id
                    && projections::identities::is_above(pool, id, supervisor).await?
                {
                    let message = format!("Identity {supervisor} reports to identity {id}: that would be a circle");
                    violations.push(Violation::new(field, message));
                }
            }
        }
    }
    if violations.is_empty() { Ok(()) } else { Err(ApiError::validation(violations)) }
}

/// Whoever isn't active and was offboarded is offboarded.
async fn offboarded_once(session: &Session<Operates>, identity: Uuid) -> Result<(), ApiError> {
    let wanted = Wanted { identity_id: Some(identity), r#type: Some("Offboard"), status: Some("Completed") };
    let found = projections::personnel_events::list(session.pool(), &wanted, 1).await?;
    let last = found.items.iter().max_by_key(|row| row.completed_at);
    let Some(ended) = last.and_then(|row| row.completed_at) else { return Ok(()) };
    if projections::identities::was_active_after(session.pool(), identity, ended).await? {
        return Ok(());
    }
    match last {
        Some(row) => Err(ApiError::conflict(format!(
            "Identity {identity} isn't active and was offboarded by personnel event {} ({})",
            row.number, row.id
        ))),
        None => Ok(()),
    }
}
