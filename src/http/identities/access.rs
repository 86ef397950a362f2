use std::collections::BTreeMap;

use axum::Json;
use projections::page::{Page, SIZE};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::TAG;
use crate::http::accounts::body::AccountBody;
use crate::http::applications::body::{ApplicationBody, ApplicationSummary};
use crate::http::applications::grants::GrantBody;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Id, Query};
use crate::http::page::PageBody;
use crate::http::session::{Reads, Session};

/// An account of a person and what it may do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessBody {
    /// Where (rulings 11).
    pub application: ApplicationSummary,
    /// As whom.
    pub account: AccountBody,
    /// What.
    pub grants: Vec<GrantBody>,
}

/// What a person may do in every application, account by account.
#[utoipa::path(
    get, path = "/api/identities/{id}/access", tag = TAG, operation_id = "getIdentityAccess", security(("token" = [])),
    params(("id" = String, Path, description = "GUID"), ("page" = Option<i64>, Query, description = "1-based")),
    responses(
        (status = 200, body = PageBody<AccessBody>),
        (status = 400, description = "A parameter breaks rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 404, description = "No such identity", body = ErrorBody),
    )
)]
pub async fn access(session: Session<Reads>, Id(id): Id, query: Query) -> Result<Json<PageBody<AccessBody>>, ApiError> {
    let page = query.page()?;
    let pool = session.pool();
    if projections::identities::find(pool, id).await?.is_none() {
        return Err(ApiError::not_found("Identity", id));
    }
    let accounts = projections::accounts::of_identity(pool, id).await?;
    let total = accounts.len() as i64;
    let skipped = usize::try_from((page - 1).saturating_mul(SIZE)).unwrap_or(usize::MAX);
    let accounts: Vec<_> = accounts.into_iter().skip(skipped).take(SIZE as usize).collect();
    let keys: Vec<(Uuid, Uuid)> = accounts.iter().map(|account| (account.application_id, account.id)).collect();
    let mut grants: BTreeMap<Uuid, Vec<GrantBody>> = BTreeMap::new();
    for grant in projections::grants::of_accounts(pool, &keys).await? {
        grants.entry(grant.account_id).or_default().push(grant.into());
    }
    let mut applications: BTreeMap<Uuid, ApplicationSummary> = BTreeMap::new();
    for (application, _) in keys {
        if !applications.contains_key(&application)
            && let Some(row) = projections::applications::find(pool, application).await?
        {
            applications.insert(application, ApplicationBody::from(row).summary);
        }
    }
    let items = accounts
        .into_iter()
        .filter_map(|account| {
            let application = applications.get(&account.application_id)?.clone();
            let grants = grants.remove(&account.id).unwrap_or_default();
            Some(AccessBody { application, account: account.into(), grants })
        })
        .collect();
    Ok(Json(PageBody::of(Page { items, total }, page, |item| item)))
}
