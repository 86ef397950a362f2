//! Which attributes rows have, and of which kind.

use std::collections::HashMap;

use super::distance::distance;
use super::error::shown;
use super::{FilterError, Located, Path, fold};

/// A path longer than this is nobody's slip of the finger.
const NEAR_LIMIT: usize = 100;
/// So many attributes are named when none is near.
const SHOWN: usize = 12;

/// What an attribute holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text, folded. Every operator.
    Text,
    /// A number that is no NaN. No `co`, `sw`, `ew`.
    Number,
    /// Yes or no. Only `eq`, `ne` and `pr`; compares with `true` and with `"true"` (rulings 33).
    Boolean,
    /// A time, compared with a text that [`crate::values::time`] reads. No `co`, `sw`, `ew`.
    Time,
}

/// The attributes of some rows. `A` is what the rows call an attribute: an enum, so that whoever reads a value out of a row or
/// names its SQL expression can't forget one.
#[derive(Debug, Clone)]
pub struct Catalogue<A> {
    /// In the order of declaration, with the name as declared.
    names: Vec<String>,
    /// By folded name.
    attributes: HashMap<String, (Kind, A)>,
    /// By folded prefix.
    open: HashMap<String, A>,
    schemas: Vec<String>,
    elsewhere: Vec<(String, String)>,
}

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found<A> {
    Attribute(Kind, A),
    /// A custom attribute: a text under this folded name, or nothing.
    Custom(A, String),
}

impl<A: Copy> Catalogue<A> {
    /// Without attributes.
    pub fn new() -> Self {
        Self {
            names: Vec::new(),
            attributes: HashMap::new(),
            open: HashMap::new(),
            schemas: Vec::new(),
            elsewhere: Vec::new(),
        }
    }

    /// With an attribute, named as documents write it (`source.isActive`); filters may write it in any case.
    pub fn attribute(mut self, name: &str, kind: Kind, attribute: A) -> Self {
        self.names.push(name.to_owned());
        self.attributes.insert(fold(name), (kind, attribute));
        self
    }

    /// With custom attributes: whatever comes after `prefix` and a dot (`source.attributes`) is the name of one, dots and
    /// all. They hold texts; compared with a number or a boolean, the text is read as one.
    pub fn open(mut self, prefix: &str, attribute: A) -> Self {
        self.names.push(format!("{prefix}.<name>"));
        self.open.insert(fold(prefix), attribute);
        self
    }

    /// With a schema that may stand before a path: `urn:…:User:userName`. Without any, no path may have one.
    pub fn schema(mut self, uri: &str) -> Self {
        self.schemas.push(uri.to_owned());
        self
    }

    /// With a beginning of paths that are right in another place, and what is said of them: `previous`, `source, destination
    /// or grant: previous.* belongs in mutable_filter` (rulings 33).
    pub fn elsewhere(mut self, prefix: &str, expected: &str) -> Self {
        self.elsewhere.push((fold(prefix), expected.to_owned()));
        self
    }

    /// What a path leads to. `within` is the full name of the value path around it, or empty.
    pub(super) fn find(&self, within: &str, path: &Located<Path>) -> Result<Found<A>, FilterError> {
        let name = self.full_name(within, path)?;
        if let Some((kind, attribute)) = self.attributes.get(&name) {
            return Ok(Found::Attribute(*kind, *attribute));
        }
        let beneath = self.open.iter().filter_map(|(prefix, attribute)| Some((beneath(&name, prefix)?, attribute)));
        match beneath.min_by_key(|(key, _)| key.len()) {
            Some((key, attribute)) => Ok(Found::Custom(*attribute, key.to_owned())),
            None => Err(FilterError::new(path.position, shown(&path.to_string()), self.instead_of(&name))),
        }
    }

    /// The path's names, folded, after those of the value path around it.
    pub(super) fn full_name(&self, within: &str, path: &Located<Path>) -> Result<String, FilterError> {
        self.check_schema(path)?;
        let name = fold(&path.names.join("."));
        Ok(if within.is_empty() { name } else { format!("{within}.{name}") })
    }

    fn check_schema(&self, path: &Located<Path>) -> Result<(), FilterError> {
        let Some(schema) = &path.schema else { return Ok(()) };
        if self.schemas.iter().any(|known| fold(known) == fold(schema)) {
            return Ok(());
        }
        let expected = match self.schemas.as_slice() {
            [] => "an attribute without a schema before it".to_owned(),
            known => format!("one of the schemas {}, or none", known.join(", ")),
        };
        Err(FilterError::new(path.position, shown(schema), expected))
    }

    /// What an unknown name should have been.
    fn instead_of(&self, name: &str) -> String {
        let is_at = |name: &str, prefix: &str| name == prefix || beneath(name, prefix).is_some();
        if let Some((_, expected)) = self.elsewhere.iter().find(|(prefix, _)| is_at(name, prefix)) {
            return expected.clone();
        }
        let names = self.names.iter().map(String::as_str);
        let below: Vec<&str> = names.clone().filter(|known| beneath(&fold(known), name).is_some()).take(3).collect();
        if !below.is_empty() {
            return format!("one of its attributes, such as {}", below.join(", "));
        }
        let length = name.chars().count();
        if length <= NEAR_LIMIT
            && let Some((distance, known)) = names.clone().map(|known| (distance(name, &fold(known)), known)).min()
            && distance <= length.div_ceil(3)
        {
            return format!("an attribute; the nearest is {known}");
        }
        // Right but for what stands between first and last name: source.department, for source.identity.department.
        if length <= NEAR_LIMIT
            && let (Some((first, _)), Some((_, last))) = (name.split_once('.'), name.rsplit_once('.'))
            && let Some((distance, known)) = names
                .filter(|known| is_at(&fold(known), first))
                .filter_map(|known| Some((distance(last, &fold(known.rsplit_once('.')?.1)), known)))
                .min()
            && distance <= last.chars().count() / 4
        {
            return format!("an attribute; the nearest is {known}");
        }
        let shown = self.names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
        let more = if self.names.len() > SHOWN { ", …" } else { "" };
        format!("one of the attributes {shown}{more}")
    }
}

/// What comes after `prefix` and a dot.
fn beneath<'n>(name: &'n str, prefix: &str) -> Option<&'n str> {
    name.strip_prefix(prefix)?.strip_prefix('.')
}

impl<A: Copy> Default for Catalogue<A> {
    fn default() -> Self {
        Self::new()
    }
}
