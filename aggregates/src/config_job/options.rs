use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::config_object::{ObjectType, Reference};
use crate::violation::Violation;

/// Which objects a job is about (contracts §2.2, rulings 42). Lists that are null or empty are absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Selection {
    /// All types but these.
    #[serde(default, deserialize_with = "absent", skip_serializing_if = "Vec::is_empty")]
    pub exclude_types: Vec<String>,
    /// These types and no others; `exclude_types` doesn't count then.
    #[serde(default, deserialize_with = "absent", skip_serializing_if = "Vec::is_empty")]
    pub include_types: Vec<String>,
    /// Which objects of a type; a type that isn't here, or without ids and names, means all of them.
    #[serde(default, deserialize_with = "absent", skip_serializing_if = "BTreeMap::is_empty")]
    pub object_options: BTreeMap<String, Objects>,
}

/// Objects of a type: those with one of these ids or one of these names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Objects {
    /// Ids.
    #[serde(default, deserialize_with = "absent", skip_serializing_if = "Vec::is_empty")]
    pub included_ids: Vec<String>,
    /// Names.
    #[serde(default, deserialize_with = "absent", skip_serializing_if = "Vec::is_empty")]
    pub included_names: Vec<String>,
}

/// How an import goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportOptions {
    /// Which objects of the file.
    #[serde(flatten)]
    pub selection: Selection,
    /// What references that lead nowhere may mean.
    #[serde(default, deserialize_with = "absent", skip_serializing_if = "Vec::is_empty")]
    pub default_references: Vec<DefaultReference>,
    /// No export of all objects before.
    #[serde(default, deserialize_with = "absent")]
    pub exclude_backup: bool,
}

/// The documentation has both forms (contracts §2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum DefaultReference {
    /// References to this type may mean objects that are known already.
    Type(String),
    /// What references of this type mean that lead nowhere else.
    Object(Reference),
}

/// Null is absent.
fn absent<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Selection {
    /// Is the object one of these?
    pub fn selects(&self, object: &Reference) -> bool {
        let is_type = if self.include_types.is_empty() {
            !self.exclude_types.contains(&object.kind)
        } else {
            self.include_types.contains(&object.kind)
        };
        is_type && self.object_options.get(&object.kind).is_none_or(|objects| objects.selects(object))
    }

    /// What is wrong with it.
    pub fn violations(&self) -> Vec<Violation> {
        let known = |name: &String| ObjectType::read(name).is_some();
        let is_elsewhere = |name: &String| ObjectType::ELSEWHERE.contains(&&**name);
        let included = self.include_types.iter().filter(|name| !known(name)).map(|name| ("includeTypes", name));
        let excluded = self.exclude_types.iter().filter(|name| !known(name) && !is_elsewhere(name));
        let of_options = self.object_options.keys().filter(|name| !known(name) && !is_elsewhere(name));
        included
            .chain(excluded.map(|name| ("excludeTypes", name)))
            .chain(of_options.map(|name| ("objectOptions", name)))
            .map(|(field, name)| Violation::new(field, ObjectType::unknown(name)))
            .chain(nul("objectOptions", self))
            .collect()
    }
}

/// PostgreSQL's `jsonb` can't hold a NUL.
fn nul(field: &str, options: &impl Serialize) -> Option<Violation> {
    let has_nul = serde_json::to_string(options).is_ok_and(|text| text.contains("\\u0000"));
    has_nul.then(|| Violation::new(field, "A NUL character is not allowed"))
}

impl Objects {
    fn selects(&self, object: &Reference) -> bool {
        let is_any = self.included_ids.is_empty() && self.included_names.is_empty();
        is_any || self.included_ids.contains(&object.id) || self.included_names.contains(&object.name)
    }
}

impl ImportOptions {
    /// May references to this type mean objects that are known already, and not only those of the file?
    pub fn may_mean_known(&self, kind: &str) -> bool {
        let mut types = self.default_references.iter().filter_map(|default| match default {
            DefaultReference::Type(kind) => Some(kind),
            DefaultReference::Object(_) => None,
        });
        let mut is_said = false;
        types.any(|named| {
            is_said = true;
            named == kind
        }) || !is_said
    }

    /// What a reference of this type means that leads nowhere else.
    pub fn fallback(&self, kind: &str) -> Option<&Reference> {
        self.default_references.iter().find_map(|default| match default {
            DefaultReference::Object(reference) if reference.kind == kind => Some(reference),
            _ => None,
        })
    }

    /// What is wrong with them.
    pub fn violations(&self) -> Vec<Violation> {
        let mut found = self.selection.violations();
        found.extend(nul("defaultReferences", &self.default_references));
        for (at, default) in self.default_references.iter().enumerate() {
            if let DefaultReference::Type(name) = default
                && ObjectType::read(name).is_none()
                && !ObjectType::ELSEWHERE.contains(&&**name)
            {
                found.push(Violation::new(format!("defaultReferences[{at}]"), ObjectType::unknown(name)));
            }
        }
        found
    }
}
