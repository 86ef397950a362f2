//! What a personnel event looks like on the wire (contracts §1.8).

use std::collections::BTreeMap;

use aggregates::identity::IdentityRecord;
use aggregates::personnel_event::{PersonnelEvent, StageState, StageStatus};
use chrono::{DateTime, Utc};
use projections::access_requests::AccessRequestRow;
use projections::identities::IdentityView;
use projections::personnel_events::PersonnelEventRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::activity;
use crate::http::error::ApiError;
use crate::http::identities::body::IdentityBody;
use crate::http::party::{self, ActivityBody, CommentBody, Names, PartyBody, ResponderBody};
use crate::http::session::{Access, Session};

/// An event in a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PersonnelEventItem {
    /// The event.
    pub id: Uuid,
    /// Always `Personnel Event`.
    #[schema(example = "Personnel Event")]
    pub kind: &'static str,
    /// 1, 2, 3, ...
    pub number: i64,
    /// Onboard, Offboard, Role Transition or Absence.
    pub r#type: String,
    /// Pending, Open, Resolved, Completed, Canceled, Scheduled or Snoozed.
    pub status: String,
    /// Who asked.
    pub reporter: PartyBody,
    /// Who looks after it.
    pub assignee: Option<PartyBody>,
    /// Whom it concerns; a joiner before approval has neither id nor status.
    pub affected_identity: AffectedIdentityBody,
    /// The effective date.
    pub needed_on: DateTime<Utc>,
    /// The end date.
    pub needed_until: Option<DateTime<Utc>>,
    /// When it was completed.
    pub completed_on: Option<DateTime<Utc>>,
}

/// An event with its stages, activity and comments.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonnelEventDetail {
    /// As in a list.
    #[serde(flatten)]
    pub item: PersonnelEventItem,
    /// Its steps in order.
    pub stages: Vec<StageBody>,
    /// What happened, the oldest first.
    pub activity: Vec<ActivityBody>,
    /// Remarks, the oldest first.
    pub comments: Vec<CommentBody>,
}

/// An identity, or somebody who is to become one.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum AffectedIdentityBody {
    /// Known.
    Known(Box<IdentityBody>),
    /// Asked for.
    Requested(Box<RequestedIdentityBody>),
}

/// A joiner as asked for, in the shape of an identity (rulings 24).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "as in an identity")]
pub struct RequestedIdentityBody {
    pub id: Option<Uuid>,
    #[schema(example = "Identity")]
    pub kind: &'static str,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub display_name: Option<String>,
    pub email_address: Option<String>,
    pub employee_id: Option<String>,
    pub r#type: Option<&'static str>,
    pub title: Option<String>,
    pub company: Option<String>,
    pub division: Option<String>,
    pub department: Option<String>,
    pub office: Option<String>,
    pub supervisor_name: Option<String>,
    pub created_date: Option<DateTime<Utc>>,
    pub updated_date: Option<DateTime<Utc>>,
    pub first_seen_date: Option<DateTime<Utc>>,
    pub inactivated_date: Option<DateTime<Utc>>,
    pub status: Option<String>,
    pub attributes: BTreeMap<String, String>,
}

impl AffectedIdentityBody {
    fn requested(record: IdentityRecord, names: &Names) -> Self {
        let supervisor = record.supervisor_id.and_then(|id| names.view(id));
        Self::Requested(Box::new(RequestedIdentityBody {
            id: None,
            kind: "Identity",
            first_name: record.first_name,
            last_name: record.last_name,
            display_name: record.display_name,
            email_address: record.email,
            employee_id: record.employee_id,
            r#type: record.r#type.map(aggregates::identity::IdentityType::as_str),
            title: record.title,
            company: record.company,
            division: record.division,
            department: record.department,
            office: record.office,
            supervisor_name: supervisor.as_ref().map(last_first),
            created_date: None,
            updated_date: None,
            first_seen_date: None,
            inactivated_date: None,
            status: None,
            attributes: record.attributes,
        }))
    }
}

fn last_first(view: &IdentityView) -> String {
    match (&view.row.last_name, &view.row.first_name) {
        (Some(last), Some(first)) => format!("{last}, {first}"),
        _ => party::full_name(view),
    }
}

