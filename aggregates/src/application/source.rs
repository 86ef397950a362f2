//! An application as a configuration object of type SOURCE (contracts §2.2).
//!
//! What an application has a word for is its own; all else of a SOURCE that came in is kept beside it, and leaves with it. Files of
//! ours say the rest of the definition and the schedule at `object.connectorAttributes.muniment`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Connector, ConnectorType, CorrelationRule, Definition, ImportSchedule, Priority};
use crate::config_object::{Document, ObjectType, Reference, stream};

/// Percent that an import may remove unless a SOURCE says otherwise (rulings 18).
const REMOVAL_LIMIT: u8 = 30;

/// What files of ours say of an application beside its name and description.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Native {
    priority: Priority,
    is_identity_source: bool,
    removal_limit: u8,
    connector: Connector,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    correlation: Option<Vec<CorrelationRule>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    responders: Vec<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    import_schedule: Option<ImportSchedule>,
}

/// The application that files know by this id: a UUID, with dashes or without, else one that follows from it.
pub fn application_id(id: &str) -> Uuid {
    Uuid::try_parse(id).unwrap_or_else(|_| stream(ObjectType::Source, id))
}

/// The entry of a file but for `self`; `kept` is what came in before.
pub fn entry(definition: &Definition, schedule: Option<&ImportSchedule>, kept: Option<&Document>) -> Document {
    let mut entry = kept.map_or_else(
        || json!({"version": 1, "object": {"connector": "muniment", "description": null, "name": "", "type": "File"}}),
        Document::value,
    );
    let Some(Value::Object(object)) = entry.get_mut("object") else { return Document::from(&entry) };
    set(object, "name", json!(definition.name), true);
    set(object, "description", json!(definition.description), definition.description.is_some());
    if *definition != external(&definition.name, definition.description.clone()) || schedule.is_some() {
        let native = Native {
            priority: definition.priority,
            is_identity_source: definition.is_identity_source,
            removal_limit: definition.removal_limit,
            connector: definition.connector.clone(),
            correlation: definition.correlation.clone(),
            responders: definition.responders.clone(),
            import_schedule: schedule.cloned(),
        };
        let attributes = object.entry("connectorAttributes").or_insert_with(|| json!({}));
        if !attributes.is_object() {
            *attributes = json!({});
        }
        attributes["muniment"] = json!(native);
    } else if let Some(Value::Object(attributes)) = object.get_mut("connectorAttributes") {
        attributes.remove("muniment");
    }
    // As long as nothing changed, the very text that came in.
    match kept {
        Some(kept) if kept.value() == entry => kept.clone(),
        _ => Document::from(&entry),
    }
}

/// Says a value where the object says one, and elsewhere only if there is something to say.
fn set(object: &mut Map<String, Value>, name: &str, value: Value, is_said: bool) {
    let was_said = object.get(name).is_some_and(|was| *was != value);
    if was_said || (is_said && !object.contains_key(name) && name != "name") {
        object.insert(name.to_owned(), value);
    }
}

/// The definition of a SOURCE that nothing here can read.
fn external(name: &str, description: Option<String>) -> Definition {
    let definition = Definition {
        name: name.to_owned(),
        priority: Priority::None,
        description,
        is_identity_source: false,
        removal_limit: REMOVAL_LIMIT,
        connector: Connector { r#type: ConnectorType::External, file_groups: Vec::new() },
        correlation: None,
        responders: Vec::new(),
    };
    Definition { correlation: Some(definition.correlation()), ..definition }
}

/// The application that an entry says.
///
/// # Errors
/// Why it can't be one, in words.
pub fn read(reference: &Reference, entry: &Document) -> Result<(Definition, Option<ImportSchedule>), String> {
    let entry = entry.value();
    let object = &entry["object"];
    for place in ["type", "connector", "connectorName"] {
        let said = object[place].as_str().unwrap_or_default();
        let folded: String = said.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        if folded.contains("nonemployee") {
            return Err(format!("non-employee sources can't be imported; its {place} is {said:?}"));
        }
    }
    let description = match &object["description"] {
        Value::Null => None,
        Value::String(description) => Some(description.clone()),
        other => return Err(format!("its description is {other}, which is no text")),
    };
    let native = &object["connectorAttributes"]["muniment"];
    if native.is_null() {
        return Ok((external(&reference.name, description), None));
    }
    let native: Native = serde_json::from_value(native.clone())
        .map_err(|error| format!("its connectorAttributes.muniment isn't right: {error}"))?;
    let definition = Definition {
        name: reference.name.clone(),
        priority: native.priority,
        description,
        is_identity_source: native.is_identity_source,
        removal_limit: native.removal_limit,
        connector: native.connector,
        correlation: native.correlation,
        responders: native.responders,
    };
    Ok((definition, native.import_schedule))
}
