use axum::Json;

use super::TAG;
use super::body::ApplicationBody;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::Query;
use crate::http::page::PageBody;
use crate::http::session::{Reads, Session};

/// All applications, by name.
#[utoipa::path(
    get, path = "/api/applications", tag = TAG, operation_id = "listApplications", security(("token" = [])),
    params(("page" = Option<i64>, Query, description = "1-based")),
    responses(
        (status = 200, body = PageBody<ApplicationBody>),
        (status = 400, description = "page is no number of at least 1", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
    )
)]
pub async fn list(session: Session<Reads>, query: Query) -> Result<Json<PageBody<ApplicationBody>>, ApiError> {
    let page = query.page()?;
    let found = projections::applications::list(session.pool(), page).await?;
    Ok(Json(PageBody::of(found, page, ApplicationBody::from)))
}
