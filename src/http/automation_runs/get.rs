use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::TAG;
use super::body::{LogBody, RunBody, body, log};
use crate::http::certifications::page_token;
use crate::http::error::ApiError;
use crate::http::extract::{Id, Query};
use crate::http::session::{Audits, Session};
use crate::http::veza::VezaErrorBody;

/// Blocks of 500 rows on a page of the log.
const BLOCKS: usize = 2;

/// A run with a page of its log.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunWithLogBody {
    /// The run.
    pub value: RunBody,
    /// What it did to the rows that it meant, in the order of their numbers.
    pub log: Vec<LogBody>,
    /// There is more of the log.
    pub has_more: bool,
    /// Leads on; empty = there is no more.
    pub next_page_token: String,
}

/// A run, with what it did to each row that it meant.
#[utoipa::path(
    get, path = "/api/preview/awf/automation_runs/{id}", tag = TAG, operation_id = "getAutomationRun", security(("token" = [])),
    params(
        ("id" = String, Path, description = "GUID"),
        ("page_token" = Option<String>, Query, description = "next_page_token of the page before"),
    ),
    responses(
        (status = 200, body = RunWithLogBody),
        (status = 400, description = "Not a GUID, or a token that this run didn't give", body = VezaErrorBody),
        (status = 401, description = "No valid token", body = VezaErrorBody),
        (status = 403, description = "Not an auditor's token", body = VezaErrorBody),
        (status = 404, description = "No such run", body = VezaErrorBody),
    )
)]
pub async fn get(session: Session<Audits>, Id(id): Id, query: Query) -> Result<Json<RunWithLogBody>, ApiError> {
    let from = query.text("page_token").map(|token| page_token::read(id, "", token)).transpose()?.unwrap_or(0);
    let row = projections::automation_runs::find(session.pool(), id).await?;
    let row = row.ok_or_else(|| ApiError::not_found("Automation run", id))?;
    let plan = row.plan.0.clone();
    let mut blocks = projections::automation_runs::log(session.pool(), id, from as i32, BLOCKS as i64 + 1).await?;
    let next = blocks.get(BLOCKS).map(|block| page_token::of(id, "", block.block as u32));
    blocks.truncate(BLOCKS);
    Ok(Json(RunWithLogBody {
        value: body(&session, row).await?,
        log: blocks.iter().flat_map(|block| &block.log.0).map(|entry| log(entry, &plan)).collect(),
        has_more: next.is_some(),
        next_page_token: next.unwrap_or_default(),
    }))
}
