//! Whether anything here follows an object. One that nothing does is kept all the same: whoever imports it is told.

use std::collections::{BTreeMap, BTreeSet};

use aggregates::application::source::{self, application_id};
use aggregates::application::{Content, Definition};
use aggregates::config_job::directory::Directory;
use aggregates::config_job::incoming::links;
use aggregates::config_job::plan::{Message, Plan};
use aggregates::config_object::{Document, ObjectType, Reference};
use aggregates::identity::profile::{Origin, Profile, followed};
use aggregates::identity::schema::Schema;
use aggregates::rule::Rule;
use aggregates::transform::{NotExecutable, Transforms, refers};
use aggregates::webhook::Subscription;
use projections::applications;
use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

use super::ConfigurationError;
use super::entries::{Snapshot, entries};
use super::kept::KeptFile;

/// Told of an object that is kept and has no effect.
const NOT_EXECUTABLE: &str = "NOT_EXECUTABLE";

/// Why an object that will be imported, or something in it, has no effect, if that is so.
pub(super) fn tell(target: &Reference, document: &Document, there: &There) -> Vec<Message> {
    let Some(kind) = target.object_type() else { return Vec::new() };
    let name = &target.name;
    let (whole, parts) = match there.follows(kind, name, document) {
        Ok(parts) => (None, parts),
        Err(reason) => (Some(reason), Vec::new()),
    };
    let whole = whole.map(|reason| format!("{} {name:?} is kept, but not executed here: {reason}", kind.as_str()));
    let part = |part| format!("{} {name:?} is kept, but this in it is not executed here: {part}", kind.as_str());
    let texts = whole.into_iter().chain(parts.into_iter().map(part));
    texts.map(|text| Message { key: NOT_EXECUTABLE, text }).collect()
}

/// Does it depend on other objects whether this one is followed?
pub(super) fn needs_others(kind: Option<ObjectType>, document: &Document) -> bool {
    match kind {
        Some(ObjectType::IdentityProfile) => true,
        Some(ObjectType::Transform) => refers(&object(document)),
        _ => false,
    }
}

/// What there will be after an import, as far as one object matters to another.
#[derive(Default)]
pub(super) struct There {
    transforms: Transforms,
    schema: Option<Schema>,
    applications: BTreeMap<Uuid, Definition>,
    /// All ids of applications, of archived ones, too.
    ids: BTreeSet<Uuid>,
    /// The profile that is followed for an application.
    followed: BTreeMap<Uuid, String>,
}

/// Types of objects that others depend on.
const NEEDED: [ObjectType; 4] =
    [ObjectType::Transform, ObjectType::IdentityObjectConfig, ObjectType::IdentityProfile, ObjectType::Source];

impl There {
    /// Reads what there is and what the file brings. Of all types only those that others depend on.
    pub(super) async fn after(pool: &PgPool, plan: &Plan<'_>, file: &mut KeptFile) -> Result<Self, ConfigurationError> {
        let is_source = |called: &Reference| called.object_type() == Some(ObjectType::Source);
        let is_needed = |reference: &Reference| reference.object_type().is_some_and(|kind| NEEDED.contains(&kind));
        let mut known = Snapshot::take(pool).await?.references;
        known.retain(is_needed);
        let mut objects: BTreeMap<(String, String), (Reference, Document)> = BTreeMap::new();
        let key = |reference: &Reference| (reference.kind.clone(), reference.id.clone());
        for entry in entries(&mut *pool.acquire().await?, &known).await? {
            objects.insert(key(&entry.reference), (entry.reference, entry.document));
        }
        let brought: Vec<usize> =
            plan.places().filter(|at| !plan.is_refused(*at) && is_needed(plan.called(*at))).collect();
        let in_file: Vec<usize> = brought.iter().map(|at| plan.place_in_file(*at)).collect();
        let mut documents = file.documents(&in_file).await?;
        for (at, in_file) in brought.into_iter().zip(in_file) {
            let Some(document) = documents.remove(&in_file) else { continue };
            // Whoever owns something has no part in what it does.
            let resolved = plan.resolve(links(&document), &Directory::default());
            let target = plan.target(at);
            objects.insert(key(&target), (target, resolved.written(document)));
        }
        let mut ids: BTreeSet<Uuid> = applications::ids(pool).await?.into_iter().collect();
        ids.extend(
            objects.values().filter(|(called, _)| is_source(called)).map(|(called, _)| application_id(&called.id)),
        );
        Ok(Self::of(&objects.into_values().collect::<Vec<_>>(), ids))
    }

