//! Whether anything here follows an object. One that nothing does is kept all the same: whoever imports it is told.

use std::collections::{BTreeMap, BTreeSet};

use aggregates::application::source::{self, application_id};
use aggregates::application::{Content, Definition};
use aggregates::config_job::plan::{Message, Planned};
use aggregates::config_object::{Document, ObjectType, Reference};
use aggregates::identity::profile::{Origin, Profile, followed};
use aggregates::identity::schema::Schema;
use aggregates::transform::{NotExecutable, Transforms};
use serde_json::Value;
use uuid::Uuid;

use super::entries::Entry;

/// Told of an object that is kept and has no effect.
const NOT_EXECUTABLE: &str = "NOT_EXECUTABLE";

/// Notes of each object that will be imported why it, or something in it, has no effect, if that is so. `known` is what there is.
pub(super) fn tell<'e>(planned: &mut [Planned], known: impl Iterator<Item = &'e Entry>) {
    let there = There::after(planned, known);
    for object in planned.iter_mut().filter(|object| object.errors.is_empty()) {
        let Some(kind) = object.target.object_type() else { continue };
        let name = &object.target.name;
        let (whole, parts) = match there.follows(kind, object) {
            Ok(parts) => (None, parts),
            Err(reason) => (Some(reason), Vec::new()),
        };
        let whole = whole.map(|reason| format!("{} {name:?} is kept, but not executed here: {reason}", kind.as_str()));
        let part = |part| format!("{} {name:?} is kept, but this in it is not executed here: {part}", kind.as_str());
        let texts = whole.into_iter().chain(parts.into_iter().map(part));
        object.infos.extend(texts.map(|text| Message { key: NOT_EXECUTABLE, text }).collect::<Vec<_>>());
    }
}

/// What there will be after an import, as far as one object matters to another.
struct There {
    transforms: Transforms,
    schema: Option<Schema>,
    profiles: BTreeMap<String, Profile>,
    applications: BTreeMap<Uuid, Definition>,
}

impl There {
    fn after<'e>(planned: &[Planned], known: impl Iterator<Item = &'e Entry>) -> Self {
        let mut objects: BTreeMap<(&str, &str), (&Reference, &Document)> = BTreeMap::new();
        let known = known.map(|entry| (&entry.reference, &entry.document));
        let imported = planned.iter().filter(|object| object.errors.is_empty());
        for (reference, document) in known.chain(imported.map(|object| (&object.target, &object.document))) {
            objects.insert((&reference.kind, &reference.id), (reference, document));
        }
        let brings = |kind| planned.iter().any(|object| object.target.object_type() == Some(kind));
        let (has_profiles, has_transforms) = (brings(ObjectType::IdentityProfile), brings(ObjectType::Transform));
        // What nothing of the file needs isn't read.
        let of_type = |kind: ObjectType| {
            let is_needed = has_profiles || (kind == ObjectType::Transform && has_transforms);
            objects.values().copied().filter(move |(called, _)| is_needed && called.object_type() == Some(kind))
        };
        let transforms = of_type(ObjectType::Transform).map(|(called, said)| (called.name.clone(), object(said)));
        let profile = |(called, said): (&Reference, &Document)| {
            Some((called.name.clone(), Profile::read(&called.name, &object(said)).ok()?))
        };
        let application = |(called, said): (&Reference, &Document)| {
            Some((application_id(&called.id), source::read(called, said).ok()?.0))
        };
        Self {
            transforms: Transforms::read(&transforms.collect()),
            schema: of_type(ObjectType::IdentityObjectConfig).find_map(|(_, said)| Schema::read(&object(said)).ok()),
            profiles: of_type(ObjectType::IdentityProfile).filter_map(profile).collect(),
            applications: of_type(ObjectType::Source).filter_map(application).collect(),
        }
    }

    /// What in an object has no effect; the error is why all of it has none.
    fn follows(&self, kind: ObjectType, object: &Planned) -> Result<Vec<NotExecutable>, String> {
        let name = &object.target.name;
        let said = self::object(&object.document);
        match kind {
            ObjectType::Transform => match self.transforms.get(name) {
                Some(Err(refused)) => Err(refused.to_string()),
                _ => Ok(Vec::new()),
            },
            ObjectType::IdentityObjectConfig => match Schema::read(&said) {
                Ok(schema) => Ok(schema.refused),
                Err(refused) => Err(refused.to_string()),
            },
            ObjectType::IdentityProfile => self.maps(name, &said),
            _ => Ok(Vec::new()),
        }
    }

    fn maps(&self, name: &str, object: &Value) -> Result<Vec<NotExecutable>, String> {
        let profile = Profile::read(name, object).map_err(|refused| refused.to_string())?;
        if !profile.is_enabled {
            return Err("identityAttributeConfig.enabled is false".to_owned());
        }
        let ids: BTreeSet<Uuid> = self.applications.keys().copied().collect();
        let mut origins = self
            .applications
            .iter()
            .map(|(id, definition)| (Origin { id: *id, name: &definition.name, applications: &ids }, definition));
        let Some((origin, definition)) = origins.find(|(origin, _)| profile.is_of(origin)) else {
            return Err("authoritativeSource: there is no such application".to_owned());
        };
        if !definition.delivers(Content::Identities) {
            let reason = format!("authoritativeSource: the application {:?} reads no file of identities", origin.name);
            return Err(reason);
        }
        match followed(self.profiles.values(), &origin) {
            Some(first) if first.name != name => Err(format!(
                "for {:?} the profile {:?} is followed, whose priority comes first",
                origin.name, first.name
            )),
            _ => Ok(profile.mapped(&origin, &self.transforms, self.schema.as_ref()).refused),
        }
    }
}

fn object(document: &Document) -> Value {
    document.value().get_mut("object").map(Value::take).unwrap_or_default()
}
