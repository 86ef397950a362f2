use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ObjectType;

/// What files call an object: `{type, id, name}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reference {
    /// The type, of ours or not.
    #[serde(rename = "type")]
    pub kind: String,
    /// The id, as the file writes it.
    pub id: String,
    /// The name.
    pub name: String,
}

impl Reference {
    /// The type, if it is one of ours.
    pub fn object_type(&self) -> Option<ObjectType> {
        ObjectType::read(&self.kind)
    }
}

/// A place in a document where another object is meant: the way there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Place {
    /// A name of an object.
    Name(String),
    /// A place of an array.
    At(usize),
}

/// Everything in a document that refers to another object, each with its place: objects of a `type`, an `id`, a `name` and nothing
/// else, where one of the last two may be missing or null.
pub fn references(document: &Value) -> Vec<(Vec<Place>, Reference)> {
    let mut found = Vec::new();
    collect(document, &mut Vec::new(), &mut found);
    found
}

fn collect(value: &Value, path: &mut Vec<Place>, found: &mut Vec<(Vec<Place>, Reference)>) {
    match value {
        Value::Object(entries) => match refers(entries).filter(|_| !path.is_empty()) {
            Some(reference) => found.push((path.clone(), reference)),
            None => {
                for (name, value) in entries {
                    path.push(Place::Name(name.clone()));
                    collect(value, path, found);
                    path.pop();
                }
            }
        },
        Value::Array(values) => {
            for (at, value) in values.iter().enumerate() {
                path.push(Place::At(at));
                collect(value, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}

fn refers(entries: &Map<String, Value>) -> Option<Reference> {
    let text = |name: &str| match entries.get(name) {
        None | Some(Value::Null) => Some(String::new()),
        Some(Value::String(text)) => Some(text.clone()),
        Some(_) => None,
    };
    let (kind, id, name) = (text("type")?, text("id")?, text("name")?);
    // Types are written so everywhere; `{"type": "lower", "name": …}` is none.
    let is_type = !kind.is_empty() && kind.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let is_all = entries.keys().all(|key| matches!(key.as_str(), "type" | "id" | "name"));
    (is_type && is_all && !(id.is_empty() && name.is_empty())).then_some(Reference { kind, id, name })
}

/// Puts what a reference means in its place.
pub fn replace(document: &mut Value, path: &[Place], by: &Reference) {
    let mut here = document;
    for place in path {
        let next = match place {
            Place::Name(name) => here.get_mut(name),
            Place::At(at) => here.get_mut(at),
        };
        let Some(next) = next else { return };
        here = next;
    }
    if let Value::Object(entries) = here {
        entries.insert("id".to_owned(), Value::String(by.id.clone()));
        entries.insert("name".to_owned(), Value::String(by.name.clone()));
    }
}
