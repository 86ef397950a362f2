//! Automations: seed 004, contracts §3.1-3.2, rulings 27-32.

pub mod attach;
pub mod attached;
pub mod body;
pub mod create;
pub mod delete;
pub mod detach;
pub mod get;
pub mod list;
pub mod preview;
pub mod update;

use aggregates::Refusal;
use aggregates::automation::is_built_in;
use uuid::Uuid;

use super::error::ApiError;
use super::extract;
use super::veza;
use crate::http::session::{Access, Session};
use crate::journal::CommandError;
use crate::reviews::{Change, ChangeError, Changed};

/// The tag of the operations.
pub const TAG: &str = "Automations";

fn location(id: Uuid) -> String {
    format!("{}/automations/{id}", veza::PREFIX)
}

/// Carries out a change.
async fn change<A: Access>(session: &Session<A>, change: Change) -> Result<Changed, ChangeError> {
    if let Some(id) = change.automation().filter(|id| is_built_in(*id)) {
        let message = format!("Automation {id} is built in: always there, run where it is named, and never changed");
        return Err(CommandError::from(Refusal::field("id", message)).into());
    }
    crate::reviews::carry_out(&session.app, &change, |id| session.context(location(id))).await
}

fn refused(error: ChangeError) -> ApiError {
    veza::refused(error, "Automation", false)
}

/// An id in a body; empty is absent.
fn given(field: &str, text: Option<&str>) -> Result<Option<Uuid>, ApiError> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    text.map(|text| extract::id(field, text)).transpose()
}
