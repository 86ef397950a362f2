use std::collections::BTreeMap;

use serde::de::{Deserializer, Error as _};
use serde::ser::{Error as _, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// Documents are nested at most so deep: deeper ones couldn't be read again where events wrap them.
const DEPTH: usize = 100;

/// A JSON text in canonical form: names in order, no blanks, numbers as they were written. So whatever came in leaves the same,
/// and equal documents have equal bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document(String);

impl Document {
    /// The document that this JSON text says.
    ///
    /// # Errors
    /// It isn't JSON, or nested more than 100 deep.
    pub fn read(json: &str) -> serde_json::Result<Self> {
        canonical(json).map(Self)
    }

    /// Its bytes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For those who look into it. Numbers beyond 64 bits are rounded there, never in the document itself.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.0).unwrap_or_default()
    }
}

impl TryFrom<String> for Document {
    type Error = serde_json::Error;

    fn try_from(json: String) -> serde_json::Result<Self> {
        Self::read(&json)
    }
}

impl From<&Value> for Document {
    fn from(value: &Value) -> Self {
        // A `Value` has its names in order already.
        Self(value.to_string())
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(S::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::read(raw.get()).map_err(D::Error::custom)
    }
}

/// A JSON text with names in order and without blanks. Of a name that is said twice the last one counts, as everywhere in serde.
///
/// # Errors
/// It isn't JSON, or nested more than 100 deep.
fn canonical(json: &str) -> serde_json::Result<String> {
    let mut text = String::with_capacity(json.len());
    write(&mut text, serde_json::from_str(json)?, 0)?;
    Ok(text)
}

fn write(text: &mut String, raw: &RawValue, depth: usize) -> serde_json::Result<()> {
    if depth > DEPTH {
        return Err(serde::de::Error::custom(format!("it is nested more than {DEPTH} deep")));
    }
    let json = raw.get();
    match json.as_bytes().first() {
        Some(b'{') => {
            let entries: BTreeMap<String, &RawValue> = serde_json::from_str(json)?;
            text.push('{');
            for (number, (name, value)) in entries.into_iter().enumerate() {
                if number > 0 {
                    text.push(',');
                }
                *text += &serde_json::to_string(&name)?;
                text.push(':');
                write(text, value, depth + 1)?;
            }
            text.push('}');
        }
        Some(b'[') => {
            let values: Vec<&RawValue> = serde_json::from_str(json)?;
            text.push('[');
            for (number, value) in values.into_iter().enumerate() {
                if number > 0 {
                    text.push(',');
                }
                write(text, value, depth + 1)?;
            }
            text.push(']');
        }
        Some(b'"') => *text += &serde_json::to_string(&serde_json::from_str::<String>(json)?)?,
        _ => *text += json,
    }
    Ok(())
}
