use std::collections::BTreeMap;

use axum::Json;
use chrono::{DateTime, Utc};
use projections::accounts::AccountRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{TAG, find};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Id, Query};
use crate::http::page::PageBody;
use crate::http::session::{Reads, Session};

/// An account.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountBody {
    /// The account.
    pub id: Uuid,
    /// Always `Account`.
    pub kind: &'static str,
    /// Native key.
    pub key: String,
    /// Name in the feed.
    pub name: Option<String>,
    /// E-mail address in the feed.
    pub email: Option<String>,
    /// Employee number in the feed.
    pub employee_id: Option<String>,
    /// Can it be used? null = the feed doesn't say.
    pub is_active: Option<bool>,
    /// Last log-in, as the feed says.
    pub last_login_at: Option<DateTime<Utc>>,
    /// Type in the feed.
    pub r#type: Option<String>,
    /// Custom attributes.
    pub attributes: BTreeMap<String, String>,
    /// The identity it belongs to; null = uncorrelated.
    pub identity_id: Option<Uuid>,
    /// Why: account field = identity field.
    pub correlated_by: Option<String>,
    /// When a feed first named it.
    pub first_seen_date: DateTime<Utc>,
}

impl From<AccountRow> for AccountBody {
    fn from(row: AccountRow) -> Self {
        Self {
            id: row.id,
            kind: "Account",
            key: row.key,
            name: row.name,
            email: row.email,
            employee_id: row.employee_id,
            is_active: row.is_active,
            last_login_at: row.last_login_at,
            r#type: row.r#type,
            attributes: row.attributes.0,
            identity_id: row.identity_id,
            correlated_by: row.correlated_by,
            first_seen_date: row.first_seen_at,
        }
    }
}

/// The current accounts of an application, by key.
#[utoipa::path(
    get, path = "/api/applications/{id}/accounts", tag = TAG, operation_id = "listAccounts", security(("token" = [])),
    params(
        ("id" = String, Path, description = "GUID"),
        ("page" = Option<i64>, Query, description = "1-based"),
        ("correlated" = Option<bool>, Query, description = "Only those with (true) or without (false) an identity"),
    ),
    responses(
        (status = 200, body = PageBody<AccountBody>),
        (status = 400, description = "A parameter breaks rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 404, description = "No such application", body = ErrorBody),
    )
)]
pub async fn list(session: Session<Reads>, Id(id): Id, query: Query) -> Result<Json<PageBody<AccountBody>>, ApiError> {
    let (page, correlated) = (query.page()?, query.boolean("correlated")?);
    find(&session, id).await?;
    let found = projections::accounts::list(session.pool(), id, correlated, page).await?;
    Ok(Json(PageBody::of(found, page, AccountBody::from)))
}
