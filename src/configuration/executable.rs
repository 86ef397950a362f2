//! Whether anything here follows an object. One that nothing does is kept all the same: whoever imports it is told.

use aggregates::config_job::plan::{Message, Planned};
use aggregates::config_object::{Document, ObjectType};
use aggregates::rule::Rule;
use aggregates::transform::Transform;
use aggregates::webhook::Subscription;

/// Told of an object that is kept and has no effect.
const NOT_EXECUTABLE: &str = "NOT_EXECUTABLE";

/// Notes why an object has no effect, if it has none.
pub(super) fn tell(object: &mut Planned, document: &Document) {
    let Some(kind) = object.target.object_type() else { return };
    let entry = document.value();
    let reason = match kind {
        ObjectType::Transform => Transform::read(&entry["object"]).err().map(|reason| reason.to_string()),
        ObjectType::Rule => Rule::read(&entry["object"]).err().map(|reason| reason.to_string()),
        ObjectType::ConnectorRule => Some("rules of connectors are for the connectors of others".to_owned()),
        ObjectType::TriggerSubscription => {
            Subscription::read(&entry).and_then(|subscription| subscription.is_signed()).err()
        }
        _ => None,
    };
    if let Some(reason) = reason {
        let text = format!("{} {:?} is kept, but not executed here: {reason}", kind.as_str(), object.target.name);
        object.infos.push(Message { key: NOT_EXECUTABLE, text });
    }
}
