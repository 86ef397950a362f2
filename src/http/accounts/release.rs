use aggregates::account::{AccountCommand, Correlation};
use axum::http::HeaderMap;
use axum::response::Response;
use uuid::Uuid;

use super::body::AccountDetailBody;
use super::{TAG, change, load};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::etag::if_match;
use crate::http::extract::Id;
use crate::http::session::{Operates, Session};
use crate::imports::Fault;
use crate::imports::correlator::Correlator;
use crate::imports::rules::Rules;

/// Takes a link by hand away: the application's rules say at once whose the account is, if anybody's.
#[utoipa::path(
    delete, path = "/api/accounts/{id}/identity", tag = TAG, operation_id = "releaseAccount", security(("token" = [])),
    params(
        ("id" = String, Path, description = "GUID"),
        ("If-Match" = Option<String>, Header, description = "The ETag that it must still have"),
    ),
    responses(
        (status = 200, body = AccountDetailBody, headers(("ETag" = String, description = "Its version"))),
        (status = 400, description = "Not a GUID", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not an operator's token", body = ErrorBody),
        (status = 404, description = "No such account", body = ErrorBody),
        (status = 409, description = "Nobody linked it by hand, or it was removed", body = ErrorBody),
        (status = 412, description = "If-Match doesn't match", body = ErrorBody),
        (status = 422, description = "The application's correlation names a rule that isn't there or can't be executed", body = ErrorBody),
    )
)]
pub async fn release(session: Session<Operates>, Id(id): Id, headers: HeaderMap) -> Result<Response, ApiError> {
    let demanded = if_match(&headers)?;
    let loaded = load(&session, id).await?;
    let found = find(&session, id).await?;
    change(&session, loaded, id, AccountCommand::Release { found }, demanded).await
}

/// Whose the account is by its application's rules, as an import of the same record would find now.
async fn find(session: &Session<Operates>, id: Uuid) -> Result<Option<Correlation>, ApiError> {
    let pool = session.pool();
    let Some(account) = projections::accounts::find(pool, id).await? else { return Ok(None) };
    let Some(application) = projections::applications::find(pool, account.application_id).await? else {
        return Ok(None);
    };
    let rules = application.correlation.0;
    let named = Rules::load(pool, &[], &rules).await?.of_correlation(&rules).map_err(unusable)?;
    let mut correlator = Correlator::new(rules, named);
    let candidates = projections::identities::candidates(pool, correlator.needs_whole()).await?;
    for candidate in candidates {
        correlator.add(candidate);
    }
    let key = account.key.clone();
    Ok(correlator.find(&key, &account.record()))
}

/// A rule that can't be used decides nothing, here as in an import.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn unusable(fault: Fault) -> ApiError {
    ApiError::unprocessable(fault.to_string())
}
