//! Since when a subscription asks for which events.

use std::collections::BTreeMap;

use super::Subscription;
use crate::config_object::{ConfigObject, ConfigObjectEvent};
use cqrs_es::Aggregate;

/// The types of events that a subscription asks for now, each with the position since which it does without a break. So what happened
/// before it came to be, while it was switched off, or while it asked for something else is never delivered; and what it asked for and
/// didn't get yet isn't lost when it asks for more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked(BTreeMap<&'static str, i64>);

impl Asked {
    /// What the whole history of an object says: its events with their positions, the oldest first.
    pub fn of<'e>(history: impl IntoIterator<Item = (i64, &'e ConfigObjectEvent)>) -> Self {
        let (mut object, mut asked) = (ConfigObject::default(), BTreeMap::new());
        for (position, event) in history {
            object.apply(event.clone());
            let kept = object.kept.as_ref();
            let read = kept.and_then(|(_, document)| Subscription::read(&document.value()).ok());
            let now = read.filter(|read| read.is_enabled).map(|read| read.event_types).unwrap_or_default();
            asked.retain(|event_type, _| now.contains(event_type));
            for event_type in now {
                asked.entry(event_type).or_insert(position);
            }
        }
        Self(asked)
    }

    /// Nothing at all?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The types of events.
    pub fn types(&self) -> Vec<&'static str> {
        self.0.keys().copied().collect()
    }

    /// Nothing that it asks for is at this position or before.
    pub fn begins_after(&self) -> i64 {
        self.0.values().min().copied().unwrap_or_default()
    }

    /// Does it ask for the event of this type at this position?
    pub fn means(&self, event_type: &str, position: i64) -> bool {
        self.0.get(event_type).is_some_and(|since| *since < position)
    }
}
