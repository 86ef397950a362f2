use aggregates::certification_row::results_filter;
use axum::Json;
use projections::certifications::{Direction, Wanted, page};
use serde::Serialize;
use utoipa::ToSchema;

use super::result_body::{ResultBody, bodies};
use super::{TAG, found, page_token};
use crate::http::error::ApiError;
use crate::http::extract::{Id, Query};
use crate::http::session::{Reads, Session};
use crate::http::veza::VezaErrorBody;

/// Rows of a page unless said.
const SIZE: i64 = 100;
/// Rows of a page at most.
const MOST: i64 = 2000;

/// A page of rows.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResultsBody {
    /// In the order of their numbers, in whichever direction was read.
    pub values: Vec<ResultBody>,
    /// There are more in the direction of reading.
    pub has_more: bool,
    /// Leads on in the direction of reading; empty = there are no more.
    pub next_page_token: String,
    /// Rows of the certification, whatever the filter.
    pub total_result_count: i64,
}

/// The rows of a certification, in the order of their numbers, that a filter means: over source, destination, grant, decision, notes,
/// `signed_off_state` and previous.
#[utoipa::path(
    get, path = "/api/preview/awf/certifications/{id}/results", tag = TAG, operation_id = "listResults",
    security(("token" = [])),
    params(
        ("id" = String, Path, description = "GUID"),
        ("filter" = Option<String>, Query, description = "Absent = all"),
        ("page_size" = Option<i64>, Query, description = "1 to 2000; 100 when absent"),
        ("page_token" = Option<String>, Query, description = "next_page_token of the page before; the filter must be the same"),
        ("paginate_direction_backwards" = Option<bool>, Query, description = "true: from the end"),
    ),
    responses(
        (status = 200, body = ResultsBody),
        (status = 400, description = "A filter, size or token that isn't right", body = VezaErrorBody),
        (status = 401, description = "No valid token", body = VezaErrorBody),
        (status = 404, description = "No such certification", body = VezaErrorBody),
    )
)]
pub async fn results(session: Session<Reads>, Id(id): Id, query: Query) -> Result<Json<ResultsBody>, ApiError> {
    let size = query.number("page_size", 1, MOST)?.unwrap_or(SIZE) as usize;
    let is_backwards = query.boolean("paginate_direction_backwards")?.unwrap_or_default();
    let text = query.text("filter").unwrap_or_default();
    let filter = results_filter(text).map_err(|error| ApiError::field("filter", error.to_string()))?;
    let from = query.text("page_token").map(|token| page_token::read(id, text, token)).transpose()?;
    let certification = found(&session, id).await?;
    let wanted = Wanted { filter, ..Wanted::default() };
    let direction = if is_backwards { Direction::Before(from) } else { Direction::After(from) };
    let (rows, has_more) = page(session.pool(), &certification, &wanted, direction, size).await?;
    let end = if is_backwards { rows.first() } else { rows.last() };
    let next = end.filter(|_| has_more).map(|row| page_token::of(id, text, row.result_id as u32));
    Ok(Json(ResultsBody {
        values: bodies(&session, rows).await?,
        has_more,
        next_page_token: next.unwrap_or_default(),
        total_result_count: certification.total_count,
    }))
}
