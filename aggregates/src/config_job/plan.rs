//! What an import would do with each object of its file: which known object it means, what its references lead to, and in which
//! order objects come that refer to each other (rulings 41-43).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::ImportOptions;
use super::incoming::{Link, Outline};
use crate::config_object::{Document, ObjectType, Place, Reference, replace};

/// Objects by type and id, and by type and name.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    by_id: ByType,
    by_name: ByType,
}

type ByType = HashMap<String, HashMap<String, Arc<Reference>>>;

/// How a reference was resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Id,
    Name,
    Default,
}

/// Something to be told about an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// For programs.
    pub key: &'static str,
    /// For people.
    pub text: String,
}

/// What becomes of an object of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// As the file calls it.
    pub reference: Reference,
    /// Its place in the file.
    pub place: usize,
    /// As it will be called: with the id of the known object that it means.
    pub target: Reference,
    /// References of its document that are written anew.
    pub rewritten: Vec<Link>,
    /// How references were resolved.
    pub infos: Vec<Message>,
    /// What couldn't be resolved and may stay so.
    pub warnings: Vec<Message>,
    /// Why it can't be imported.
    pub errors: Vec<Message>,
    /// Places in the plan of objects that it refers to; always before its own.
    pub needs: Vec<usize>,
}

/// Told of a reference that leads nowhere.
pub const UNRESOLVED: &str = "UNKNOWN_REFERENCE_RESOLVER";
/// Told of a reference that leads somewhere.
pub const RESOLVED: &str = "REFERENCE_RESOLVED";
/// Told of an object that can't be imported.
pub const FAILED: &str = "IMPORT_ERROR";

impl Directory {
    /// Adds an object.
    pub fn add(&mut self, reference: &Reference) {
        let shared = Arc::new(reference.clone());
        for (all, text) in [(&mut self.by_id, &shared.id), (&mut self.by_name, &shared.name)] {
            if !all.contains_key(&shared.kind) {
                all.insert(shared.kind.clone(), HashMap::new());
            }
            if let Some(of_type) = all.get_mut(&shared.kind) {
                of_type.insert(text.clone(), Arc::clone(&shared));
            }
        }
    }

    /// The one object of a type of which there is one at most.
    fn only(&self, wanted: &Reference) -> Option<&Reference> {
        wanted.object_type().filter(|kind| kind.is_one_per_tenant())?;
        self.by_id.get(&wanted.kind)?.values().min().map(Arc::as_ref)
    }

    fn by_id(&self, wanted: &Reference) -> Option<&Reference> {
        let found = self.by_id.get(&wanted.kind)?.get(&wanted.id);
        found.filter(|_| !wanted.id.is_empty()).map(Arc::as_ref)
    }

    fn by_name(&self, wanted: &Reference) -> Option<&Reference> {
        let found = self.by_name.get(&wanted.kind)?.get(&wanted.name);
        found.filter(|_| !wanted.name.is_empty()).map(Arc::as_ref)
    }
}

