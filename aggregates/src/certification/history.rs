//! The rows of the certification before, found by what makes two rows the same (rulings 34).

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use crate::certification_rows::{Destination, Source};

/// An account or entitlement of the certification before.
#[derive(Debug, Clone)]
pub struct Known {
    id: Uuid,
    datasource: Uuid,
    r#type: Option<String>,
    digest: [u8; 32],
}

impl From<&Source> for Known {
    fn from(of: &Source) -> Self {
        Self { id: of.id, datasource: of.datasource_id, r#type: of.r#type.clone(), digest: of.digest() }
    }
}

impl From<&Destination> for Known {
    fn from(of: &Destination) -> Self {
        Self { id: of.id, datasource: of.datasource_id, r#type: of.r#type.clone(), digest: of.digest() }
    }
}

impl Known {
    fn is(&self, other: &Self) -> bool {
        self.id == other.id && self.datasource == other.datasource && self.r#type == other.r#type
    }
}

/// The rows of the certification before.
#[derive(Debug, Default)]
pub struct History {
    sources: HashMap<Uuid, (u32, Known)>,
    destinations: HashMap<Uuid, (u32, Known)>,
    /// By the numbers that account and entitlement had in it.
    rows: HashMap<(u32, u32), (u32, BTreeMap<String, String>)>,
}

impl History {
    /// With an account by the number it had.
    pub fn source(&mut self, number: u32, source: &Source) {
        self.sources.insert(source.id, (number, source.into()));
    }

    /// With an entitlement by the number it had.
    pub fn destination(&mut self, number: u32, destination: &Destination) {
        self.destinations.insert(destination.id, (number, destination.into()));
    }

    /// With a row.
    pub fn row(&mut self, result: u32, source: u32, destination: u32, attributes: BTreeMap<String, String>) {
        self.rows.insert((source, destination), (result, attributes));
    }

    /// The row that is the same as this one, if there was any, and whether nothing but times has changed.
    pub fn find(
        &self,
        source: &Known,
        destination: &Known,
        attributes: &BTreeMap<String, String>,
    ) -> Option<(u32, bool)> {
        let (from, was) = self.sources.get(&source.id).filter(|(_, was)| was.is(source))?;
        let (to, had) = self.destinations.get(&destination.id).filter(|(_, had)| had.is(destination))?;
        let (result, _) = self.rows.get(&(*from, *to)).filter(|(_, before)| before == attributes)?;
        Some((*result, was.digest == source.digest && had.digest == destination.digest))
    }
}
