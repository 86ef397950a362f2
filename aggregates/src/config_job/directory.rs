//! Objects by what they are called.

use crate::config_object::{ObjectType, Reference};

/// Objects, found by type and id or by type and name; of several that are called so, the last one. An object takes its names and
/// eight bytes: there may be as many as a file has.
#[derive(Debug, Default)]
pub struct Directory {
    called: Vec<Reference>,
    by_id: Vec<u32>,
    by_name: Vec<u32>,
}

impl FromIterator<Reference> for Directory {
    fn from_iter<I: IntoIterator<Item = Reference>>(objects: I) -> Self {
        let called: Vec<Reference> = objects.into_iter().collect();
        let sorted = |key: for<'r> fn(&'r Reference) -> (&'r str, &'r str)| {
            let mut places: Vec<u32> = (0..).take(called.len()).collect();
            // Stable: the last of several comes last.
            places.sort_by(|a, b| key(&called[*a as usize]).cmp(&key(&called[*b as usize])));
            places
        };
        let (by_id, by_name) = (sorted(id), sorted(name));
        Self { called, by_id, by_name }
    }
}

impl Directory {
    /// All of them, as they were given.
    pub fn all(&self) -> &[Reference] {
        &self.called
    }

    /// The place of the one with this type and id.
    pub fn by_id(&self, wanted: &Reference) -> Option<usize> {
        self.last(&self.by_id, id, id(wanted)).filter(|_| !wanted.id.is_empty())
    }

    /// The place of the one with this type and name.
    pub fn by_name(&self, wanted: &Reference) -> Option<usize> {
        self.last(&self.by_name, name, name(wanted)).filter(|_| !wanted.name.is_empty())
    }

    /// The place of the one object of a type of which there is one at most.
    pub fn only(&self, wanted: &Reference) -> Option<usize> {
        wanted.object_type().filter(|kind: &ObjectType| kind.is_one_per_tenant())?;
        let first = self.by_id.partition_point(|place| self.called[*place as usize].kind < wanted.kind);
        let place = *self.by_id.get(first)? as usize;
        (self.called[place].kind == wanted.kind).then_some(place)
    }

    fn last(&self, sorted: &[u32], key: fn(&Reference) -> (&str, &str), wanted: (&str, &str)) -> Option<usize> {
        let end = sorted.partition_point(|place| key(&self.called[*place as usize]) <= wanted);
        let place = *sorted.get(end.checked_sub(1)?)? as usize;
        (key(&self.called[place]) == wanted).then_some(place)
    }
}

fn id(object: &Reference) -> (&str, &str) {
    (&object.kind, &object.id)
}

fn name(object: &Reference) -> (&str, &str) {
    (&object.kind, &object.name)
}
