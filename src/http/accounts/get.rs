use axum::response::Response;

use super::body::AccountDetailBody;
use super::{TAG, load, show};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::Id;
use crate::http::session::{Reads, Session};

/// One account: whose it is and why. A removed one is shown as it was last.
#[utoipa::path(
    get, path = "/api/accounts/{id}", tag = TAG, operation_id = "getAccount", security(("token" = [])),
    params(("id" = String, Path, description = "GUID")),
    responses(
        (status = 200, body = AccountDetailBody, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "Not a GUID", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 404, description = "No such account", body = ErrorBody),
    )
)]
pub async fn get(session: Session<Reads>, Id(id): Id) -> Result<Response, ApiError> {
    let version = load(&session, id).await?.version;
    show(&session, id, version).await
}
