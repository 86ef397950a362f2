use axum::Json;

use super::TAG;
use super::body::IdentityBody;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::Query;
use crate::http::page::PageBody;
use crate::http::session::{Reads, Session};

/// All identities, by last name and first name.
#[utoipa::path(
    get, path = "/api/identities", tag = TAG, operation_id = "listIdentities", security(("token" = [])),
    params(("page" = Option<i64>, Query, description = "1-based")),
    responses(
        (status = 200, body = PageBody<IdentityBody>),
        (status = 400, description = "page is no number of at least 1", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
    )
)]
pub async fn list(session: Session<Reads>, query: Query) -> Result<Json<PageBody<IdentityBody>>, ApiError> {
    let page = query.page()?;
    let found = projections::identities::list(session.pool(), page).await?;
    Ok(Json(PageBody::of(found, page, IdentityBody::from)))
}
