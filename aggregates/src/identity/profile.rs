//! Identity profiles, as configuration objects of type `IDENTITY_PROFILE` say them (contracts §2.2): how an identity source's columns
//! become the fields of its people.
//!
//! Each attribute of a profile stands alone: one that can't be executed is told and has no effect, and costs no other.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use uuid::Uuid;

use super::schema::{Schema, attribute_name, field, shown};
use crate::application::Content;
use crate::application::fields;
use crate::application::source::application_id;
use crate::config_object::REDACTED;
use crate::transform::{AccountSource, NotExecutable, Transform, Transforms};

/// Attributes of a profile: as many as a file group has fields.
const LIMIT: usize = 1000;
/// Where attributes are in a profile.
const ATTRIBUTES: &str = "identityAttributeConfig.attributeTransforms";

/// A profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// `identityAttributeConfig.enabled`: else it has no effect.
    pub is_enabled: bool,
    /// The lowest comes first; none comes last.
    priority: Option<i64>,
    /// Whose people it makes.
    source: AccountSource,
    attributes: Vec<Value>,
}

/// The application whose people a profile may make.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: &'a str,
    /// The ids of all applications: whoever names one of them means no other of the same name.
    pub applications: &'a BTreeSet<Uuid>,
}

/// What a profile makes.
#[derive(Debug, Default)]
pub struct Mapped {
    /// Field → what makes its value of a row.
    pub fields: BTreeMap<String, Transform>,
    /// Attributes that can't be executed.
    pub refused: Vec<NotExecutable>,
}

impl Origin<'_> {
    /// Is it the one that somebody says: by id, else, if nothing is known by that, by name?
    fn is(&self, said: &AccountSource) -> bool {
        match said.id.as_deref().map(application_id) {
            Some(id) if id == self.id => true,
            Some(id) if self.applications.contains(&id) => false,
            _ => said.name.as_deref() == Some(self.name),
        }
    }
}

impl Profile {
    /// Reads the `object` of a configuration object.
    ///
    /// # Errors
    /// Why nothing of it can be followed.
    pub fn read(name: &str, object: &Value) -> Result<Self, NotExecutable> {
        let text = |name: &str| object["authoritativeSource"][name].as_str().filter(|text| !text.is_empty());
        let source = AccountSource { id: text("id").map(str::to_owned), name: text("name").map(str::to_owned) };
        if source == AccountSource::default() {
            return Err(NotExecutable::new("authoritativeSource", "The id or the name of a SOURCE is required"));
        }
        let priority = match &object["priority"] {
            Value::Null => None,
            written => Some(
                written
                    .as_i64()
                    .ok_or_else(|| NotExecutable::new("priority", format!("{} is no whole number", shown(written))))?,
            ),
        };
        let config = &object["identityAttributeConfig"];
        let is_enabled = match &config["enabled"] {
            Value::Null => true,
            Value::Bool(enabled) => *enabled,
            other => {
                let reason = format!("{} is neither true nor false", shown(other));
                return Err(NotExecutable::new("identityAttributeConfig.enabled", reason));
            }
        };
        let attributes = match &config["attributeTransforms"] {
            Value::Null => Vec::new(),
            Value::Array(attributes) => attributes.clone(),
            other => return Err(NotExecutable::new(ATTRIBUTES, format!("{} is no array", shown(other)))),
        };
        if attributes.len() > LIMIT {
            let reason = format!("{} attributes; at most {LIMIT} are executed", attributes.len());
            return Err(NotExecutable::new(ATTRIBUTES, reason));
        }
        Ok(Self { name: name.to_owned(), is_enabled, priority, source, attributes })
    }

    /// Does it say how this application's people are made?
    pub fn is_of(&self, origin: &Origin<'_>) -> bool {
        origin.is(&self.source)
    }

    /// What it makes of the rows of its application. `schema` says which custom attributes there are, if anything does.
    pub fn mapped(&self, origin: &Origin<'_>, transforms: &Transforms, schema: Option<&Schema>) -> Mapped {
        let mut mapped = Mapped::default();
        for (at, attribute) in self.attributes.iter().enumerate() {
            let path = format!("{ATTRIBUTES}[{at}]");
            let read = target(attribute, &path, schema).and_then(|field| {
                if mapped.fields.contains_key(field) {
                    let reason = format!("The field {field} is made already, by an attribute before this one");
                    return Err(NotExecutable::new(format!("{path}.identityAttributeName"), reason));
                }
                Ok((field.to_owned(), made(attribute, &path, origin, transforms)?))
            });
            match read {
                Ok((field, transform)) => {
                    mapped.fields.insert(field, transform);
                }
                Err(refused) => mapped.refused.push(refused),
            }
        }
        mapped
    }
}

/// The profile that is followed for an application: of those that are enabled and its own, the one that comes first by priority,
/// then by name.
pub fn followed<'p>(profiles: impl IntoIterator<Item = &'p Profile>, origin: &Origin<'_>) -> Option<&'p Profile> {
    let own = profiles.into_iter().filter(|profile| profile.is_enabled && profile.is_of(origin));
    own.min_by_key(|profile| (profile.priority.is_none(), profile.priority, profile.name.as_str()))
}

