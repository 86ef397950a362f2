//! What `sp-config` has no word for: what an import changed, and how it is put back or stopped.

pub mod cancel;
pub mod diff;
pub mod restore;

use projections::config_jobs::{ConfigJobRow, find};
use uuid::Uuid;

use super::error::ApiError;
use super::session::{Access, Session};

pub(super) const TAG: &str = "Configuration";

/// An import of configuration objects.
async fn import<A: Access>(session: &Session<A>, id: Uuid) -> Result<ConfigJobRow, ApiError> {
    let found = find(session.pool(), id).await?.filter(|row| row.kind == "IMPORT");
    found.ok_or_else(|| ApiError::not_found("Configuration import", id))
}

fn location(id: Uuid) -> String {
    format!("/sp-config/import/{id}")
}
