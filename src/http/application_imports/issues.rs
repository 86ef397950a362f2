use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{TAG, find};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Id, Query};
use crate::http::page::PageBody;
use crate::http::session::{Reads, Session};
use crate::work::issues::Issue;

/// Something that was wrong with a row (rulings 21).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IssueBody {
    /// The file's group.
    pub file_group_id: Uuid,
    /// The file's name.
    pub file: String,
    /// The header is row 1.
    pub row: i64,
    /// null = the whole row.
    pub column: Option<String>,
    /// What was found, shortened.
    pub value: Option<String>,
    /// For programs.
    #[schema(example = "not_a_date")]
    pub code: String,
    /// For people.
    pub message: String,
    /// What would have been right.
    pub allowed: Option<String>,
}

impl From<Issue> for IssueBody {
    fn from(issue: Issue) -> Self {
        Self {
            file_group_id: issue.file_group_id,
            file: issue.file,
            row: issue.row,
            column: issue.column_name,
            value: issue.value,
            code: issue.code,
            message: issue.message,
            allowed: issue.allowed,
        }
    }
}

/// What was wrong with rows of an import.
#[utoipa::path(
    get, path = "/api/application-imports/{id}/issues", tag = TAG, operation_id = "listImportIssues", security(("token" = [])),
    params(("id" = String, Path, description = "GUID"), ("page" = Option<i64>, Query, description = "1-based")),
    responses(
        (status = 200, body = PageBody<IssueBody>),
        (status = 400, description = "A parameter breaks rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 404, description = "No such import", body = ErrorBody),
    )
)]
pub async fn list(session: Session<Reads>, Id(id): Id, query: Query) -> Result<Json<PageBody<IssueBody>>, ApiError> {
    let page = query.page()?;
    find(&session, id).await?;
    let found = crate::work::issues::list(session.pool(), id, page).await?;
    Ok(Json(PageBody::of(found, page, IssueBody::from)))
}