/// A step of an event.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StageBody {
    /// Approval, Provision, Transition In, Transition Out, Removal or Verification.
    pub name: &'static str,
    /// The word for people: Approve, Deprovision, Suspend, Restore, ...
    pub label: &'static str,
    /// Pending, Open, Scheduled, Snoozed, Completed, Rejected or Canceled.
    #[schema(value_type = String)]
    pub status: StageStatus,
    /// When it is to begin, where it waits for the end date.
    pub due_on: Option<DateTime<Utc>>,
    /// When it was done.
    pub completed_on: Option<DateTime<Utc>>,
    /// Who said so.
    pub completed_by: Option<PartyBody>,
    /// Who must answer; empty where it is work.
    pub responders: Vec<ResponderBody>,
    /// What it does to access.
    pub access_requests: Vec<AccessRequestRef>,
}

/// An access request in short.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessRequestRef {
    /// The access request.
    pub id: Uuid,
    /// Always `Access Request`.
    #[schema(example = "Access Request")]
    pub kind: &'static str,
    /// 1, 2, 3, ...
    pub number: i64,
    /// Add, Change, Remove, Suspend or Restore.
    pub action: String,
    /// Pending, Scheduled, Open, Resolved, Completed or Canceled.
    pub status: String,
    /// The application.
    pub application_id: Uuid,
}

impl From<&AccessRequestRow> for AccessRequestRef {
    fn from(row: &AccessRequestRow) -> Self {
        Self {
            id: row.id,
            kind: "Access Request",
            number: row.number,
            action: row.action.clone(),
            status: row.status.clone(),
            application_id: row.application_id,
        }
    }
}

impl PersonnelEventItem {
    /// An event with the identities that it names.
    pub fn of(row: &PersonnelEventRow, names: &Names) -> Self {
        let state = &row.state.0;
        let known = row.identity_id.and_then(|id| names.view(id));
        let affected_identity = if let Some(view) = known {
            AffectedIdentityBody::Known(Box::new(view.into()))
        } else {
            let request = state.request.as_ref();
            let record = request.map(|request| request.identity.clone()).unwrap_or_default();
            AffectedIdentityBody::requested(record, names)
        };
        Self {
            id: row.id,
            kind: "Personnel Event",
            number: row.number,
            r#type: row.r#type.clone(),
            status: row.status.clone(),
            reporter: PartyBody::from(&state.reporter),
            assignee: row.assignee_id.map(|id| names.party(id)),
            affected_identity,
            needed_on: row.effective_at,
            needed_until: row.end_at,
            completed_on: row.completed_at.filter(|_| state.canceled.is_none()),
        }
    }
}

/// The identities that events name.
pub async fn names<A: Access>(session: &Session<A>, rows: &[PersonnelEventRow]) -> Result<Names, ApiError> {
    let named = rows.iter().flat_map(|row| {
        let state = &row.state.0;
        let supervisor = state.request.as_ref().and_then(|request| request.identity.supervisor_id);
        let ballots = state.stages.iter().filter_map(|stage| stage.ballot.as_ref());
        let responders = ballots.flat_map(|ballot| ballot.responders.iter().copied());
        responders.chain([row.identity_id, row.assignee_id, supervisor].into_iter().flatten())
    });
    Names::of(session, named.collect()).await
}

/// An event with its version.
pub async fn detail<A: Access>(session: &Session<A>, id: Uuid) -> Result<(i64, PersonnelEventDetail), ApiError> {
    let row = projections::personnel_events::find(session.pool(), id).await?;
    let row = row.ok_or_else(|| ApiError::not_found("Personnel event", id))?;
    let names = names(session, std::slice::from_ref(&row)).await?;
    let requests = projections::access_requests::of_personnel_event(session.pool(), id).await?;
    let activity = party::activity::<A, PersonnelEvent>(session, id, activity::named, activity::words).await?;
    let stages = row.state.0.stages.iter().map(|stage| stage_body(&row, stage, &names, &requests)).collect();
    let comments = row.state.0.comments.iter().map(CommentBody::from).collect();
    let item = PersonnelEventItem::of(&row, &names);
    Ok((row.version, PersonnelEventDetail { item, stages, activity, comments }))
}

fn stage_body(row: &PersonnelEventRow, stage: &StageState, names: &Names, requests: &[AccessRequestRow]) -> StageBody {
    let state = &row.state.0;
    let made = requests.iter().filter(|request| stage.requests.contains(&request.id));
    StageBody {
        name: stage.stage.as_str(),
        label: state.kind().map_or("", |kind| stage.stage.label(kind)),
        status: stage.status(state),
        due_on: row.end_at.filter(|_| stage.stage.is_at_end()),
        completed_on: stage.completed_at,
        completed_by: stage.completed_by.as_ref().map(PartyBody::from),
        responders: stage.ballot.as_ref().map(|ballot| party::responders(ballot, names)).unwrap_or_default(),
        access_requests: made.map(AccessRequestRef::from).collect(),
    }
}
