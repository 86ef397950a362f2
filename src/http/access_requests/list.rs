use aggregates::access_request::Action;
use aggregates::personnel_event::Status;
use axum::Json;
use projections::access_requests::Wanted;

use super::TAG;
use super::body::{AccessRequestItem, named};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::Query;
use crate::http::page::PageBody;
use crate::http::party::word;
use crate::http::session::{Reads, Session};

/// Access requests, the newest first.
#[utoipa::path(
    get, path = "/api/access-requests", tag = TAG, operation_id = "listAccessRequests", security(("token" = [])),
    params(
        ("page" = Option<i64>, Query, description = "1-based"),
        ("identityId" = Option<String>, Query, description = "Only about this identity's access"),
        ("applicationId" = Option<String>, Query, description = "Only in this application"),
        ("type" = Option<String>, Query, description = "Add, Change, Remove, Suspend or Restore, in any case"),
        ("status" = Option<String>, Query, description = "Pending, Open, Resolved, Completed, Canceled, Scheduled or Snoozed, in any case"),
    ),
    responses(
        (status = 200, body = PageBody<AccessRequestItem>),
        (status = 400, description = "A parameter breaks rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
    )
)]
pub async fn list(session: Session<Reads>, query: Query) -> Result<Json<PageBody<AccessRequestItem>>, ApiError> {
    let page = query.page()?;
    let wanted = Wanted {
        identity_id: query.id("identityId")?,
        application_id: query.id("applicationId")?,
        action: word("type", query.text("type"), &Action::ALL, Action::as_str)?.map(Action::as_str),
        status: word("status", query.text("status"), &Status::ALL, Status::as_str)?.map(Status::as_str),
    };
    let found = projections::access_requests::list(session.pool(), &wanted, page).await?;
    let (names, applications) = named(&session, &found.items).await?;
    Ok(Json(PageBody::of(found, page, |row| AccessRequestItem::of(&row, &names, &applications))))
}