/// The field that an attribute of a profile makes.
fn target<'a>(attribute: &'a Value, path: &str, schema: Option<&Schema>) -> Result<&'a str, NotExecutable> {
    let path = format!("{path}.identityAttributeName");
    let refused = |reason: String| NotExecutable::new(path.as_str(), reason);
    let name = attribute_name(attribute["identityAttributeName"].as_str()).map_err(refused)?;
    let field = field(name);
    if fields::required(Content::Identities).contains(&field) {
        return Err(refused(format!("{field} tells rows apart; the file group's columns make it")));
    }
    if fields::known(Content::Identities).contains(&field) || schema.is_none_or(|schema| schema.get(name).is_some()) {
        return Ok(field);
    }
    Err(refused(format!("The schema of identities has no attribute {name:?}")))
}

/// What makes an attribute's value.
fn made(
    attribute: &Value,
    path: &str,
    origin: &Origin<'_>,
    transforms: &Transforms,
) -> Result<Transform, NotExecutable> {
    let path = format!("{path}.transformDefinition");
    let definition = &attribute["transformDefinition"];
    if has_redacted(definition) {
        let reason =
            "A text in it was taken out as a secret, by its name; a TRANSFORM, which has no secrets, can say it";
        return Err(NotExecutable::new(path, reason));
    }
    let transform = transforms.transform(definition, &path)?;
    if let Some(other) = transform.sources().find(|said| **said != AccountSource::default() && !origin.is(said)) {
        let said = other.name.as_ref().or(other.id.as_ref());
        let reason = format!(
            "It reads accounts of {:?}; only those of {:?}, whose people the profile makes, are there",
            said.map(String::as_str).unwrap_or_default(),
            origin.name
        );
        return Err(NotExecutable::new(path, reason));
    }
    if transform.reads_input() {
        let reason = "It makes its value of an input, and a profile gives none: an input of its own is required";
        return Err(NotExecutable::new(path, reason));
    }
    Ok(transform)
}

/// Is there a text that stands for a secret? Nobody should be called so.
fn has_redacted(value: &Value) -> bool {
    match value {
        Value::String(text) => text == REDACTED,
        Value::Array(values) => values.iter().any(has_redacted),
        Value::Object(entries) => entries.values().any(has_redacted),
        _ => false,
    }
}

#[cfg(test)]
#[expect(clippy::needless_pass_by_value, reason = "documents are written where they are used")]
mod tests {
    use serde_json::json;

    use super::*;

    const HR: Uuid = Uuid::from_u128(1);
    const AD: Uuid = Uuid::from_u128(2);

    fn profile(name: &str, object: Value) -> Profile {
        Profile::read(name, &object).unwrap_or_else(|refused| panic!("{refused}"))
    }

    fn of(source: Value, priority: Value) -> Value {
        json!({"authoritativeSource": source, "priority": priority})
    }

    fn hr() -> Value {
        json!({"type": "SOURCE", "id": HR, "name": "HR"})
    }

    fn account(said: Value) -> Value {
        json!({"type": "accountAttribute", "attributes": said})
    }

    /// What a profile of HR makes of these attributes: the fields, and what is told of the others.
    fn mapped(attributes: &[(&str, Value)], schema: Option<Value>) -> (Vec<String>, Vec<String>) {
        let attributes: Vec<Value> = attributes
            .iter()
            .map(|(name, definition)| json!({"identityAttributeName": name, "transformDefinition": definition}))
            .collect();
        let config = json!({"enabled": true, "attributeTransforms": attributes});
        let read = profile("P", json!({"authoritativeSource": hr(), "identityAttributeConfig": config}));
        let named =
            json!({"Lower": {"type": "lower"}, "Of AD": account(json!({"attributeName": "a", "sourceName": "AD"}))});
        let transforms = Transforms::read(&serde_json::from_value(named).unwrap());
        let schema = schema.map(|schema| Schema::read(&schema).unwrap());
        let applications = BTreeSet::from([HR, AD]);
        let origin = Origin { id: HR, name: "HR", applications: &applications };
        let mapped = read.mapped(&origin, &transforms, schema.as_ref());
        let told = mapped.refused.iter().map(|refused| refused.to_string().replace(ATTRIBUTES, "")).collect();
        (mapped.fields.into_keys().collect(), told)
    }

    #[test]
    fn names_of_sailpoint_are_fields_of_ours_and_others_are_custom_attributes() {
        let column = || account(json!({"attributeName": "c"}));
        let names =
            ["firstname", "lastname", "manager", "identificationNumber", "displayName", "email", "uid", "status"];
        let (fields, told) = mapped(&names.map(|name| (name, column())), None);
        let expected = ["displayName", "email", "employeeId", "firstName", "lastName", "status", "supervisor", "uid"];
        assert_eq!((fields, told), (expected.map(str::to_owned).to_vec(), vec![]));
    }

