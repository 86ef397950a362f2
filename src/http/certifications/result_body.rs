//! What a row of a certification looks like on the wire (contracts §3.4).

use aggregates::certification_row::{Decision, SignedOffState};
use chrono::{DateTime, Utc};
use projections::certifications::ResultRow;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::action_log::{self, ActionLogBody};
use crate::http::access_workflows::body::UserBody;
use crate::http::error::ApiError;
use crate::http::party::Names;
use crate::http::session::{Access, Session};

/// A row: a grant and what is decided about it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResultBody {
    /// 0, 1, 2, ... in its certification.
    pub result_id: i32,
    /// The account with its person, as they were.
    #[schema(value_type = Object)]
    pub source: Value,
    /// The entitlement, as it was.
    #[schema(value_type = Object)]
    pub destination: Value,
    /// What lies between.
    pub grant: GrantBody,
    /// Always empty: entitlements are permissions themselves.
    pub abstract_permissions: Vec<String>,
    /// Always empty.
    pub concrete_permissions: Vec<String>,
    /// `RESULT_DECISION_NONE`, `_ACCEPTED`, `_REJECTED` or `_FIXED`.
    pub decision: String,
    /// The last remark.
    pub notes: String,
    /// When it was recorded or changed last.
    pub updated_at: DateTime<Utc>,
    /// By whom.
    pub updated_by: Option<UserBody>,
    /// Who review it.
    pub reviewers: Vec<UserBody>,
    /// `NOT_SIGNED_OFF` or `SIGNED_OFF`.
    pub signed_off_state: &'static str,
    /// When.
    pub signed_off_at: Option<DateTime<Utc>>,
    /// By whom.
    pub signed_off_by: Option<UserBody>,
    /// `UNKNOWN`, `PENDING`, `SUCCEED` or `FAILED`.
    pub notification_status: String,
    /// Always empty.
    pub notification_infos: Vec<String>,
    /// The same row in the certification before.
    pub previous_result_id: Option<i32>,
    /// Nothing about it but times has changed since.
    pub is_unchanged: bool,
    /// The access request that its rejection opened.
    pub access_request_id: Option<Uuid>,
    /// The run that decided last.
    pub automation_run_id: Option<Uuid>,
    /// What happened to it, the oldest first: the log itself.
    pub action_log: ActionLogBody,
}

/// A grant.
#[derive(Debug, Serialize, ToSchema)]
pub struct GrantBody {
    /// When it was first seen.
    pub granted_at: DateTime<Utc>,
    /// Custom attributes.
    #[schema(value_type = Object)]
    pub attributes: Value,
}

/// Rows with the people whom they name and what happened to them.
pub async fn bodies<A: Access>(session: &Session<A>, rows: Vec<ResultRow>) -> Result<Vec<ResultBody>, ApiError> {
    let mut logs = action_log::read(session, &rows).await?;
    let people = rows.iter().flat_map(|row| {
        let actors = [row.updated_by_id.as_ref(), row.signed_off_by_id.as_ref()].into_iter().flatten();
        let actors = actors.filter_map(|id| Uuid::parse_str(id).ok());
        row.reviewers.iter().copied().chain(actors)
    });
    let people = people.chain(logs.values().flatten().flat_map(action_log::people));
    let names = Names::of(session, people.collect()).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let log = logs.remove(&row.result_id).unwrap_or_default();
            body(row, &names, ActionLogBody { entries: action_log::entries(&log, &names) })
        })
        .collect())
}

fn body(row: ResultRow, names: &Names, action_log: ActionLogBody) -> ResultBody {
    let user =
        |id: Option<&String>, name: Option<&String>| id.zip(name).map(|(id, name)| UserBody::actor(id, name, names));
    let state = if row.is_signed_off { SignedOffState::SignedOff } else { SignedOffState::NotSignedOff };
    ResultBody {
        result_id: row.result_id,
        grant: GrantBody {
            granted_at: row.granted_at,
            attributes: row.attributes.unwrap_or_else(|| Value::Object(serde_json::Map::new())),
        },
        abstract_permissions: Vec::new(),
        concrete_permissions: Vec::new(),
        decision: Decision::read(&row.decision).unwrap_or_default().long(),
        updated_by: user(row.updated_by_id.as_ref(), row.updated_by.as_ref()),
        signed_off_by: user(row.signed_off_by_id.as_ref(), row.signed_off_by.as_ref()),
        reviewers: row.reviewers.iter().map(|id| UserBody::of(*id, names)).collect(),
        source: row.source,
        destination: row.destination,
        notes: row.notes,
        updated_at: row.updated_at,
        signed_off_state: state.as_str(),
        signed_off_at: row.signed_off_at,
        notification_status: row.notification_status,
        notification_infos: Vec::new(),
        previous_result_id: row.previous_result_id,
        is_unchanged: row.is_unchanged,
        access_request_id: row.access_request_id,
        automation_run_id: row.run_id,
        action_log,
    }
}
