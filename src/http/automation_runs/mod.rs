//! Runs: what was decided about many rows at once (rulings 35-38): `/api/preview/awf/automation_runs`.

pub mod body;
pub mod get;
pub mod undo;

use uuid::Uuid;

use super::veza;

/// The tag of the operations.
pub const TAG: &str = "Automation runs";

/// The path of a run.
pub fn location(id: Uuid) -> String {
    format!("{}/automation_runs/{id}", veza::PREFIX)
}
