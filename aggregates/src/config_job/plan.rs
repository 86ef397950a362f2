//! What an import would do with each object of its file: which known object it means, what its references lead to, and in which
//! order objects come that refer to each other (rulings 41-43). A plan holds names and places; documents stay in the file.

use std::collections::{BTreeMap, BTreeSet};

use super::ImportOptions;
use super::directory::Directory;
use super::incoming::Link;
use crate::config_object::{ObjectType, Reference};

/// Something to be told about an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// For programs.
    pub key: &'static str,
    /// For people.
    pub text: String,
}

/// Told of an object that can't be imported.
pub const FAILED: &str = "IMPORT_ERROR";

/// A plan of an import. Objects that the options leave out are in no plan; those that can't be imported are, with their errors.
#[derive(Debug)]
pub struct Plan<'p> {
    pub(super) options: &'p ImportOptions,
    pub(super) known: &'p Directory,
    /// As the file calls them.
    pub(super) in_file: Directory,
    objects: Vec<Planned>,
}

/// An object of a plan.
#[derive(Debug)]
struct Planned {
    /// Its place in the file.
    place: usize,
    /// The id of the known object that it means, where the file has another.
    known_id: Option<String>,
    /// Places in the plan of objects that it refers to.
    needs: Box<[u32]>,
    /// Why it can't be imported.
    errors: Vec<Message>,
}

impl<'p> Plan<'p> {
    /// Begins a plan with what the file calls its objects; `known` holds those that there are.
    pub fn new(file: Vec<Reference>, options: &'p ImportOptions, known: &'p Directory) -> Self {
        let selected = file.into_iter().enumerate().filter(|(_, object)| options.selection.selects(object));
        let (objects, called): (Vec<Planned>, Vec<Reference>) =
            selected.map(|(place, called)| (planned(&called, place, known), called)).unzip();
        let mut plan = Self { options, known, in_file: called.into_iter().collect(), objects };
        for at in plan.places() {
            if plan.called(at).object_type().is_none() {
                plan.refuse(at, &ObjectType::unknown(&plan.called(at).kind));
            }
        }
        plan.refuse_doubles();
        plan
    }

    /// Notes what an object refers to. Of all of them it is noted before they are put in order.
    pub fn refer(&mut self, at: usize, links: Vec<Link>) {
        // People are no objects that an import brings, and may be missing.
        let resolved = self.resolve(links, &Directory::default());
        let object = &mut self.objects[at];
        // An object may refer to itself.
        object.needs = resolved.needs.into_iter().filter(|need| *need as usize != at).collect();
        object.errors.extend(resolved.errors);
    }

    /// Places in the plan, in the order of the file.
    pub fn places(&self) -> impl Iterator<Item = usize> + use<> {
        0..self.objects.len()
    }

    /// As the file calls an object.
    pub fn called(&self, at: usize) -> &Reference {
        &self.in_file.all()[at]
    }

    /// As it will be called: with the id of the known object that it means.
    pub fn target(&self, at: usize) -> Reference {
        let called = self.called(at);
        let id = self.objects[at].known_id.as_ref().unwrap_or(&called.id);
        Reference { id: id.clone(), ..called.clone() }
    }

    /// Its place in the file.
    pub fn place_in_file(&self, at: usize) -> usize {
        self.objects[at].place
    }

    /// Why it can't be imported.
    pub fn errors(&self, at: usize) -> &[Message] {
        &self.objects[at].errors
    }

    /// It can't be imported.
    pub fn is_refused(&self, at: usize) -> bool {
        !self.objects[at].errors.is_empty()
    }

    /// Notes why an object can't be imported.
    pub fn refuse(&mut self, at: usize, reason: &str) {
        let Reference { kind, id, name } = self.called(at);
        let text = format!("There was an error importing '{kind}' with name '{name}' and id '{id}': {reason}");
        self.objects[at].errors.push(Message { key: FAILED, text });
    }

    /// Refuses an object if one that it needs is refused. Asked of each in order, it is known of all.
    pub fn refuse_if_needed_is(&mut self, at: usize) {
        let refused = self.objects[at].needs.iter().find(|need| self.is_refused(**need as usize));
        if let Some(needed) = refused.map(|need| self.called(*need as usize))
            && !self.is_refused(at)
        {
            let reason = format!("it refers to the {} {:?}, which can't be imported", needed.kind, needed.name);
            self.refuse(at, &reason);
        }
    }

