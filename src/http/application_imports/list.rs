use axum::Json;

use super::TAG;
use super::body::ImportItem;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::Query;
use crate::http::page::PageBody;
use crate::http::session::{Reads, Session};

/// All imports, the latest start first.
#[utoipa::path(
    get, path = "/api/application-imports", tag = TAG, operation_id = "listApplicationImports", security(("token" = [])),
    params(
        ("page" = Option<i64>, Query, description = "1-based"),
        ("applicationId" = Option<String>, Query, description = "Only this application's"),
    ),
    responses(
        (status = 200, body = PageBody<ImportItem>),
        (status = 400, description = "A parameter breaks rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
    )
)]
pub async fn list(session: Session<Reads>, query: Query) -> Result<Json<PageBody<ImportItem>>, ApiError> {
    let (page, application) = (query.page()?, query.id("applicationId")?);
    let found = projections::application_imports::list(session.pool(), application, page).await?;
    Ok(Json(PageBody::of(found, page, ImportItem::from)))
}
