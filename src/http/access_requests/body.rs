//! What an access request looks like on the wire (contracts §1.9, rulings 26).

use std::collections::HashMap;

use aggregates::access_request::{AccessRequest, Evidence, Peers, Privilege, ReviewItem};
use aggregates::party::Party;
use aggregates::{DomainEvent, certification_row};
use chrono::{DateTime, Utc};
use projections::access_requests::AccessRequestRow;
use projections::applications::ApplicationRow;
use projections::events::of_streams;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::activity;
use crate::http::applications::body::{ApplicationBody, ApplicationSummary};
use crate::http::error::ApiError;
use crate::http::identities::body::IdentityBody;
use crate::http::party::{self, ActivityBody, CommentBody, Names, PartyBody, ResponderBody};
use crate::http::session::{Access, Session};

/// A request in a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessRequestItem {
    /// The request.
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
    /// `NotStarted`, Provisioning, Provisioned, Failed or Verified.
    pub provisioning_status: String,
    /// Who asked.
    pub reporter: PartyBody,
    /// Who looks after it.
    pub assignee: Option<PartyBody>,
    /// Whose access.
    pub target: TargetBody,
    /// Where.
    pub application: Option<ApplicationSummary>,
    /// By when.
    pub needed_on: Option<DateTime<Utc>>,
    /// When it was asked for.
    pub created_date: DateTime<Utc>,
    /// When it was completed.
    pub completed_on: Option<DateTime<Utc>>,
    /// Derived from what people with the same department and title hold; nobody has asked for it.
    pub is_suggested: bool,
    /// A later import shows it undone after it was verified.
    pub is_finding: bool,
}

/// Whose access.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetBody {
    /// Always `User`.
    #[schema(example = "User")]
    pub r#type: &'static str,
    /// The person's name.
    pub name: String,
    /// The person.
    pub affected_identity: Option<IdentityBody>,
}

/// A request with all that belongs to it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessRequestDetail {
    /// As in a list.
    #[serde(flatten)]
    pub item: AccessRequestItem,
    /// To what.
    pub privileges: Vec<PrivilegeBody>,
    /// Who must answer, and what they said.
    pub response_requirements: Vec<RequirementBody>,
    /// The import that showed it last: done, or (a finding) undone.
    pub evidence: Option<EvidenceBody>,
    /// The personnel event or review item that made it, and imports that showed it.
    pub related_items: Vec<RelatedItemBody>,
    /// What happened, the oldest first.
    pub activity: Vec<ActivityBody>,
    /// Remarks, the oldest first.
    pub comments: Vec<CommentBody>,
}

/// An entitlement that is to be given, taken, ...
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PrivilegeBody {
    /// The entitlement; null = the account itself, which holds none.
    pub id: Option<Uuid>,
    /// Native key of the entitlement, or of the account.
    pub key: String,
    /// Its name at the time.
    pub name: Option<String>,
    /// Add, Change, Remove, Suspend or Restore.
    pub change: String,
    /// Of this account; null = of any account of the person.
    pub account_id: Option<Uuid>,
    /// Why it is suggested: of so many people with the same department and title, how many hold it.
    #[schema(value_type = Option<Object>)]
    pub peers: Option<Peers>,
}

/// A responder and the answer, with the stage that it is for.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequirementBody {
    /// Always `Approval`.
    #[schema(example = "Approval")]
    pub stage: &'static str,
    /// Who, and what.
    #[serde(flatten)]
    pub responder: ResponderBody,
}

/// An import that shows it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceBody {
    /// The import.
    pub application_import_id: Uuid,
    /// Its number.
    pub number: i64,
    /// Where in the log it finished.
    pub position: i64,
}

impl From<&Evidence> for EvidenceBody {
    fn from(evidence: &Evidence) -> Self {
        let Evidence { application_import_id, number, position } = *evidence;
        Self { application_import_id, number, position }
    }
}

/// Something that belongs to a request.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RelatedItemBody {
    /// Personnel Event, Application Import or Review Item.
    pub kind: &'static str,
    /// Which.
    pub id: Uuid,
    /// Its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<i64>,
    /// Of a review item, what is decided about it.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub review: Option<ReviewItemBody>,
}

/// The row of a certification whose rejection opened the request (rulings 26).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReviewItemBody {
    /// Of which certification.
    pub certification_id: Uuid,
    /// Its number in it.
    pub result_id: u32,
    /// `NONE`, `ACCEPTED`, `REJECTED` or `FIXED`, as it stands now.
    pub decision: String,
    /// Who changed it last.
    pub decided_by: Option<PartyBody>,
    /// When.
    pub decided_at: DateTime<Utc>,
}

