use serde_json::{Map, Value};

use super::NotExecutable;

/// The `attributes` of an operation, and where they are.
pub(super) struct Settings<'a> {
    values: Option<&'a Map<String, Value>>,
    path: String,
}

impl<'a> Settings<'a> {
    /// Those of the document at `path`; none are as good as empty ones.
    pub(super) fn of(document: &'a Map<String, Value>, path: &str) -> Result<Self, NotExecutable> {
        let path = within(path, "attributes");
        match document.get("attributes") {
            None | Some(Value::Null) => Ok(Self { values: None, path }),
            Some(Value::Object(values)) => Ok(Self { values: Some(values), path }),
            Some(_) => Err(NotExecutable::new(path, "attributes is no object")),
        }
    }

    /// Where a setting is.
    pub(super) fn path(&self, name: &str) -> String {
        within(&self.path, name)
    }

    /// A setting; null is none.
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.values?.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn required(&self, name: &str) -> Result<&'a Value, NotExecutable> {
        self.get(name).ok_or_else(|| NotExecutable::new(self.path(name), format!("{name} is required")))
    }

    pub(super) fn text(&self, name: &str) -> Result<String, NotExecutable> {
        text(self.required(name)?, &self.path(name))
    }

    pub(super) fn optional_text(&self, name: &str) -> Result<Option<String>, NotExecutable> {
        self.get(name).map(|value| text(value, &self.path(name))).transpose()
    }

    /// A whole number; documents write it as a text, too.
    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, NotExecutable> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let read = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok());
        read.map(Some).ok_or_else(|| NotExecutable::new(self.path(name), format!("{value} is no whole number")))
    }

    /// True or false, false unless said; documents write it as a text, too.
    pub(super) fn boolean(&self, name: &str) -> Result<bool, NotExecutable> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(value)) => Ok(*value),
            Some(Value::String(word)) if word == "true" => Ok(true),
            Some(Value::String(word)) if word == "false" => Ok(false),
            Some(other) => Err(NotExecutable::new(self.path(name), format!("{other} is neither true nor false"))),
        }
    }
}

/// A text, or a number or boolean as one. None has a NUL, which PostgreSQL can't store.
pub(super) fn text(value: &Value, path: &str) -> Result<String, NotExecutable> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return Err(NotExecutable::new(path, "A text is required")),
    };
    if text.contains('\0') {
        return Err(NotExecutable::new(path, "The text contains a NUL character"));
    }
    Ok(text)
}

/// A path one step further in.
pub(super) fn within(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