impl Planned {
    /// What it will say: its document of the file, references resolved.
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

/// References to people in objects of a file and in its options: who they are is looked up before.
pub fn people(file: &[Outline], options: &ImportOptions) -> Vec<Reference> {
    let all = file.iter().flat_map(|object| &object.links).map(|link| &link.reference);
    let all = all.chain(options.fallback("IDENTITY")).filter(|reference| reference.kind == "IDENTITY");
    let mut people: Vec<Reference> = all.cloned().collect();
    people.sort();
    people.dedup();
    people
}

/// Plans an import. `known` holds the objects there are, and the people that the file means. Objects that the options leave out are
/// in no plan; those that can't be imported are, with their errors.
pub fn plan(file: Vec<Outline>, options: &ImportOptions, known: &Directory) -> Vec<Planned> {
    let selected = file.into_iter().enumerate().filter(|(_, object)| options.selection.selects(&object.reference));
    let (mut planned, links): (Vec<Planned>, Vec<Vec<Link>>) =
        selected.map(|(place, object)| (target(object.reference, place, known), object.links)).unzip();
    refuse_doubles(&mut planned);
    let mut in_file = Directory::default();
    let mut places = HashMap::new();
    for (place, object) in planned.iter().enumerate() {
        in_file.add(&object.reference);
        places.insert((object.reference.kind.clone(), object.reference.id.clone()), place);
    }
    for (place, links) in links.into_iter().enumerate() {
        let needs = resolve(&mut planned, place, links, options, &in_file, known, &places);
        planned[place].needs = needs;
    }
    in_order(planned)
}

fn target(reference: Reference, place: usize, known: &Directory) -> Planned {
    let mut errors = Vec::new();
    if reference.object_type().is_none() {
        errors.push(failed(&reference, &ObjectType::unknown(&reference.kind)));
    }
    let meant = known.by_id(&reference).or_else(|| known.by_name(&reference)).or_else(|| known.only(&reference));
    let id = meant.map_or_else(|| reference.id.clone(), |known| known.id.clone());
    let target = Reference { id, ..reference.clone() };
    Planned {
        reference,
        place,
        target,
        rewritten: Vec::new(),
        infos: Vec::new(),
        warnings: Vec::new(),
        errors,
        needs: Vec::new(),
    }
}

/// An error of an object.
pub fn failed(object: &Reference, reason: &str) -> Message {
    let Reference { kind, id, name } = object;
    Message {
        key: FAILED,
        text: format!("There was an error importing '{kind}' with name '{name}' and id '{id}': {reason}"),
    }
}

/// Which of two is meant nobody can say; nor can two be one.
fn refuse_doubles(planned: &mut [Planned]) {
    let mut counts: HashMap<(&'static str, String, String), usize> = HashMap::new();
    let keys = |object: &Planned| {
        let Reference { kind, id, name } = &object.reference;
        // Of a type of which there is one at most, all mean that one.
        let is_one = object.reference.object_type().is_some_and(ObjectType::is_one_per_tenant);
        let meant = if is_one { String::new() } else { object.target.id.clone() };
        [
            ("with this id", kind.clone(), id.clone()),
            ("with this name", kind.clone(), name.clone()),
            ("that mean the same one here", kind.clone(), meant),
        ]
    };
    for key in planned.iter().flat_map(keys) {
        *counts.entry(key).or_default() += 1;
    }
    for object in planned {
        let is_doubled = |key: &(&'static str, String, String)| counts.get(key).is_some_and(|count| *count > 1);
        let Some(key) = keys(object).into_iter().find(is_doubled) else { continue };
        let count = counts.get(&key).copied().unwrap_or_default();
        let reason = format!("the file has {count} objects of this type {}", key.0);
        object.errors.push(failed(&object.reference, &reason));
    }
}

/// Resolves the references of an object; gives the places of those objects of the file that it refers to.
fn resolve(
    planned: &mut [Planned],
    place: usize,
    links: Vec<Link>,
    options: &ImportOptions,
    in_file: &Directory,
    known: &Directory,
    places: &HashMap<(String, String), usize>,
) -> Vec<usize> {
    let (mut infos, mut warnings, mut errors, mut needs) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut rewritten = Vec::new();
    for Link { path, reference: wanted } in links {
        let may_be_known = options.may_mean_known(&wanted.kind) || wanted.kind == "IDENTITY";
        let elsewhere = |find: fn(&Directory, &Reference) -> Option<Reference>| {
            find(in_file, &wanted).or_else(|| find(known, &wanted).filter(|_| may_be_known))
        };
        let meant = elsewhere(|all, wanted| all.by_id(wanted).cloned())
            .map(|meant| (meant, By::Id))
            .or_else(|| elsewhere(|all, wanted| all.by_name(wanted).cloned()).map(|meant| (meant, By::Name)))
            .or_else(|| {
                let fallback = options.fallback(&wanted.kind)?;
                let there =
                    [in_file, known].into_iter().find_map(|all| all.by_id(fallback).or_else(|| all.by_name(fallback)));
                there.map(|meant| (meant.clone(), By::Default))
            });
        let Some((meant, by)) = meant else {
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
                errors.push(message);
            } else {
                warnings.push(message);
            }
            continue;
        };
        let mut means = meant.clone();
        if let Some(other) = places.get(&(meant.kind.clone(), meant.id.clone())) {
            means = planned[*other].target.clone();
            if *other != place {
                needs.push(*other);
            }
        }
        let how = match by {
            By::Id => "by id",
            By::Name => "by name",
            By::Default => "by defaultReferences",
        };
        infos.push(Message {
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
            rewritten.push(Link { path, reference: means });
        }
    }
    let object = &mut planned[place];
    object.rewritten = rewritten;
    object.infos.extend(infos);
    object.warnings.extend(warnings);
    object.errors.extend(errors);
    needs.sort_unstable();
    needs.dedup();
    needs
}

fn path_text(path: &[Place]) -> String {
    path.iter().fold("$".to_owned(), |text, place| match place {
        Place::Name(name) => format!("{text}.{name}"),
        Place::At(at) => format!("{text}[{at}]"),
    })
}

/// Objects after those that they refer to, else as in the file. Objects that refer to each other in a circle can't be imported, nor
/// can those that refer to one that can't.
fn in_order(planned: Vec<Planned>) -> Vec<Planned> {
    let mut waiting: Vec<usize> = planned.iter().map(|object| object.needs.len()).collect();
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); planned.len()];
    for (place, object) in planned.iter().enumerate() {
        for need in &object.needs {
            needed_by[*need].push(place);
        }
    }
    let mut ready: std::collections::BTreeSet<usize> =
        waiting.iter().enumerate().filter(|(_, count)| **count == 0).map(|(place, _)| place).collect();
    let mut order = Vec::with_capacity(planned.len());
    while let Some(place) = ready.pop_first() {
        order.push(place);
        for next in &needed_by[place] {
            waiting[*next] -= 1;
            if waiting[*next] == 0 {
                ready.insert(*next);
            }
        }
    }
    let circular: Vec<usize> = (0..planned.len()).filter(|place| waiting[*place] > 0).collect();
    order.extend(&circular);
    let new_place: BTreeMap<usize, usize> = order.iter().enumerate().map(|(new, old)| (*old, new)).collect();
    let mut planned: Vec<Option<Planned>> = planned.into_iter().map(Some).collect();
    let mut ordered: Vec<Planned> = order.iter().filter_map(|place| planned[*place].take()).collect();
    let first_circular = ordered.len() - circular.len();
    for place in 0..ordered.len() {
        let needs: Vec<usize> = ordered[place].needs.iter().filter_map(|need| new_place.get(need).copied()).collect();
        if place >= first_circular {
            let names: Vec<String> = needs
                .iter()
                .filter(|need| **need >= first_circular)
                .map(|need| ordered[*need].reference.name.clone())
                .collect();
            let reason = format!("its references lead into a circle, by way of {}", names.join(", "));
            let message = failed(&ordered[place].reference, &reason);
            ordered[place].errors.push(message);
        } else if let Some(need) = needs.iter().find(|need| !ordered[**need].errors.is_empty()) {
            let message = failed(&ordered[place].reference, &not_imported(&ordered[*need].reference));
            ordered[place].errors.push(message);
        }
        ordered[place].needs = needs;
    }
    ordered
}

/// What to say of an object that refers to one that wasn't imported.
pub fn not_imported(needed: &Reference) -> String {
    format!("it refers to the {} {:?}, which can't be imported", needed.kind, needed.name)
}
