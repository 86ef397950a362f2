use std::collections::BTreeMap;

use axum::Json;
use chrono::{DateTime, Utc};
use projections::grants::GrantRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{TAG, find};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Id, Query};
use crate::http::page::PageBody;
use crate::http::session::{Reads, Session};

/// A grant: an account may do what an entitlement says (rulings 22).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrantBody {
    /// Who.
    pub account: GrantAccount,
    /// May do what.
    pub entitlement: GrantEntitlement,
    /// Custom attributes of the grant.
    pub attributes: BTreeMap<String, String>,
    /// When it was first seen; a change of attributes leaves it.
    pub granted_at: DateTime<Utc>,
    /// The import that first saw it.
    pub granted_by: GrantedBy,
}

/// The account of a grant.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "as in the account itself")]
pub struct GrantAccount {
    pub id: Uuid,
    pub key: String,
    pub name: Option<String>,
    pub identity_id: Option<Uuid>,
}

/// The entitlement of a grant.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "as in the entitlement itself")]
pub struct GrantEntitlement {
    pub id: Uuid,
    pub key: String,
    pub name: Option<String>,
}

/// Where a grant comes from.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrantedBy {
    /// The import.
    pub application_import_id: Uuid,
    /// Its number.
    pub number: i64,
    /// Position of the event in the log.
    pub position: i64,
}

impl From<GrantRow> for GrantBody {
    fn from(row: GrantRow) -> Self {
        Self {
            account: GrantAccount {
                id: row.account_id,
                key: row.account_key,
                name: row.account_name,
                identity_id: row.identity_id,
            },
            entitlement: GrantEntitlement {
                id: row.entitlement_id,
                key: row.entitlement_key,
                name: row.entitlement_name,
            },
            attributes: row.attributes.map(|attributes| attributes.0).unwrap_or_default(),
            granted_at: row.granted_at,
            granted_by: GrantedBy {
                application_import_id: row.granted_import_id,
                number: row.granted_import_number,
                position: row.granted_position,
            },
        }
    }
}

/// The current grants of an application, account by account.
#[utoipa::path(
    get, path = "/api/applications/{id}/grants", tag = TAG, operation_id = "listGrants", security(("token" = [])),
    params(("id" = String, Path, description = "GUID"), ("page" = Option<i64>, Query, description = "1-based")),
    responses(
        (status = 200, body = PageBody<GrantBody>),
        (status = 400, description = "A parameter breaks rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 404, description = "No such application", body = ErrorBody),
    )
)]
pub async fn list(session: Session<Reads>, Id(id): Id, query: Query) -> Result<Json<PageBody<GrantBody>>, ApiError> {
    let page = query.page()?;
    find(&session, id).await?;
    let found = projections::grants::list(session.pool(), id, page).await?;
    Ok(Json(PageBody::of(found, page, GrantBody::from)))
}
