//! The schema of identity attributes, as a configuration object of type `IDENTITY_OBJECT_CONFIG` says it (contracts §2.2): which
//! custom attributes people have, and of which types.
//!
//! Attributes are as SailPoint's `identity-attributes` has them: `{name, displayName, type, multi, ...}`; all else of them (`sources`,
//! `standard`, `searchable`, `system`) has no effect here.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::transform::NotExecutable;
use crate::values;

/// Attributes of a schema.
const LIMIT: usize = 1000;
/// Characters of an attribute's name: as many as a field of a file group has.
pub const NAME_LIMIT: usize = 128;

/// The attributes that people have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema {
    attributes: BTreeMap<String, Attribute>,
    /// What of it has no effect: types that nobody knows here.
    pub refused: Vec<NotExecutable>,
}

/// An attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name for people.
    pub display_name: Option<String>,
    /// What its values are.
    pub r#type: AttributeType,
    /// It may have several values.
    pub is_multi_valued: bool,
}

/// What values are. A type that nobody knows here is `String`: nothing is asked of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AttributeType {
    /// Any text.
    #[default]
    String,
    /// A whole number of 64 bits.
    Int,
    /// A yes or no.
    Boolean,
    /// A date or time.
    Date,
    /// Somebody, by key or name; nobody is looked for.
    Identity,
}

impl AttributeType {
    /// The schema's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Int => "int",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Identity => "identity",
        }
    }

    /// Is any text one?
    pub const fn is_any_text(self) -> bool {
        matches!(self, Self::String | Self::Identity)
    }

    fn read(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "string" => Some(Self::String),
            "int" | "integer" | "long" => Some(Self::Int),
            "boolean" => Some(Self::Boolean),
            "date" => Some(Self::Date),
            "identity" => Some(Self::Identity),
            _ => None,
        }
    }

    /// A value of this type in the one form in which it is kept: `true` or `false`, ISO 8601 in UTC, digits; `None` if it is none.
    pub fn normal(self, text: &str) -> Option<String> {
        match self {
            Self::String | Self::Identity => Some(text.to_owned()),
            Self::Int => values::integer(text).map(|number| number.to_string()),
            Self::Boolean => values::boolean(text).map(|value| value.to_string()),
            Self::Date => values::time(text).map(values::time_text),
        }
    }
}

impl Schema {
    /// Reads the `object` of a configuration object.
    ///
    /// # Errors
    /// Why it is no schema.
    pub fn read(object: &Value) -> Result<Self, NotExecutable> {
        let Some(Value::Array(written)) = object.get("attributes") else {
            return Err(NotExecutable::new("attributes", "An array of attributes is required"));
        };
        if written.len() > LIMIT {
            let reason = format!("{} attributes; at most {LIMIT} are known", written.len());
            return Err(NotExecutable::new("attributes", reason));
        }
        let mut schema = Self::default();
        for (at, written) in written.iter().enumerate() {
            let path = |name: &str| format!("attributes[{at}].{name}");
            let text = |name: &str| match &written[name] {
                Value::Null => Ok(None),
                Value::String(text) => Ok(Some(text.as_str())),
                other => Err(NotExecutable::new(path(name), format!("{} is no text", shown(other)))),
            };
            let name = attribute_name(text("name")?).map_err(|reason| NotExecutable::new(path("name"), reason))?;
            let mut attribute = Attribute {
                display_name: text("displayName")?.map(str::to_owned),
                r#type: AttributeType::default(),
                is_multi_valued: match &written["multi"] {
                    Value::Null => false,
                    Value::Bool(multi) => *multi,
                    other => {
                        let reason = format!("{} is neither true nor false", shown(other));
                        return Err(NotExecutable::new(path("multi"), reason));
                    }
                },
            };
            if let Some(word) = text("type")? {
                match AttributeType::read(word) {
                    Some(known) => attribute.r#type = known,
                    None => schema.refused.push(NotExecutable::new(
                        path("type"),
                        format!(
                            "{} is not known, so values of {name} are any text; known are string, int, long, boolean, date and identity",
                            shown(&written["type"])
                        ),
                    )),
                }
            }
            if schema.attributes.insert(name.to_owned(), attribute).is_some() {
                return Err(NotExecutable::new(path("name"), format!("There are two attributes {name:?}")));
            }
        }
        Ok(schema)
    }

    /// The attribute of this name.
    pub fn get(&self, name: &str) -> Option<&Attribute> {
        self.attributes.get(name)
    }

    /// All attributes with their names.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &Attribute)> {
        self.attributes.iter().map(|(name, attribute)| (name.as_str(), attribute))
    }
}

/// The field of ours that an identity attribute of SailPoint's is, by its name; every other name is its own.
pub fn field(attribute: &str) -> &str {
    match attribute {
        "firstname" => "firstName",
        "lastname" => "lastName",
        "manager" => "supervisor",
        "identificationNumber" => "employeeId",
        other => other,
    }
}

