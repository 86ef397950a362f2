//! What the references of an object lead to (ruling 41).

use super::ImportOptions;
use super::directory::Directory;
use super::incoming::Link;
use super::plan::{Message, Plan};
use crate::config_object::{Document, ObjectType, Place, Reference, replace};

/// Told of a reference that leads nowhere.
pub const UNRESOLVED: &str = "UNKNOWN_REFERENCE_RESOLVER";
/// Told of a reference that leads somewhere.
pub const RESOLVED: &str = "REFERENCE_RESOLVED";

/// What becomes of an object's references.
#[derive(Debug, Default)]
pub struct Resolved {
    /// Those that are written anew.
    pub rewritten: Vec<Link>,
    /// How they were resolved.
    pub infos: Vec<Message>,
    /// What couldn't be resolved and may stay so.
    pub warnings: Vec<Message>,
    /// What couldn't be resolved and must be.
    pub errors: Vec<Message>,
    /// Places in the plan of those objects of the file that are meant.
    pub needs: Vec<u32>,
}

/// What a reference means.
enum Meant<'m> {
    /// An object of the file, at this place of the plan.
    Planned(usize),
    /// One that is here.
    Known(&'m Reference),
}

impl Resolved {
    /// What the object will say: its document of the file, references resolved.
    pub fn written(&self, document: Document) -> Document {
        if self.rewritten.is_empty() {
            return document;
        }
        let mut value = document.value();
        if let Some(object) = value.get_mut("object") {
            for Link { path, reference } in &self.rewritten {
                replace(object, path, reference);
            }
        }
        Document::from(&value)
    }
}

/// People that these objects mean, and the options: who they are is looked up before.
pub fn people<'l>(links: impl Iterator<Item = &'l Link>, options: &ImportOptions) -> Vec<Reference> {
    let all = links.map(|link| &link.reference).chain(options.fallback("IDENTITY"));
    let mut people: Vec<Reference> = all.filter(|reference| reference.kind == "IDENTITY").cloned().collect();
    people.sort();
    people.dedup();
    people
}

impl Plan<'_> {
    /// Resolves the references of an object. `people` holds those that they mean.
    pub fn resolve(&self, links: Vec<Link>, people: &Directory) -> Resolved {
        let mut resolved = Resolved::default();
        for Link { path, reference: wanted } in links {
            let Some((meant, how)) = self.meant(&wanted, people) else {
                let message = Message {
                    key: UNRESOLVED,
                    text: format!(
                        "Unable to resolve reference for object [type: {}, id: {}, name: {}] at {}",
                        wanted.kind,
                        wanted.id,
                        wanted.name,
                        path_text(&path)
                    ),
                };
                // What can be imported must be there; people and things that only other systems have may be missing.
                if ObjectType::read(&wanted.kind).is_some() {
                    resolved.errors.push(message);
                } else {
                    resolved.warnings.push(message);
                }
                continue;
            };
            let means = match meant {
                Meant::Planned(place) => {
                    resolved.needs.push(place as u32);
                    self.target(place)
                }
                Meant::Known(known) => known.clone(),
            };
            resolved.infos.push(Message {
                key: RESOLVED,
                text: format!(
                    "Reference at {} to [type: {}, id: {}, name: {}] resolved {how} to [id: {}, name: {}]",
                    path_text(&path),
                    wanted.kind,
                    wanted.id,
                    wanted.name,
                    means.id,
                    means.name
                ),
            });
            if means.id != wanted.id || means.name != wanted.name {
                resolved.rewritten.push(Link { path, reference: means });
            }
        }
        resolved.needs.sort_unstable();
        resolved.needs.dedup();
        resolved
    }

    /// By id, else by name, else by the options; in the file, else here.
    fn meant<'m>(&'m self, wanted: &Reference, people: &'m Directory) -> Option<(Meant<'m>, &'static str)> {
        let here = if wanted.kind == "IDENTITY" { people } else { self.known };
        let may_be_known = self.options.may_mean_known(&wanted.kind) || wanted.kind == "IDENTITY";
        let known = |place: usize| Meant::Known(&here.all()[place]);
        // What can't be imported isn't in the file.
        let in_file = |found: Option<usize>| found.filter(|_| wanted.object_type().is_some()).map(Meant::Planned);
        let by_id = |wanted| in_file(self.in_file.by_id(wanted));
        let by_name = |wanted| in_file(self.in_file.by_name(wanted));
        let known_by_id = |wanted| here.by_id(wanted).map(known);
        let known_by_name = |wanted| here.by_name(wanted).map(known);
        let by_default = || {
            let fallback = self.options.fallback(&wanted.kind)?;
            let planned = by_id(fallback).or_else(|| by_name(fallback));
            planned.or_else(|| known_by_id(fallback).or_else(|| known_by_name(fallback)))
        };
        let (meant, how) = by_id(wanted)
            .or_else(|| known_by_id(wanted).filter(|_| may_be_known))
            .map(|meant| (meant, "by id"))
            .or_else(|| {
                let named = by_name(wanted).or_else(|| known_by_name(wanted).filter(|_| may_be_known));
                Some((named?, "by name"))
            })
            .or_else(|| Some((by_default()?, "by defaultReferences")))?;
        let meant = match meant {
            // Here by another name, and in the file as well.
            Meant::Known(known) => by_id(known).unwrap_or(Meant::Known(known)),
            planned @ Meant::Planned(_) => planned,
        };
        Some((meant, how))
    }
}

fn path_text(path: &[Place]) -> String {
    path.iter().fold("$".to_owned(), |text, place| match place {
        Place::Name(name) => format!("{text}.{name}"),
        Place::At(at) => format!("{text}[{at}]"),
    })
}
