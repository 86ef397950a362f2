//! Accounts: log-ins of applications, whose they are and why (rulings 11). Their lists are the applications'.

pub mod assign;
pub mod body;
pub mod get;
pub mod release;

use aggregates::Refusal;
use aggregates::account::{Account, AccountCommand};
use axum::response::Response;
use uuid::Uuid;

use super::error::ApiError;
use super::etag;
use super::session::{Access, Operates, Session};
use crate::http::applications::body::ApplicationBody;
use crate::journal::{CommandError, Loaded};
use body::AccountDetailBody;

/// The tag of the operations.
pub const TAG: &str = "Accounts";

async fn load<A: Access>(session: &Session<A>, id: Uuid) -> Result<Loaded<Account>, ApiError> {
    let loaded = session.journal().load::<Account>(id).await?;
    if loaded.version == 0 {
        return Err(ApiError::not_found("Account", id));
    }
    Ok(loaded)
}

/// Carries out a command on an account; shows it as it is then.
async fn change(
    session: &Session<Operates>,
    loaded: Loaded<Account>,
    id: Uuid,
    command: AccountCommand,
    demanded: Option<i64>,
) -> Result<Response, ApiError> {
    let context = session.context(format!("/api/accounts/{id}"));
    let executed =
        session.journal().execute_on(loaded, command, demanded, context).await.map_err(|error| match error {
            CommandError::Refused(Refusal::NotFound(_)) => ApiError::not_found("Account", id),
            other => etag::refused(other, demanded.is_some()),
        })?;
    show(session, id, executed.version).await
}

/// The answer that shows an account. `version` was read before what is shown, so that an `If-Match` with it fails sooner
/// rather than later.
async fn show<A: Access>(session: &Session<A>, id: Uuid, version: i64) -> Result<Response, ApiError> {
    let pool = session.pool();
    let row = projections::accounts::find(pool, id).await?.ok_or_else(|| ApiError::not_found("Account", id))?;
    let application = projections::applications::find(pool, row.application_id).await?;
    let application = application.ok_or_else(|| ApiError::not_found("Application", row.application_id))?;
    let identity = match row.identity_id {
        Some(identity) => projections::identities::find(pool, identity).await?.map(|found| found.row),
        None => None,
    };
    let grants = projections::grants::count(pool, row.application_id, id).await?;
    let summary = ApplicationBody::from(application).summary;
    Ok(etag::tagged(version, axum::Json(AccountDetailBody::of(row, summary, identity, grants))))
}