    fn of(objects: &[(Reference, Document)], ids: BTreeSet<Uuid>) -> Self {
        let of_type = |kind| objects.iter().filter(move |(called, _)| called.object_type() == Some(kind));
        let transforms = of_type(ObjectType::Transform).map(|(called, said)| (called.name.clone(), object(said)));
        let profile = |(called, said): &(Reference, Document)| Profile::read(&called.name, &object(said)).ok();
        let profiles: Vec<Profile> = of_type(ObjectType::IdentityProfile).filter_map(profile).collect();
        let application = |(called, said): &(Reference, Document)| {
            Some((application_id(&called.id), source::read(called, said).ok()?.0))
        };
        let applications: BTreeMap<Uuid, Definition> = of_type(ObjectType::Source).filter_map(application).collect();
        let first = |(id, definition): (&Uuid, &Definition)| {
            let origin = Origin { id: *id, name: &definition.name, applications: &ids };
            Some((*id, followed(&profiles, &origin)?.name.clone()))
        };
        let followed = applications.iter().filter_map(first).collect();
        Self {
            transforms: Transforms::read(&transforms.collect()),
            schema: of_type(ObjectType::IdentityObjectConfig).find_map(|(_, said)| Schema::read(&object(said)).ok()),
            applications,
            ids,
            followed,
        }
    }

    /// What in an object has no effect; the error is why all of it has none.
    fn follows(&self, kind: ObjectType, name: &str, document: &Document) -> Result<Vec<NotExecutable>, String> {
        let said = object(document);
        match kind {
            ObjectType::Transform => match self.transforms.get(name) {
                Some(known) => known.as_ref().map(|_| Vec::new()).map_err(ToString::to_string),
                None => self.transforms.transform(&said, "").map(|_| Vec::new()).map_err(|refused| refused.to_string()),
            },
            ObjectType::Rule => Rule::read(&said).map(|_| Vec::new()).map_err(|refused| refused.to_string()),
            ObjectType::ConnectorRule => Err("rules of connectors are for the connectors of others".to_owned()),
            ObjectType::TriggerSubscription => {
                let subscription = Subscription::read(&document.value())?;
                subscription.is_signed().map(|()| Vec::new())
            }
            ObjectType::IdentityObjectConfig => {
                Schema::read(&said).map(|schema| schema.refused).map_err(|refused| refused.to_string())
            }
            ObjectType::IdentityProfile => self.maps(name, &said),
            ObjectType::Source => Ok(Vec::new()),
        }
    }

    fn maps(&self, name: &str, object: &Value) -> Result<Vec<NotExecutable>, String> {
        let profile = Profile::read(name, object).map_err(|refused| refused.to_string())?;
        if !profile.is_enabled {
            return Err("identityAttributeConfig.enabled is false".to_owned());
        }
        let mut origins = self
            .applications
            .iter()
            .map(|(id, definition)| (Origin { id: *id, name: &definition.name, applications: &self.ids }, definition));
        let Some((origin, definition)) = origins.find(|(origin, _)| profile.is_of(origin)) else {
            return Err("authoritativeSource: there is no such application".to_owned());
        };
        if !definition.delivers(Content::Identities) {
            let reason = format!("authoritativeSource: the application {:?} reads no file of identities", origin.name);
            return Err(reason);
        }
        match self.followed.get(&origin.id) {
            Some(first) if first != name => {
                Err(format!("for {:?} the profile {first:?} is followed, whose priority comes first", origin.name))
            }
            _ => Ok(profile.mapped(&origin, &self.transforms, self.schema.as_ref()).refused),
        }
    }
}

fn object(document: &Document) -> Value {
    document.value().get_mut("object").map(Value::take).unwrap_or_default()
}
