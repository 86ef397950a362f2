//! What a certification looks like on the wire.

use aggregates::certification::Completeness;
use chrono::{DateTime, Utc};
use projections::certifications::CertificationRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::access_workflows::body::UserBody;
use crate::http::error::ApiError;
use crate::http::party::Names;
use crate::http::session::{Access, Session};

/// A certification.
#[derive(Debug, Serialize, ToSchema)]
pub struct CertificationBody {
    /// The certification.
    pub certification_id: Uuid,
    /// From which workflow.
    pub workflow_id: Uuid,
    /// The filter that its rows came by; never changes.
    pub query_used: String,
    /// Its name.
    pub name: String,
    /// What reviewers should know.
    pub notes: String,
    /// When it expires.
    pub due_date: Option<DateTime<Utc>>,
    /// Who review every row.
    pub reviewers: Vec<UserBody>,
    /// `CERT_STATE_SEARCHING`, `CERT_STATE_IN_PROGRESS`, `CERT_STATE_COMPLETED` or `CERT_STATE_EXPIRED`.
    pub state: String,
    /// Access is reviewed as it was then.
    pub snapshot_time: DateTime<Utc>,
    /// The same moment as a position in the log.
    pub snapshot_position: i64,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When all rows were recorded.
    pub query_completed_at: Option<DateTime<Utc>>,
    /// When it was completed or has expired.
    pub completed_at: Option<DateTime<Utc>>,
    /// Who made it.
    pub created_by: UserBody,
    /// Who completed it.
    pub completed_by: Option<UserBody>,
    /// Rows.
    pub total_result_count: i64,
    /// Rows that are accepted, rejected or fixed.
    pub total_complete_count: i64,
    /// Rows that are accepted.
    pub accepted_count: i64,
    /// Rows that are rejected.
    pub rejected_count: i64,
    /// Rows that are fixed.
    pub fixed_count: i64,
    /// Rows that are signed off.
    pub signed_off_count: i64,
    /// When a row changed last.
    pub results_updated_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it moved on last.
    pub updated_at: DateTime<Utc>,
    /// Automations that it ran.
    pub automation_ids: Vec<Uuid>,
    /// The certification with which its rows were compared.
    pub history_certification_id: Option<Uuid>,
    /// `rows_in_feeds` = `in_scope` + `out_of_scope_by_filter` + `uncorrelated`; null until all rows are recorded.
    pub completeness: Option<CompletenessBody>,
}

/// The account of completeness, for an auditor to reconcile.
#[derive(Debug, Serialize, ToSchema)]
pub struct CompletenessBody {
    /// Of all applications.
    #[serde(flatten)]
    pub counts: CompletenessCounts,
    /// Of each.
    pub applications: Vec<ApplicationCompletenessBody>,
}

/// Grants, counted.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct CompletenessCounts {
    /// Grants of the workflow's applications.
    pub rows_in_feeds: u64,
    /// Those that are reviewed.
    pub in_scope: u64,
    /// Those that the workflow's filter leaves out.
    pub out_of_scope_by_filter: u64,
    /// Those of accounts that nobody is known to have.
    pub uncorrelated: u64,
}

/// The account of one application.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApplicationCompletenessBody {
    /// The application.
    pub application_id: Uuid,
    /// Its name then.
    pub name: String,
    /// Its grants.
    #[serde(flatten)]
    pub counts: CompletenessCounts,
}

impl From<Completeness> for CompletenessBody {
    fn from(all: Completeness) -> Self {
        let counts = |rows_in_feeds, in_scope, out_of_scope_by_filter, uncorrelated| CompletenessCounts {
            rows_in_feeds,
            in_scope,
            out_of_scope_by_filter,
            uncorrelated,
        };
        let applications = all.applications.into_iter().map(|of| ApplicationCompletenessBody {
            application_id: of.application_id,
            name: of.name,
            counts: counts(of.rows_in_feeds, of.in_scope, of.out_of_scope_by_filter, of.uncorrelated),
        });
        Self {
            applications: applications.collect(),
            counts: counts(all.rows_in_feeds, all.in_scope, all.out_of_scope_by_filter, all.uncorrelated),
        }
    }
}

/// Certifications with the people whom they name.
pub async fn bodies<A: Access>(
    session: &Session<A>,
    rows: Vec<CertificationRow>,
) -> Result<Vec<CertificationBody>, ApiError> {
    let people = rows.iter().flat_map(|row| {
        let actors = [Some(&row.created_by_id), row.ended_by_id.as_ref()].into_iter().flatten();
        let actors = actors.filter_map(|id| Uuid::parse_str(id).ok());
        row.definition.0.reviewers.reviewers.iter().copied().chain(actors)
    });
    let names = Names::of(session, people.collect()).await?;
    Ok(rows.into_iter().map(|row| body(row, &names)).collect())
}

fn body(row: CertificationRow, names: &Names) -> CertificationBody {
    let definition = row.definition.0;
    let ended_by = row.ended_by_id.as_deref().zip(row.ended_by.as_deref());
    CertificationBody {
        certification_id: row.id,
        workflow_id: row.workflow_id,
        query_used: definition.filter,
        name: definition.name,
        notes: definition.notes,
        due_date: row.due_at,
        reviewers: definition.reviewers.reviewers.iter().map(|id| UserBody::of(*id, names)).collect(),
        state: row.state,
        snapshot_time: row.created_at,
        snapshot_position: row.created_position,
        started_at: row.created_at,
        query_completed_at: row.searched_at,
        completed_at: row.ended_at,
        created_by: UserBody::actor(&row.created_by_id, &row.created_by, names),
        completed_by: ended_by.map(|(id, name)| UserBody::actor(id, name, names)),
        total_result_count: row.total_count,
        total_complete_count: row.accepted_count + row.rejected_count + row.fixed_count,
        accepted_count: row.accepted_count,
        rejected_count: row.rejected_count,
        fixed_count: row.fixed_count,
        signed_off_count: row.signed_off_count,
        results_updated_at: row.results_updated_at,
        created_at: row.created_at,
        updated_at: row.results_updated_at.map_or(row.updated_at, |at| at.max(row.updated_at)),
        automation_ids: definition.automations.iter().map(|automation| automation.id).collect(),
        history_certification_id: definition.history_id,
        completeness: row.completeness.map(|account| account.0.into()),
    }
}
