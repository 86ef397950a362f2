use serde::{Deserialize, Serialize};

use crate::certification_row::{self, Decision, SignedOffState};
use crate::filter::FilterError;
use crate::violation::{Violation, check_length, check_text};

/// What an automation is: which rows it means and what it does to them (contracts §3.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AutomationDefinition {
    /// Unique, whatever the case; at most 256 characters.
    pub name: String,
    /// At most 4,000 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Without effect (rulings 30).
    #[serde(default)]
    pub priority: i64,
    /// Attached to every workflow there is and will be.
    pub attach_to_new_workflows: bool,
    /// What attachments say unless they are told otherwise: run only when named.
    pub opt_in: bool,
    /// Which rows; empty = all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub filter: String,
    /// Which rows by what was decided last time; empty = all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mutable_filter: String,
    /// What is done to them.
    pub action: Action,
}

/// What an automation does to a row (rulings 32).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Action {
    /// `Unknown` leaves the decision alone.
    pub decision: Decision,
    /// `Unknown` leaves it alone.
    pub signed_off_state: SignedOffState,
    /// Empty leaves them alone; at most 4,000 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
}

impl Action {
    /// Does it change anything of a row?
    pub fn changes_something(&self) -> bool {
        self.decision != Decision::Unknown || self.signed_off_state != SignedOffState::Unknown || !self.notes.is_empty()
    }
}

impl AutomationDefinition {
    /// What is wrong with it, by the names of seed 004.
    pub fn violations(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        check_text(&mut found, "name", "Name", &self.name, 256);
        check_length(&mut found, "description", "Description", &self.description, 4000);
        check_length(&mut found, "action.notes", "Notes", &self.action.notes, 4000);
        let mut judge = |field: &str, wrong: Option<FilterError>| {
            found.extend(wrong.map(|error| Violation::new(field, error.to_string())));
        };
        judge("criteria.filter", certification_row::filter(&self.filter).err());
        judge("criteria.mutable_filter", certification_row::mutable_filter(&self.mutable_filter).err());
        if self.filter.trim().is_empty() && self.mutable_filter.trim().is_empty() {
            let message = "filter and mutable_filter are empty; at least one must say which rows are meant";
            found.push(Violation::new("criteria", message));
        }
        if !self.action.changes_something() {
            let message = "The action changes nothing; a decision other than UNKNOWN, a signed_off_state other than \
                           UNKNOWN_SIGNED_OFF, or notes are needed";
            found.push(Violation::new("action", message));
        }
        found
    }
}