    /// Which of two is meant nobody can say; nor can two be one.
    fn refuse_doubles(&mut self) {
        let mut reasons: BTreeMap<usize, String> = BTreeMap::new();
        let sames = ["with this id", "with this name", "that mean the same one here"];
        for (which, same) in sames.into_iter().enumerate() {
            let key = |at: usize| self.keys(at)[which];
            let mut places: Vec<usize> = self.places().collect();
            places.sort_by(|a, b| key(*a).cmp(&key(*b)));
            for doubles in places.chunk_by(|a, b| key(*a) == key(*b)).filter(|same| same.len() > 1) {
                for at in doubles {
                    let reason = || format!("the file has {} objects of this type {same}", doubles.len());
                    reasons.entry(*at).or_insert_with(reason);
                }
            }
        }
        for (at, reason) in reasons {
            self.refuse(at, &reason);
        }
    }

    /// What no other object of the file may have the same: type and id, type and name, what it means here.
    fn keys(&self, at: usize) -> [(&str, &str); 3] {
        let called = self.called(at);
        let Reference { kind, id, name } = called;
        // Of a type of which there is one at most, all mean that one.
        let is_one = called.object_type().is_some_and(ObjectType::is_one_per_tenant);
        let meant = self.objects[at].known_id.as_ref().unwrap_or(id);
        [(kind, id), (kind, name), (kind, if is_one { "" } else { meant })]
    }

    /// Places in the plan: objects after those that they refer to, else as in the file. Objects that refer to each other in a circle
    /// come last and can't be imported, nor can those that refer to one that can't.
    pub fn in_order(&mut self) -> Vec<usize> {
        let mut waiting: Vec<usize> = self.objects.iter().map(|object| object.needs.len()).collect();
        let needed_by = NeededBy::of(&self.objects);
        let mut ready: BTreeSet<usize> = self.places().filter(|at| waiting[*at] == 0).collect();
        let mut order = Vec::with_capacity(self.objects.len());
        while let Some(at) = ready.pop_first() {
            order.push(at);
            for next in needed_by.get(at) {
                waiting[next] -= 1;
                if waiting[next] == 0 {
                    ready.insert(next);
                }
            }
        }
        for at in order.clone() {
            self.refuse_if_needed_is(at);
        }
        let circular: Vec<usize> = self.places().filter(|at| waiting[*at] > 0).collect();
        for at in &circular {
            let needs = self.objects[*at].needs.iter().map(|need| *need as usize);
            let names: Vec<&str> =
                needs.filter(|need| waiting[*need] > 0).map(|need| &*self.called(need).name).collect();
            let reason = format!("its references lead into a circle, by way of {}", names.join(", "));
            self.refuse(*at, &reason);
        }
        order.extend(circular);
        order
    }
}

fn planned(called: &Reference, place: usize, known: &Directory) -> Planned {
    let meant = known.by_id(called).or_else(|| known.by_name(called)).or_else(|| known.only(called));
    let known_id = meant.map(|at| &known.all()[at].id).filter(|id| **id != called.id).cloned();
    Planned { place, known_id, needs: Box::default(), errors: Vec::new() }
}

/// Who needs an object: all of them in one list, since most are few.
struct NeededBy {
    /// Where those of each object begin.
    begin: Vec<u32>,
    by: Vec<u32>,
}

impl NeededBy {
    fn of(objects: &[Planned]) -> Self {
        let mut begin = vec![0; objects.len() + 1];
        for need in objects.iter().flat_map(|object| &object.needs) {
            begin[*need as usize + 1] += 1;
        }
        for at in 1..begin.len() {
            begin[at] += begin[at - 1];
        }
        let (mut next, mut by) = (begin.clone(), vec![0; begin.last().copied().unwrap_or(0) as usize]);
        for (at, object) in (0..).zip(objects) {
            for need in &object.needs {
                let next = &mut next[*need as usize];
                by[*next as usize] = at;
                *next += 1;
            }
        }
        Self { begin, by }
    }

    fn get(&self, at: usize) -> impl Iterator<Item = usize> {
        self.by[self.begin[at] as usize..self.begin[at + 1] as usize].iter().map(|by| *by as usize)
    }
}
