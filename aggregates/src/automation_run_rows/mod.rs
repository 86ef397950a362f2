//! How far a run went, block by block: counts, and of each row that it meant what became of it. A block is recorded in the same
//! append as the decisions about its rows, so a run that is taken up again knows what is done.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::automation_run::Field;
use crate::ids;

/// The stream type.
pub const TYPE: &str = "automation_run_rows";

/// What an automation of a run did to rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows that it meant.
    #[serde(default)]
    pub matched: u64,
    /// Rows that changed, by it alone or with others that agreed.
    #[serde(default)]
    pub changed: u64,
    /// Rows of which it left a field alone, since another wanted something else there.
    #[serde(default)]
    pub conflicting: u64,
    /// Rows that it left alone, since somebody had decided about them meanwhile or they are signed off.
    #[serde(default)]
    pub skipped: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.matched += other.matched;
        self.changed += other.changed;
        self.conflicting += other.conflicting;
        self.skipped += other.skipped;
    }
}

/// What became of a row that a run meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    /// It changed.
    Changed,
    /// It stood so already.
    Unchanged,
    /// They disagreed about all that they wanted of it.
    Conflicting,
    /// Somebody had touched it meanwhile, or it is signed off.
    Skipped,
}

/// What a run did to a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The row.
    pub result_id: u32,
    /// Those that meant it, by their place in the run.
    pub automations: Vec<u32>,
    /// What became of it.
    pub outcome: Outcome,
    /// Fields about which they disagreed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<Field>,
}

crate::event::events! {
    /// What happens to a block of rows in a run.
    AutomationRunRowsEvent {
        /// They were looked at, and what was to be changed was changed.
        AutomationRunRowsDecided("1.0") {
            run_id: Uuid,
            certification_id: Uuid,
            /// The rows from 500 times this on.
            block: u32,
            /// By the automations' places in the run.
            counts: Vec<Counts>,
            log: Vec<Entry>,
        }
        /// What the run decided about them was reversed.
        AutomationRunRowsUndone("1.0") { run_id: Uuid, certification_id: Uuid, block: u32, reversed: u64, kept: u64 }
    }
}

/// The stream of a block.
pub fn stream(run: Uuid, block: u32) -> Uuid {
    ids::part(run, TYPE, block)
}
