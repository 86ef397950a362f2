use axum::Json;

use super::{TAG, find};
use crate::http::accounts::body::AccountBody;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Id, Query};
use crate::http::page::PageBody;
use crate::http::session::{Reads, Session};

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