/// The type of a field with a meaning.
pub fn known_type(field: &str) -> AttributeType {
    match field {
        "supervisor" => AttributeType::Identity,
        "createdDate" | "updatedDate" | "inactivatedDate" => AttributeType::Date,
        _ => AttributeType::String,
    }
}

/// A name that an attribute may have.
///
/// # Errors
/// Why it may not, in words.
pub fn attribute_name(name: Option<&str>) -> Result<&str, String> {
    let name = name.filter(|name| !name.trim().is_empty()).ok_or("A name is required")?;
    let length = name.chars().count();
    if length > NAME_LIMIT {
        return Err(format!("The name has {length} characters; at most {NAME_LIMIT} are allowed"));
    }
    if name.contains('\0') { Err("The name contains a NUL character".to_owned()) } else { Ok(name) }
}

/// A value as messages show it.
pub(super) fn shown(value: &Value) -> String {
    value.to_string().chars().take(50).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_says_which_attributes_there_are_and_of_which_types() {
        let schema = Schema::read(&json!({"attributes": [
            {"name": "costCenter", "displayName": "Cost Center", "type": "string", "multi": false, "standard": false,
             "system": false, "searchable": true, "sources": [{"type": "rule", "properties": {"ruleName": "x"}}]},
            {"name": "level", "type": "INT"}, {"name": "badges", "type": "long", "multi": true},
            {"name": "plain", "displayName": null, "type": null}, {"name": "hidden", "type": "secret"},
        ], "more": 1}))
        .unwrap();
        let types: Vec<(&str, &str)> =
            schema.attributes().map(|(name, attribute)| (name, attribute.r#type.as_str())).collect();
        let expected =
            [("badges", "int"), ("costCenter", "string"), ("hidden", "string"), ("level", "int"), ("plain", "string")];
        assert_eq!(types, expected);
        assert_eq!(schema.get("costCenter").unwrap().display_name.as_deref(), Some("Cost Center"));
        assert!(schema.get("badges").unwrap().is_multi_valued && !schema.get("level").unwrap().is_multi_valued);
        let told: Vec<String> = schema.refused.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 1);
        assert!(
            told[0].starts_with("attributes[4].type: \"secret\" is not known, so values of hidden are"),
            "{told:?}"
        );
    }

    #[test]
    fn what_is_no_schema_says_where_and_why() {
        let many = vec![json!({"name": "a"}); 1001];
        for (object, told) in [
            (json!({}), "attributes: An array of attributes is required"),
            (json!({"attributes": {}}), "attributes: An array of attributes is required"),
            (json!({"attributes": many}), "attributes: 1001 attributes; at most 1000 are known"),
            (json!({"attributes": [1]}), "attributes[0].name: A name is required"),
            (json!({"attributes": [{"name": " "}]}), "attributes[0].name: A name is required"),
            (json!({"attributes": [{"name": 7}]}), "attributes[0].name: 7 is no text"),
            (json!({"attributes": [{"name": "a\0"}]}), "attributes[0].name: The name contains a NUL character"),
            (
                json!({"attributes": [{"name": "x".repeat(129)}]}),
                "attributes[0].name: The name has 129 characters; at most 128 are allowed",
            ),
            (json!({"attributes": [{"name": "a", "type": []}]}), "attributes[0].type: [] is no text"),
            (
                json!({"attributes": [{"name": "a", "multi": "no"}]}),
                "attributes[0].multi: \"no\" is neither true nor false",
            ),
            (
                json!({"attributes": [{"name": "a"}, {"name": "a"}]}),
                "attributes[1].name: There are two attributes \"a\"",
            ),
        ] {
            assert_eq!(Schema::read(&object).unwrap_err().to_string(), told);
        }
    }

    #[test]
    fn a_value_has_one_form_or_is_none() {
        for (kind, text, normal) in [
            (AttributeType::String, " any ", Some(" any ")),
            (AttributeType::Identity, "Ann Keller", Some("Ann Keller")),
            (AttributeType::Int, "007", Some("7")),
            (AttributeType::Int, "-9223372036854775808", Some("-9223372036854775808")),
            (AttributeType::Int, "9223372036854775808", None),
            (AttributeType::Int, "1.0", None),
            (AttributeType::Boolean, "Yes", Some("true")),
            (AttributeType::Boolean, "perhaps", None),
            (AttributeType::Date, "2026-03-15", Some("2026-03-15T00:00:00Z")),
            (AttributeType::Date, "2026-03-15T14:30:00.5+02:00", Some("2026-03-15T12:30:00.500Z")),
            (AttributeType::Date, "2026-02-30", None),
        ] {
            assert_eq!(kind.normal(text).as_deref(), normal, "{kind:?} {text}");
        }
    }
}
