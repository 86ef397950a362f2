use std::collections::BTreeMap;

use aggregates::certification::Assignment;
use aggregates::values;
use axum::Json as Body;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{TAG, location};
use crate::http::access_workflows::body::{UserRequest, identity};
use crate::http::error::ApiError;
use crate::http::extract::{self, Json};
use crate::http::party::{text, wrong_responders};
use crate::http::session::{Operates, Session};
use crate::http::veza::{VezaErrorBody, review_refused};
use crate::reviews::{self, NewCertification};

/// A certification to be made. Fields that aren't listed are ignored.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CertificationRequest {
    /// The workflow.
    workflow_id: Option<String>,
    /// 0 = access as it is; anything else is refused for now.
    data_source: Option<i64>,
    /// At most 256 characters; absent = the workflow's name and the day.
    name: Option<String>,
    /// At most 4,000 characters; absent = the workflow's.
    notes: Option<String>,
    /// A date or a time to come: then it expires.
    due_date: Option<String>,
    /// Who reviews; absent = as the workflow says.
    reviewer_assignment: Option<AssignmentRequest>,
    /// Attached automations, and built-in ones, to be run though they need to be named.
    automation_ids: Option<Vec<Uuid>>,
}

/// Who reviews.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct AssignmentRequest {
    /// The supervisor of the row's person.
    users_manager: Option<bool>,
    /// Whoever owns the entitlement (its owner's e-mail address), else the application's responders.
    resource_managers: Option<bool>,
    /// Active identities, for every row.
    reviewers: Option<Vec<UserRequest>>,
    /// Active identities, for rows that would have nobody else but their own person.
    fallback_reviewers: Option<Vec<UserRequest>>,
}

/// A new certification.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewCertificationBody {
    /// Its id.
    pub certification_id: Uuid,
}

/// Makes a certification of a workflow. Its rows, access as it is at this moment, are then recorded (`CERT_STATE_SEARCHING`), and its
/// automations run.
#[utoipa::path(
    post, path = "/api/preview/awf/certifications", tag = TAG, operation_id = "createCertification",
    security(("token" = [])),
    request_body = CertificationRequest,
    responses(
        (status = 200, body = NewCertificationBody),
        (status = 400, description = "Fields break rules", body = VezaErrorBody),
        (status = 401, description = "No valid token", body = VezaErrorBody),
        (status = 403, description = "Not an operator's token", body = VezaErrorBody),
        (status = 404, description = "No such workflow", body = VezaErrorBody),
        (status = 415, description = "Not application/json", body = VezaErrorBody),
    )
)]
pub async fn create(
    session: Session<Operates>,
    Json(request): Json<CertificationRequest>,
) -> Result<Body<NewCertificationBody>, ApiError> {
    let asked = asked(&session, request).await?;
    let created = reviews::create(&session.app, &asked, |id| session.context(location(id))).await;
    let certification_id = created.map_err(|error| review_refused(error, false))?;
    Ok(Body(NewCertificationBody { certification_id }))
}

async fn asked(session: &Session<Operates>, request: CertificationRequest) -> Result<NewCertification, ApiError> {
    let Some(workflow) = text(request.workflow_id.as_deref()) else {
        return Err(ApiError::field("workflow_id", "workflow_id is required"));
    };
    if let Some(source) = request.data_source.filter(|source| *source != 0) {
        let message = format!("{source} is not supported; allowed is 0, access as it is");
        return Err(ApiError::field("data_source", message));
    }
    let due_at = match text(request.due_date.as_deref()) {
        Some(due) => Some(
            values::time(&due)
                .ok_or_else(|| ApiError::field("due_date", format!("{due:?} is not {}", values::TIME_ALLOWED)))?,
        ),
        None => None,
    };
    let mut wrong_people = BTreeMap::new();
    let reviewers = match request.reviewer_assignment {
        Some(assignment) => {
            let assignment = assigned(session, assignment).await?;
            let people: Vec<Uuid> =
                assignment.reviewers.iter().chain(&assignment.fallback_reviewers).copied().collect();
            let wrong = wrong_responders(session, &people).await?;
            wrong_people.extend(wrong.into_iter().filter_map(|(id, wrong)| Some((id, wrong?))));
            Some(assignment)
        }
        None => None,
    };
    Ok(NewCertification {
        workflow_id: extract::id("workflow_id", &workflow)?,
        name: text(request.name.as_deref()),
        notes: request.notes,
        reviewers,
        due_at,
        automation_ids: request.automation_ids.unwrap_or_default(),
        wrong_people,
    })
}

async fn assigned(session: &Session<Operates>, request: AssignmentRequest) -> Result<Assignment, ApiError> {
    let mut lists = [Vec::new(), Vec::new()];
    let asked = [("reviewers", request.reviewers), ("fallback_reviewers", request.fallback_reviewers)];
    for (list, (field, users)) in lists.iter_mut().zip(asked) {
        for (at, user) in users.iter().flatten().enumerate() {
            list.push(identity(session, &format!("reviewer_assignment.{field}[{at}]"), user).await?);
        }
    }
    let [reviewers, fallback_reviewers] = lists;
    Ok(Assignment {
        reviewers,
        users_manager: request.users_manager.unwrap_or_default(),
        resource_managers: request.resource_managers.unwrap_or_default(),
        fallback_reviewers,
    })
}
