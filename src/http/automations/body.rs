//! What an automation looks like on the wire (seed 004).

use aggregates::Violation;
use aggregates::automation::{Action, AutomationDefinition};
use aggregates::certification::NamedAutomation;
use aggregates::certification_row::{Decision, SignedOffState};
use projections::automations::AutomationRow;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::error::ApiError;
use crate::http::veza::word;

/// An automation.
#[derive(Debug, Serialize, ToSchema)]
pub struct AutomationBody {
    /// The automation.
    pub id: Uuid,
    /// Unique, whatever the case.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Without effect.
    pub priority: i64,
    /// For which workflows it is there.
    pub attachment_behavior: AttachmentBehavior,
    /// Which rows it means: both must match.
    pub criteria: Criteria,
    /// What it does to them.
    pub action: ActionBody,
}

/// For which workflows an automation is there.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct AttachmentBehavior {
    /// Attached to every workflow there is and will be.
    pub attach_to_new_workflows: bool,
    /// Run only when named; false = always. What attachments say unless they are told otherwise.
    pub opt_in: bool,
}

/// Which rows an automation means.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Criteria {
    /// Over source, destination and grant.
    #[schema(example = "source.name sw \"A\"")]
    pub filter: String,
    /// Over previous: what was decided last time.
    #[schema(example = "previous.decision eq \"RESULT_DECISION_ACCEPTED\"")]
    pub mutable_filter: String,
}

/// What an automation does.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActionBody {
    /// `UNKNOWN` (leaves it alone), `NONE`, `ACCEPTED`, `REJECTED` or `FIXED`.
    pub decision: String,
    /// `UNKNOWN_SIGNED_OFF` (leaves it alone), `NOT_SIGNED_OFF` or `SIGNED_OFF`.
    pub signed_off_state: &'static str,
    /// What a row's notes become; empty leaves them alone.
    pub notes: String,
    /// Always null: not supported.
    #[schema(value_type = Option<Object>)]
    pub reviewer_assignment: Option<()>,
}

impl From<AutomationRow> for AutomationBody {
    fn from(row: AutomationRow) -> Self {
        NamedAutomation::from(row).into()
    }
}

impl From<NamedAutomation> for AutomationBody {
    fn from(NamedAutomation { id, definition, .. }: NamedAutomation) -> Self {
        Self {
            id,
            name: definition.name,
            description: definition.description,
            priority: definition.priority,
            attachment_behavior: AttachmentBehavior {
                attach_to_new_workflows: definition.attach_to_new_workflows,
                opt_in: definition.opt_in,
            },
            criteria: Criteria { filter: definition.filter, mutable_filter: definition.mutable_filter },
            action: ActionBody {
                decision: definition.action.decision.as_str().to_owned(),
                signed_off_state: definition.action.signed_off_state.in_actions(),
                notes: definition.action.notes,
                reviewer_assignment: None,
            },
        }
    }
}

/// What an automation is to be. Fields that aren't listed are ignored, so is `reviewer_assignment`.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct AutomationRequest {
    /// The automation to be replaced; ignored where one is made.
    #[schema(value_type = Option<String>)]
    pub id: Option<Value>,
    /// 1 to 256 characters; unique, whatever the case.
    pub name: Option<String>,
    /// At most 4,000 characters.
    pub description: Option<String>,
    /// Without effect.
    pub priority: Option<i64>,
    /// For which workflows it is there; neither for all nor opt-in where one is made without it.
    pub attachment_behavior: Option<AttachmentBehavior>,
    /// Which rows it means; one of both filters is needed.
    pub criteria: Option<Criteria>,
    /// What it does to them; it must change something.
    pub action: Option<ActionRequest>,
}

/// What an automation is to do.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct ActionRequest {
    /// `UNKNOWN`, `NONE`, `ACCEPTED`, `REJECTED`, `FIXED`, the same after `RESULT_DECISION_`, or 0 to 4.
    #[schema(value_type = Option<String>)]
    decision: Option<Value>,
    /// `UNKNOWN_SIGNED_OFF` or `UNKNOWN`, `NOT_SIGNED_OFF`, `SIGNED_OFF`, or 0 to 2.
    #[schema(value_type = Option<String>)]
    signed_off_state: Option<Value>,
    /// At most 4,000 characters.
    notes: Option<String>,
}

impl AutomationRequest {
    /// The definition asked for; `is_whole`: nothing but description and priority may be left out (rulings 31).
    ///
    /// # Errors
    /// 400 with all that is wrong with it.
    pub fn definition(self, is_whole: bool) -> Result<AutomationDefinition, ApiError> {
        let mut found = Vec::new();
        let mut need = |field: &str, is_there: bool| {
            if !is_there {
                found.push(Violation::new(field, format!("{field} is required")));
            }
        };
        need("name", self.name.is_some());
        need("attachment_behavior", self.attachment_behavior.is_some() || !is_whole);
        need("criteria", self.criteria.is_some());
        need("action", self.action.is_some());
        let (behavior, criteria) = (self.attachment_behavior.unwrap_or_default(), self.criteria.unwrap_or_default());
        let action = self.action.unwrap_or_default();
        let decision = word(action.decision.as_ref(), &Decision::ALL, Decision::as_str, Decision::read);
        let states = &SignedOffState::ALL;
        let state = word(action.signed_off_state.as_ref(), states, SignedOffState::in_actions, SignedOffState::read);
        let mut given = |field: &str, message: String| found.push(Violation::new(field, message));
        let decision = decision.unwrap_or_else(|message| {
            given("action.decision", message);
            // So that an action isn't said to change nothing, too.
            Decision::None
        });
        let signed_off_state = state.unwrap_or_else(|message| {
            given("action.signed_off_state", message);
            SignedOffState::NotSignedOff
        });
        let definition = AutomationDefinition {
            name: self.name.unwrap_or_default().trim().to_owned(),
            description: self.description.unwrap_or_default(),
            priority: self.priority.unwrap_or_default(),
            attach_to_new_workflows: behavior.attach_to_new_workflows,
            opt_in: behavior.opt_in,
            filter: criteria.filter,
            mutable_filter: criteria.mutable_filter,
            action: Action { decision, signed_off_state, notes: action.notes.unwrap_or_default() },
        };
        // Everything at once, and nothing twice.
        for violation in definition.violations() {
            if !found.iter().any(|known| known.field == violation.field) {
                found.push(violation);
            }
        }
        if found.is_empty() { Ok(definition) } else { Err(ApiError::validation(found)) }
    }
}