    #[test]
    fn an_attribute_that_cannot_be_executed_is_told_and_costs_no_other() {
        let column = || account(json!({"attributeName": "c"}));
        let lower = |attributes| json!({"type": "reference", "attributes": attributes});
        let (fields, told) = mapped(
            &[
                ("email", lower(json!({"id": "Lower", "input": column()}))),
                ("title", lower(json!({"id": "Lower"}))),
                ("uid", json!({"type": "rule", "attributes": {"name": "Cloud Promote Identity Attribute"}})),
                ("key", column()),
                ("firstName", column()),
                ("firstname", column()),
                ("phone", column()),
                ("badge", column()),
                (" ", column()),
                ("office", lower(json!({"id": "Nobody"}))),
                ("company", lower(json!({"id": "Of AD"}))),
                ("division", Value::Null),
                ("department", json!({"type": "lookup", "attributes": {"table": {"token": REDACTED}}})),
            ],
            Some(json!({"attributes": [{"name": "phone"}, {"name": "uid"}]})),
        );
        assert_eq!(fields, ["email", "firstName", "phone"]);
        let told: Vec<&str> = told.iter().map(|told| told.split(';').next().unwrap()).collect();
        assert_eq!(
            told,
            [
                "[1].transformDefinition: It makes its value of an input, and a profile gives none: an input of its own is required",
                "[2].transformDefinition.type: rule is not executed here",
                "[3].identityAttributeName: key tells rows apart",
                "[5].identityAttributeName: The field firstName is made already, by an attribute before this one",
                "[7].identityAttributeName: The schema of identities has no attribute \"badge\"",
                "[8].identityAttributeName: A name is required",
                "[9].transformDefinition.attributes.id: There is no transform \"Nobody\"",
                "[10].transformDefinition: It reads accounts of \"AD\"",
                "[11].transformDefinition: A transform is an object with type and attributes",
                "[12].transformDefinition: A text in it was taken out as a secret, by its name",
            ]
        );
    }

    #[test]
    fn an_account_is_of_the_source_that_its_id_means_or_else_its_name() {
        let read = |said| mapped(&[("email", account(said))], None).1.is_empty();
        assert!(read(json!({"attributeName": "c"})));
        assert!(read(json!({"attributeName": "c", "sourceName": "HR"})));
        assert!(read(json!({"attributeName": "c", "sourceName": "Renamed", "sourceId": HR.simple().to_string()})));
        assert!(read(
            json!({"attributeName": "c", "sourceName": "HR", "applicationId": "2c918085", "applicationName": "x"})
        ));
        assert!(!read(json!({"attributeName": "c", "sourceName": "HR", "sourceId": AD})));
        assert!(!read(json!({"attributeName": "c", "sourceName": "AD"})));
        assert!(!read(json!({"attributeName": "c", "sourceId": "2c918085"})));
    }

    #[test]
    fn of_several_profiles_the_lowest_priority_is_followed_then_the_first_name() {
        let applications = BTreeSet::from([HR, AD]);
        let origin = Origin { id: HR, name: "HR", applications: &applications };
        let mut off = profile("Off", of(hr(), json!(0)));
        off.is_enabled = false;
        let all = [
            off,
            profile("None", of(hr(), Value::Null)),
            profile("Other", of(json!({"id": AD, "name": "HR"}), json!(1))),
            profile("B", of(json!({"name": "HR"}), json!(10))),
            profile("A", of(json!({"id": "unknown", "name": "HR"}), json!(10))),
            profile("Later", of(hr(), json!(20))),
        ];
        let chosen = |profiles: &[Profile]| followed(profiles, &origin).map(|profile| profile.name.clone());
        assert_eq!(chosen(&all).as_deref(), Some("A"));
        assert_eq!(chosen(&all[..3]).as_deref(), Some("None"));
        assert_eq!(chosen(&all[..1]), None);
    }

    #[test]
    fn what_is_no_profile_says_where_and_why() {
        let with = |config: Value| json!({"authoritativeSource": hr(), "identityAttributeConfig": config});
        let many = vec![json!({}); 1001];
        for (object, told) in [
            (json!({}), "authoritativeSource: The id or the name of a SOURCE is required"),
            (
                json!({"authoritativeSource": {"id": "", "name": 1}}),
                "authoritativeSource: The id or the name of a SOURCE is required",
            ),
            (of(hr(), json!("first")), "priority: \"first\" is no whole number"),
            (of(hr(), json!(1.5)), "priority: 1.5 is no whole number"),
            (with(json!({"enabled": "yes"})), "identityAttributeConfig.enabled: \"yes\" is neither true nor false"),
            (with(json!({"attributeTransforms": {}})), "identityAttributeConfig.attributeTransforms: {} is no array"),
            (
                with(json!({"attributeTransforms": many})),
                "identityAttributeConfig.attributeTransforms: 1001 attributes; at most 1000 are executed",
            ),
        ] {
            assert_eq!(Profile::read("P", &object).unwrap_err().to_string(), told);
        }
        assert!(profile("P", json!({"authoritativeSource": hr(), "identityAttributeConfig": null})).is_enabled);
    }
}
