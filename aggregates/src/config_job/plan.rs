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
    let in_file = InFile::of(&planned);
    let resolved: Vec<Resolved> =
        links.into_iter().map(|links| resolve(&planned, links, options, &in_file, known)).collect();
    for (place, (object, resolved)) in planned.iter_mut().zip(resolved).enumerate() {
        object.rewritten = resolved.rewritten;
        object.infos = resolved.infos;
        object.warnings = resolved.warnings;
        object.errors.extend(resolved.errors);
        object.needs = resolved.needs;
        // An object may refer to itself.
        object.needs.retain(|need| *need != place);
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
    let mut counts: HashMap<(&'static str, &str, &str), usize> = HashMap::new();
    for key in planned.iter().flat_map(sames) {
        *counts.entry(key).or_default() += 1;
    }
    let reason = |object: &Planned| {
        let doubled = sames(object).into_iter().find_map(|key| Some((key.0, counts.get(&key).filter(|n| **n > 1)?)));
        doubled.map(|(same, count)| format!("the file has {count} objects of this type {same}"))
    };
    let reasons: Vec<Option<String>> = planned.iter().map(reason).collect();
    for (object, reason) in planned.iter_mut().zip(reasons) {
        let error = reason.map(|reason| failed(&object.reference, &reason));
        object.errors.extend(error);
    }
}

/// What no other object of the file may have the same as this one.
fn sames(object: &Planned) -> [(&'static str, &str, &str); 3] {
    let Reference { kind, id, name } = &object.reference;
    // Of a type of which there is one at most, all mean that one.
    let is_one = object.reference.object_type().is_some_and(ObjectType::is_one_per_tenant);
    let meant = if is_one { "" } else { object.target.id.as_str() };
    [("with this id", kind, id), ("with this name", kind, name), ("that mean the same one here", kind, meant)]
}

/// The objects of a file: their places in the plan by type and id, and by type and name.
struct InFile<'p> {
    by_id: HashMap<(&'p str, &'p str), usize>,
    by_name: HashMap<(&'p str, &'p str), usize>,
}

impl<'p> InFile<'p> {
    fn of(planned: &'p [Planned]) -> Self {
        let places = || planned.iter().map(|object| &object.reference).zip(0..);
        Self {
            by_id: places().map(|(called, place)| ((&*called.kind, &*called.id), place)).collect(),
            by_name: places().map(|(called, place)| ((&*called.kind, &*called.name), place)).collect(),
        }
    }

    fn by_id(&self, wanted: &Reference) -> Option<usize> {
        self.by_id.get(&(&*wanted.kind, &*wanted.id)).copied().filter(|_| !wanted.id.is_empty())
    }

    fn by_name(&self, wanted: &Reference) -> Option<usize> {
        self.by_name.get(&(&*wanted.kind, &*wanted.name)).copied().filter(|_| !wanted.name.is_empty())
    }
}

/// What becomes of an object's references.
#[derive(Default)]
struct Resolved {
    rewritten: Vec<Link>,
    infos: Vec<Message>,
    warnings: Vec<Message>,
    errors: Vec<Message>,
    /// Places of those objects of the file that are meant.
    needs: Vec<usize>,
}

/// What a reference means.
enum Meant<'m> {
    /// An object of the file, at this place of the plan.
    Planned(usize),
    /// One that is here.
    Known(&'m Reference),
}

/// Resolves the references of an object.
fn resolve(
    planned: &[Planned],
    links: Vec<Link>,
    options: &ImportOptions,
    in_file: &InFile<'_>,
    known: &Directory,
) -> Resolved {
    let mut resolved = Resolved::default();
    for Link { path, reference: wanted } in links {
        let may_be_known = options.may_mean_known(&wanted.kind) || wanted.kind == "IDENTITY";
        let here = |found: Option<_>| found.filter(|_| may_be_known).map(Meant::Known);
        let by_id = in_file.by_id(&wanted).map(Meant::Planned).or_else(|| here(known.by_id(&wanted)));
        let by_name = || in_file.by_name(&wanted).map(Meant::Planned).or_else(|| here(known.by_name(&wanted)));
        let by_default = || {
            let fallback = options.fallback(&wanted.kind)?;
            let of_file = in_file.by_id(fallback).or_else(|| in_file.by_name(fallback)).map(Meant::Planned);
            of_file.or_else(|| known.by_id(fallback).or_else(|| known.by_name(fallback)).map(Meant::Known))
        };
        let meant = by_id
            .map(|meant| (meant, "by id"))
            .or_else(|| Some((by_name()?, "by name")))
            .or_else(|| Some((by_default()?, "by defaultReferences")));
        let Some((meant, how)) = meant else {
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
        let meant = match meant {
            // Here by another name, and in the file as well.
            Meant::Known(known) => in_file.by_id(known).map_or(Meant::Known(known), Meant::Planned),
            planned @ Meant::Planned(_) => planned,
        };
        let means = match meant {
            Meant::Planned(place) => {
                resolved.needs.push(place);
                &planned[place].target
            }
            Meant::Known(known) => known,
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
            resolved.rewritten.push(Link { path, reference: means.clone() });
        }
    }
    resolved.needs.sort_unstable();
    resolved.needs.dedup();
    resolved
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
