//! Certifications and their rows (contracts §3.4, rulings 36-38): `/api/preview/awf/certifications`.

mod action_log;
pub mod body;
pub mod complete;
pub mod create;
pub mod decide;
pub mod force_update;
pub mod get;
pub mod list;
pub mod page_token;
pub mod result;
pub mod result_body;
pub mod results;
pub mod runs;
pub mod update;

use aggregates::certification_row::Reviewer;
use aggregates::party::Party;
use projections::certifications::{CertificationRow, find};
use uuid::Uuid;

use super::error::ApiError;
use super::session::{Access, Session};
use super::veza;

/// The tag of the operations.
pub const TAG: &str = "Certifications";

fn location(id: Uuid) -> String {
    format!("{}/certifications/{id}", veza::PREFIX)
}

/// A certification.
async fn found<A: Access>(session: &Session<A>, id: Uuid) -> Result<CertificationRow, ApiError> {
    find(session.pool(), id).await?.ok_or_else(|| ApiError::not_found("Certification", id))
}

/// The caller as somebody who decides.
fn reviewer<A: Access>(session: &Session<A>) -> Reviewer {
    Reviewer { party: Party::from(&session.actor()), is_administrator: session.token.role.administers() }
}
