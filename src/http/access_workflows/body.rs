//! What a workflow looks like on the wire.

use aggregates::access_workflow::{WorkflowDefinition, Wrong};
use chrono::{DateTime, Utc};
use projections::access_workflows::AccessWorkflowRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::error::ApiError;
use crate::http::extract;
use crate::http::party::{Names, full_name, text, wrong_responders};
use crate::http::session::{Access, Session};

/// A workflow.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkflowBody {
    /// The workflow.
    pub workflow_id: Uuid,
    /// Unique, whatever the case.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What reviewers should know.
    pub notes: String,
    /// Applications whose access is reviewed; none = all.
    pub application_ids: Vec<Uuid>,
    /// Which rows are reviewed; empty = all.
    pub filter: String,
    /// Who review.
    pub reviewers: Vec<UserBody>,
    /// Who looks after it.
    pub owner: Option<UserBody>,
    /// Attached automations that its certifications run though they need to be named.
    pub automation_ids: Vec<Uuid>,
    /// Who review rows that would have nobody else but their own person.
    pub fallback_reviewers: Vec<UserBody>,
    /// People may decide about their own access.
    pub allow_self_review: bool,
    /// Who made it.
    pub creator: UserBody,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

/// Somebody.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserBody {
    /// IDENTITY, or TOKEN for one that stands for nobody.
    pub user_type: &'static str,
    /// Of the identity or token.
    pub id: String,
    /// Empty when unknown.
    pub email: String,
    /// The name.
    pub name: String,
}

impl UserBody {
    /// An identity by the name it has.
    pub fn of(id: Uuid, names: &Names) -> Self {
        let view = names.view(id);
        let name = view.as_ref().map(full_name).unwrap_or_default();
        let email = view.and_then(|view| view.row.email).unwrap_or_default();
        Self { user_type: "IDENTITY", id: id.to_string(), email, name }
    }

    /// Whoever did something, by the name that it had then (rulings 1).
    pub fn actor(id: &str, name: &str, names: &Names) -> Self {
        let identity = Uuid::parse_str(id).ok().filter(|id| names.view(*id).is_some());
        let known = identity.map(|id| Self::of(id, names));
        let user_type = if known.is_some() { "IDENTITY" } else { "TOKEN" };
        let email = known.map(|user| user.email).unwrap_or_default();
        Self { user_type, id: id.to_owned(), email, name: name.to_owned() }
    }
}

/// Workflows with the people whom they name.
pub async fn bodies<A: Access>(
    session: &Session<A>,
    rows: Vec<AccessWorkflowRow>,
) -> Result<Vec<WorkflowBody>, ApiError> {
    let people = rows.iter().flat_map(|row| {
        let creator = Uuid::parse_str(&row.created_by_id).ok();
        row.reviewers.iter().chain(&row.fallback_reviewers).copied().chain(row.owner_id).chain(creator)
    });
    let names = Names::of(session, people.collect()).await?;
    Ok(rows.into_iter().map(|row| body(row, &names)).collect())
}

