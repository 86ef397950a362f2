//! Workflows of access reviews (contracts §3.4): `/api/preview/awf/workflows`.

pub mod body;
pub mod create;
pub mod delete;
pub mod get;
pub mod list;
pub mod update;

use uuid::Uuid;

use super::error::ApiError;
use super::session::{Access, Session};
use super::veza;
use crate::reviews::{Change, ChangeError, Changed};

/// The tag of the operations.
pub const TAG: &str = "Workflows";

fn location(id: Uuid) -> String {
    format!("{}/workflows/{id}", veza::PREFIX)
}

/// Carries out a change.
async fn change<A: Access>(session: &Session<A>, change: Change) -> Result<Changed, ChangeError> {
    crate::reviews::carry_out(&session.app, &change, |id| session.context(location(id))).await
}

fn refused(error: ChangeError, is_demanded: bool) -> ApiError {
    veza::refused(error, "Workflow", is_demanded)
}
