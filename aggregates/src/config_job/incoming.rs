//! Entries of files, one by one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config_object::{Document, Place, Reference, references};

/// An object of a file: what it is called, and its entry but for that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incoming {
    /// `self`.
    #[serde(rename = "self")]
    pub reference: Reference,
    /// The rest.
    pub document: Document,
}

/// A place in `object` and the object that is meant there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where.
    pub path: Vec<Place>,
    /// Which.
    pub reference: Reference,
}

/// Everything in a document's `object` that refers to another object.
pub fn links(document: &Document) -> Vec<Link> {
    let found = document.value().get("object").map(references).unwrap_or_default();
    found.into_iter().map(|(path, reference)| Link { path, reference }).collect()
}

/// The entry of a file but for `self`: its documents in canonical form.
///
/// # Errors
/// What is wrong with it, in words.
pub fn incoming(entry: &str) -> Result<Incoming, String> {
    let document = Document::read(entry).map_err(|error| format!("it isn't JSON: {error}"))?;
    let Value::Object(mut entries) = document.value() else { return Err("it is no object".to_owned()) };
    let Some(reference) = entries.remove("self") else { return Err("it has no self".to_owned()) };
    let text = |name: &str| match reference.get(name) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Null) | None => Err(format!("its self has no {name}")),
        Some(_) => Err(format!("its self.{name} is no text")),
    };
    let reference = Reference { kind: text("type")?, id: text("id")?, name: text("name")? };
    match entries.get("version") {
        None => {}
        Some(version) if version.as_u64() == Some(1) => {}
        Some(other) => return Err(format!("its version is {other}; 1 is known")),
    }
    if !entries.get("object").is_some_and(Value::is_object) {
        return Err("it has no object".to_owned());
    }
    // Cut out of the text, not of the value: numbers stay as they were written.
    let raw: BTreeMap<String, Box<serde_json::value::RawValue>> =
        serde_json::from_str(document.as_str()).map_err(|error| error.to_string())?;
    let rest: BTreeMap<_, _> = raw.into_iter().filter(|(name, _)| name != "self").collect();
    let rest = serde_json::to_string(&rest).map_err(|error| error.to_string())?;
    Ok(Incoming { reference, document: Document::read(&rest).map_err(|error| error.to_string())? })
}