fn body(row: AccessWorkflowRow, names: &Names) -> WorkflowBody {
    WorkflowBody {
        reviewers: row.reviewers.iter().map(|id| UserBody::of(*id, names)).collect(),
        owner: row.owner_id.map(|id| UserBody::of(id, names)),
        creator: UserBody::actor(&row.created_by_id, &row.created_by, names),
        workflow_id: row.id,
        name: row.name,
        description: row.description,
        notes: row.notes,
        application_ids: row.application_ids,
        filter: row.filter,
        fallback_reviewers: row.fallback_reviewers.iter().map(|id| UserBody::of(*id, names)).collect(),
        allow_self_review: row.is_self_review_allowed,
        automation_ids: row.automation_ids,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

/// What a workflow is to be. Fields that aren't listed are ignored.
#[derive(Debug, Deserialize, ToSchema)]
pub struct WorkflowRequest {
    /// 1 to 256 characters; unique, whatever the case.
    name: Option<String>,
    /// At most 4,000 characters.
    description: Option<String>,
    /// At most 4,000 characters.
    notes: Option<String>,
    /// Applications that aren't archived; none = all.
    application_ids: Option<Vec<Uuid>>,
    /// Over source, destination and grant; empty = all rows.
    #[schema(example = "source.identity.department eq \"Sales\"")]
    filter: Option<String>,
    /// Active identities.
    reviewers: Option<Vec<UserRequest>>,
    /// An active identity.
    owner: Option<UserRequest>,
    /// Automations that are attached to it: those that its certifications run though they need to be named.
    automation_ids: Option<Vec<Uuid>>,
    /// Active identities who review rows that would have nobody else but their own person.
    fallback_reviewers: Option<Vec<UserRequest>>,
    /// Let people decide about their own access; absent = false.
    allow_self_review: Option<bool>,
}

/// An identity by its id, or by its e-mail address.
#[derive(Debug, Deserialize, ToSchema)]
pub struct UserRequest {
    /// GUID; goes before the address.
    id: Option<String>,
    /// In any case.
    email: Option<String>,
}

/// A definition, and what is wrong with applications and identities that it names.
pub type Asked = (WorkflowDefinition, Wrong);

impl WorkflowRequest {
    /// What is asked for.
    pub async fn asked<A: Access>(self, session: &Session<A>) -> Result<Asked, ApiError> {
        let mut reviewers = Vec::new();
        for (at, user) in self.reviewers.iter().flatten().enumerate() {
            reviewers.push(identity(session, &format!("reviewers[{at}]"), user).await?);
        }
        let mut fallback_reviewers = Vec::new();
        for (at, user) in self.fallback_reviewers.iter().flatten().enumerate() {
            fallback_reviewers.push(identity(session, &format!("fallback_reviewers[{at}]"), user).await?);
        }
        let owner_id = match &self.owner {
            Some(user) => Some(identity(session, "owner", user).await?),
            None => None,
        };
        let definition = WorkflowDefinition {
            name: self.name.unwrap_or_default().trim().to_owned(),
            description: self.description.unwrap_or_default(),
            notes: self.notes.unwrap_or_default(),
            application_ids: self.application_ids.unwrap_or_default(),
            filter: self.filter.unwrap_or_default(),
            reviewers,
            owner_id,
            automation_ids: self.automation_ids.unwrap_or_default(),
            fallback_reviewers,
            is_self_review_allowed: self.allow_self_review.unwrap_or_default(),
        };
        let wrong = wrong(session, &definition).await?;
        Ok((definition, wrong))
    }
}

/// The identity that is meant.
///
/// # Errors
/// 400: there is none.
pub async fn identity<A: Access>(session: &Session<A>, field: &str, user: &UserRequest) -> Result<Uuid, ApiError> {
    if let Some(id) = text(user.id.as_deref()) {
        return extract::id(&format!("{field}.id"), &id);
    }
    let Some(email) = text(user.email.as_deref()) else {
        return Err(ApiError::field(field, "An id or an email is required"));
    };
    // PostgreSQL can't hold a text with NUL.
    let is_possible = !email.contains('\0');
    let found = if is_possible { projections::identities::with_email(session.pool(), &email).await? } else { None };
    // Who left reviews nothing.
    let here = found.filter(|(_, status)| status != "Removed").map(|(id, _)| id);
    here.ok_or_else(|| ApiError::field(&format!("{field}.email"), format!("No identity has the address {email:?}")))
}

/// Who can't be named.
async fn wrong<A: Access>(session: &Session<A>, definition: &WorkflowDefinition) -> Result<Wrong, ApiError> {
    let known = projections::applications::find_all(session.pool(), &definition.application_ids).await?;
    let judge = |id: &Uuid| match known.get(id) {
        None => Some((*id, format!("Application with id {id} not found"))),
        Some(row) => row.is_archived.then(|| (*id, format!("Application {id} is archived"))),
    };
    let people: Vec<Uuid> =
        definition.reviewers.iter().chain(&definition.fallback_reviewers).copied().chain(definition.owner_id).collect();
    let people = wrong_responders(session, &people).await?;
    Ok(Wrong {
        applications: definition.application_ids.iter().filter_map(judge).collect(),
        people: people.into_iter().filter_map(|(id, wrong)| Some((id, wrong?))).collect(),
    })
}