impl AccessRequestItem {
    /// A request with the identities and applications that it names.
    pub fn of(row: &AccessRequestRow, names: &Names, applications: &HashMap<Uuid, ApplicationRow>) -> Self {
        let affected = names.view(row.identity_id);
        let application = applications.get(&row.application_id).cloned();
        Self {
            id: row.id,
            kind: "Access Request",
            number: row.number,
            action: row.action.clone(),
            status: row.status.clone(),
            provisioning_status: row.provisioning_status.clone(),
            reporter: PartyBody::from(&row.state.0.reporter),
            assignee: row.assignee_id.map(|id| names.party(id)),
            target: TargetBody {
                r#type: "User",
                name: affected.as_ref().map(party::full_name).unwrap_or_default(),
                affected_identity: affected.map(IdentityBody::from),
            },
            application: application.map(|row| ApplicationBody::from(row).summary),
            needed_on: row.needed_at,
            created_date: row.created_at,
            completed_on: row.completed_at.filter(|_| row.state.0.canceled.is_none()),
            is_suggested: row.is_suggested,
            is_finding: row.is_finding,
        }
    }
}

impl PrivilegeBody {
    fn of(privilege: &Privilege, change: &str) -> Self {
        Self {
            id: privilege.entitlement_id,
            key: privilege.key.clone(),
            name: privilege.name.clone(),
            change: change.to_owned(),
            account_id: privilege.account_id,
            peers: privilege.peers,
        }
    }
}

/// The identities and applications that requests name.
pub async fn named<A: Access>(
    session: &Session<A>,
    rows: &[AccessRequestRow],
) -> Result<(Names, HashMap<Uuid, ApplicationRow>), ApiError> {
    let identities = rows.iter().flat_map(|row| {
        let responders = row.state.0.ballot.responders.iter().copied();
        responders.chain([row.identity_id]).chain(row.assignee_id)
    });
    let names = Names::of(session, identities.collect()).await?;
    let applications: Vec<Uuid> = rows.iter().map(|row| row.application_id).collect();
    Ok((names, projections::applications::find_all(session.pool(), &applications).await?))
}

async fn review_item<A: Access>(session: &Session<A>, item: ReviewItem) -> Result<Option<RelatedItemBody>, ApiError> {
    let ReviewItem { certification_id, result_id } = item;
    let Some(row) = projections::certifications::result(session.pool(), certification_id, result_id).await? else {
        return Ok(None);
    };
    let id = certification_row::stream(certification_id, result_id);
    let events = of_streams(session.pool(), certification_row::TYPE, &[id.to_string()]).await;
    let events = events.map_err(|error| ApiError::internal(&error))?;
    // Remarks and other reviewers came by others, and later.
    let decided = events.into_iter().rfind(|recorded| match &*recorded.event {
        DomainEvent::CertificationRow(event) => event.change().is_some_and(|(was, now)| was.decision != now.decision),
        _ => false,
    });
    let review = decided.map(|recorded| {
        let by = Party::from(&*recorded.actor);
        ReviewItemBody {
            certification_id,
            result_id,
            decision: row.decision,
            decided_by: Some(PartyBody { id: by.id(), name: by.name }),
            decided_at: recorded.recorded_at,
        }
    });
    Ok(Some(RelatedItemBody { kind: "Review Item", id, number: None, review }))
}

/// A request with its version.
pub async fn detail<A: Access>(session: &Session<A>, id: Uuid) -> Result<(i64, AccessRequestDetail), ApiError> {
    let row = projections::access_requests::find(session.pool(), id).await?;
    let row = row.ok_or_else(|| ApiError::not_found("Access request", id))?;
    let (names, applications) = named(session, std::slice::from_ref(&row)).await?;
    let state = &row.state.0;
    let mut related_items = Vec::new();
    if let Some(event) = row.personnel_event_id {
        let number = projections::personnel_events::find(session.pool(), event).await?.map(|event| event.number);
        related_items.push(RelatedItemBody { kind: "Personnel Event", id: event, number, review: None });
    }
    if let Some(Evidence { application_import_id, number, .. }) = &state.evidence {
        let (id, number) = (*application_import_id, Some(*number));
        related_items.push(RelatedItemBody { kind: "Application Import", id, number, review: None });
    }
    if let Some(item) = state.request.as_ref().and_then(|request| request.review_item) {
        related_items.extend(review_item(session, item).await?);
    }
    let privileges = state.request.iter().flat_map(|request| &request.privileges);
    let detail = AccessRequestDetail {
        item: AccessRequestItem::of(&row, &names, &applications),
        privileges: privileges.map(|privilege| PrivilegeBody::of(privilege, &row.action)).collect(),
        // What a personnel event's approval covers nobody has to answer.
        response_requirements: Some(party::responders(&state.ballot, &names))
            .filter(|_| !state.is_approved || !state.ballot.responses.is_empty())
            .into_iter()
            .flatten()
            .map(|responder| RequirementBody { stage: "Approval", responder })
            .collect(),
        evidence: state.evidence.as_ref().map(EvidenceBody::from),
        related_items,
        activity: party::activity::<A, AccessRequest>(session, id, activity::named, activity::words).await?,
        comments: state.comments.iter().map(CommentBody::from).collect(),
    };
    Ok((row.version, detail))
}
