use std::collections::BTreeMap;

use axum::Json;
use chrono::{DateTime, Utc};
use projections::entitlements::EntitlementRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{TAG, find};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Id, Query};
use crate::http::page::PageBody;
use crate::http::session::{Reads, Session};

/// An entitlement.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EntitlementBody {
    /// The entitlement.
    pub id: Uuid,
    /// Always `Entitlement`.
    pub kind: &'static str,
    /// Native key.
    pub key: String,
    /// Name in the feed.
    pub name: Option<String>,
    /// Type in the feed.
    pub r#type: Option<String>,
    /// Description in the feed.
    pub description: Option<String>,
    /// Owner in the feed.
    pub owner: Option<String>,
    /// Does it give special power? null = the feed doesn't say.
    pub is_privileged: Option<bool>,
    /// Custom attributes.
    pub attributes: BTreeMap<String, String>,
    /// When a feed first named it.
    pub first_seen_date: DateTime<Utc>,
}

impl From<EntitlementRow> for EntitlementBody {
    fn from(row: EntitlementRow) -> Self {
        Self {
            id: row.id,
            kind: "Entitlement",
            key: row.key,
            name: row.name,
            r#type: row.r#type,
            description: row.description,
            owner: row.owner,
            is_privileged: row.is_privileged,
            attributes: row.attributes.0,
            first_seen_date: row.first_seen_at,
        }
    }
}

/// The current entitlements of an application, by key.
#[utoipa::path(
    get, path = "/api/applications/{id}/entitlements", tag = TAG, operation_id = "listEntitlements", security(("token" = [])),
    params(("id" = String, Path, description = "GUID"), ("page" = Option<i64>, Query, description = "1-based")),
    responses(
        (status = 200, body = PageBody<EntitlementBody>),
        (status = 400, description = "A parameter breaks rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 404, description = "No such application", body = ErrorBody),
    )
)]
pub async fn list(
    session: Session<Reads>,
    Id(id): Id,
    query: Query,
) -> Result<Json<PageBody<EntitlementBody>>, ApiError> {
    let page = query.page()?;
    find(&session, id).await?;
    let found = projections::entitlements::list(session.pool(), id, page).await?;
    Ok(Json(PageBody::of(found, page, EntitlementBody::from)))
}
