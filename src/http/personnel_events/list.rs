use aggregates::personnel_event::{PersonnelEventType, Status};
use axum::Json;
use projections::personnel_events::Wanted;

use super::TAG;
use super::body::{PersonnelEventItem, names};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::Query;
use crate::http::page::PageBody;
use crate::http::party::word;
use crate::http::session::{Reads, Session};

/// Personnel events, the latest effective date first.
#[utoipa::path(
    get, path = "/api/personnel-events", tag = TAG, operation_id = "listPersonnelEvents", security(("token" = [])),
    params(
        ("page" = Option<i64>, Query, description = "1-based"),
        ("identityId" = Option<String>, Query, description = "Only about this identity"),
        ("type" = Option<String>, Query, description = "Onboard, Offboard, RoleTransition or Absence, in any case"),
        ("status" = Option<String>, Query, description = "Pending, Open, Resolved, Completed, Canceled, Scheduled or Snoozed, in any case"),
    ),
    responses(
        (status = 200, body = PageBody<PersonnelEventItem>),
        (status = 400, description = "A parameter breaks rules", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
    )
)]
pub async fn list(session: Session<Reads>, query: Query) -> Result<Json<PageBody<PersonnelEventItem>>, ApiError> {
    let page = query.page()?;
    let wanted = Wanted {
        identity_id: query.id("identityId")?,
        r#type: word("type", query.text("type"), &PersonnelEventType::ALL, PersonnelEventType::as_str)?
            .map(PersonnelEventType::as_str),
        status: word("status", query.text("status"), &Status::ALL, Status::as_str)?.map(Status::as_str),
    };
    let found = projections::personnel_events::list(session.pool(), &wanted, page).await?;
    let names = names(&session, &found.items).await?;
    Ok(Json(PageBody::of(found, page, |row| PersonnelEventItem::of(&row, &names))))
}
