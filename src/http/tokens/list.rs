use axum::Json;
use projections::page::{Page, SIZE};

use super::TAG;
use super::body::TokenBody;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::Query;
use crate::http::page::PageBody;
use crate::http::session::{Audits, Session};

/// All tokens, the newest first, revoked ones included.
#[utoipa::path(
    get, path = "/api/tokens", tag = TAG, operation_id = "listTokens", security(("token" = [])),
    params(("page" = Option<i64>, Query, description = "1-based")),
    responses(
        (status = 200, body = PageBody<TokenBody>),
        (status = 400, description = "page is no number of at least 1", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an auditor's token", body = ErrorBody),
    )
)]
pub async fn list(session: Session<Audits>, query: Query) -> Result<Json<PageBody<TokenBody>>, ApiError> {
    let page = query.page()?;
    let used = crate::work::token_usage::all(session.pool()).await?;
    let tokens = projections::api_tokens::list(session.pool()).await?;
    let total = tokens.len() as i64;
    let skipped = usize::try_from((page - 1).saturating_mul(SIZE)).unwrap_or(usize::MAX);
    let items = tokens.into_iter().skip(skipped).take(SIZE as usize).collect();
    Ok(Json(PageBody::of(Page { items, total }, page, |row| {
        let last_used = used.get(&row.id).copied();
        TokenBody::of(row, last_used)
    })))
}
