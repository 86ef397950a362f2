use uuid::Uuid;

use super::{Action, AutomationDefinition};
use crate::certification::NamedAutomation;
use crate::certification_row::{Decision, SignedOffState};

/// The automations that are always there, optional for all workflows (contracts §3.3): what was decided last time is decided again
/// where nothing has changed since.
pub fn built_ins() -> [NamedAutomation; 2] {
    [
        built_in(1, "Approve previously approved and unchanged", Decision::Accepted),
        built_in(2, "Reject previously rejected and unchanged", Decision::Rejected),
    ]
}

/// Is it one of these?
pub fn is_built_in(id: Uuid) -> bool {
    built_ins().iter().any(|known| known.id == id)
}

fn built_in(number: u32, name: &str, decision: Decision) -> NamedAutomation {
    NamedAutomation {
        id: crate::ids::native(Uuid::nil(), "built_in_automation", &number.to_string()),
        only_unchanged: true,
        definition: AutomationDefinition {
            name: name.to_owned(),
            description: "Built in. Means rows of which nothing but times has changed since the certification before"
                .to_owned(),
            priority: 0,
            attach_to_new_workflows: true,
            opt_in: true,
            filter: String::new(),
            mutable_filter: format!("previous.decision eq \"{}\"", decision.long()),
            action: Action { decision, signed_off_state: SignedOffState::Unknown, notes: String::new() },
        },
    }
}
