use axum::Json;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{TAG, find};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Id, Query};
use crate::http::page::PageBody;
use crate::http::session::{Reads, Session};
use crate::imports::changes::{self, Change};

/// A change that an import made, or would make (rulings 20).
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeBody {
    /// Identity, Account, Entitlement or Grant.
    #[schema(example = "Grant")]
    pub kind: &'static str,
    /// Added, Changed or Removed; of an account also Correlated and Uncorrelated.
    #[schema(example = "Removed")]
    pub action: &'static str,
    /// Native key; of a grant `{account, entitlement}`.
    pub key: Value,
    /// What was known; null = it wasn't there.
    pub before: Value,
    /// What is known from then on; null = it is gone.
    pub after: Value,
}

impl From<Change> for ChangeBody {
    fn from(change: Change) -> Self {
        let Change { kind, action, key, before, after } = change;
        Self { kind, action, key, before, after }
    }
}

/// What an import changed, in the order of the log; of a preview and of one held back, what it would change.
#[utoipa::path(
    get, path = "/api/application-imports/{id}/changes", tag = TAG, operation_id = "listImportChanges", security(("token" = [])),
    params(("id" = String, Path, description = "GUID"), ("page" = Option<i64>, Query, description = "1-based")),
    responses(
        (status = 200, body = PageBody<ChangeBody>),
        (status = 400, description = "A parameter breaks rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 404, description = "No such import", body = ErrorBody),
    )
)]
pub async fn list(session: Session<Reads>, Id(id): Id, query: Query) -> Result<Json<PageBody<ChangeBody>>, ApiError> {
    let page = query.page()?;
    let import = find(&session, id).await?;
    let found = changes::page(&session.app, &import, page).await.map_err(|failure| match failure {
        changes::Failure::Database(error) => error.into(),
        other @ changes::Failure::Unreadable(_) => ApiError::internal(&other),
    })?;
    Ok(Json(PageBody::of(found, page, ChangeBody::from)))
}
