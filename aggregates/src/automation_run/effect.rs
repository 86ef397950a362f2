//! What several automations do to one row: the conflict rules of seed 004 and rulings 35.

use serde::{Deserialize, Serialize};

use crate::automation::Action;
use crate::certification_row::{Change, Decision, SignedOffState};

/// A field on which automations can disagree. Differing notes are no conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words of the API")]
pub enum Field {
    Decision,
    SignedOffState,
}

/// What becomes of a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effect {
    /// On what all agree.
    pub change: Change,
    /// On what they disagree: those fields are left alone.
    pub conflicts: Vec<Field>,
}

/// What actions do to a row together, in whatever order. Those that say the same of a field do it; those that disagree are all
/// passed over for that field. Notes become the row's where they are equal; each one's are kept in the action log anyway.
pub fn effect<'a>(actions: impl IntoIterator<Item = &'a Action> + Clone) -> Effect {
    let mut conflicts = Vec::new();
    let decisions = actions.clone().into_iter().map(|action| action.decision).filter(|said| *said != Decision::Unknown);
    let decision = agreed(decisions).unwrap_or_else(|| {
        conflicts.push(Field::Decision);
        None
    });
    let states = actions.clone().into_iter().map(|action| action.signed_off_state);
    let state = agreed(states.filter(|said| *said != SignedOffState::Unknown)).unwrap_or_else(|| {
        conflicts.push(Field::SignedOffState);
        None
    });
    let notes = agreed(actions.into_iter().map(|action| action.notes.as_str()).filter(|notes| !notes.is_empty()));
    let (decision, state) = (decision.unwrap_or_default(), state.unwrap_or_default());
    Effect { change: Change::of(decision, state, notes.flatten().unwrap_or_default()), conflicts }
}

/// The value that all say: `Some(None)` when nobody says any, `None` when they differ.
#[expect(clippy::option_option, reason = "three answers: agreed, silent, at odds")]
fn agreed<T: PartialEq>(mut values: impl Iterator<Item = T>) -> Option<Option<T>> {
    let Some(first) = values.next() else { return Some(None) };
    values.all(|value| value == first).then_some(Some(first))
}
