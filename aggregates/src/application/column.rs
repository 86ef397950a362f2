use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::Transform;
use crate::violation::{Violation, check_length, check_text};

/// What fills a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Column {
    /// One column, as it is.
    One(String),
    /// Anything else.
    Mapped(Mapped),
}

/// Columns, and what is done with their values before they are a field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapped {
    /// One column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Or several, in this order; empty ones are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// Between them; a space unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join: Option<String>,
    /// What an empty value becomes in the end; alone, a constant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// One after the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transforms: Vec<Transform>,
}

impl Column {
    /// The columns' names.
    pub fn names(&self) -> &[String] {
        match self {
            Self::One(name) | Self::Mapped(Mapped { column: Some(name), .. }) => std::slice::from_ref(name),
            Self::Mapped(Mapped { columns, .. }) => columns.as_deref().unwrap_or_default(),
        }
    }

    /// What stands between several columns' values.
    pub fn join(&self) -> &str {
        match self {
            Self::Mapped(Mapped { join: Some(join), .. }) => join,
            _ => " ",
        }
    }

    /// What an empty value becomes.
    pub fn default(&self) -> Option<&str> {
        if let Self::Mapped(mapped) = self { mapped.default.as_deref() } else { None }
    }

    /// What is done with the value, in order.
    pub fn transforms(&self) -> &[Transform] {
        if let Self::Mapped(mapped) = self { &mapped.transforms } else { &[] }
    }

    /// The names of transforms that it needs.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        self.transforms().iter().filter_map(|transform| match transform {
            Transform::Named(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Notes what is wrong with it. Only a field that tells rows apart may have several values: each is a row of its own.
    pub(super) fn check(&self, found: &mut Vec<Violation>, path: &str, may_split: bool) {
        // A named transform may make the value itself; whether it does is seen when it is needed.
        if self.names().is_empty() && self.default().is_none() && self.named().next().is_none() {
            found.push(Violation::new(path, "At least one column is required"));
        }
        for name in self.names() {
            check_text(found, path, "Column name", name, 256);
        }
        let Self::Mapped(mapped) = self else { return };
        if mapped.column.is_some() && mapped.columns.is_some() {
            found.push(Violation::new(path, "column and columns exclude each other"));
        }
        if mapped.join.is_some() && mapped.columns.is_none() {
            found.push(Violation::new(format!("{path}.join"), "join needs columns"));
        }
        check_length(found, path, "join", self.join(), 32);
        if let Some(default) = &mapped.default {
            check_text(found, &format!("{path}.default"), "default", default, 512);
        }
        if mapped.transforms.len() > 20 {
            let message = format!("{} transforms; at most 20 are allowed", mapped.transforms.len());
            found.push(Violation::new(format!("{path}.transforms"), message));
        }
        for (index, transform) in mapped.transforms.iter().enumerate() {
            transform.check(found, &format!("{path}.transforms[{index}]"), may_split);
        }
    }
}

/// By hand, since a derived untagged enum doesn't say what is wrong inside, nor where.
impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl<'de> Visitor<'de> for Written {
            type Value = Column;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a column name or {column | columns + join, default, transforms}")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Column, E> {
                Ok(Column::One(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Column, A::Error> {
                Mapped::deserialize(MapAccessDeserializer::new(map)).map(Column::Mapped)
            }
        }
        deserializer.deserialize_any(Written)
    }
}
