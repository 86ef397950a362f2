//! People, accounts and entitlements: each has one key.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use super::Listing;
use crate::imports::issues::{Issues, Problem};
use crate::imports::mapping::Few;

/// What one file group says of things that have a key.
#[derive(Debug)]
pub struct Keyed<R> {
    /// The file, and what was left out of it.
    pub listing: Listing<String>,
    /// Key → its record and the row that said it.
    pub records: HashMap<String, (R, u32)>,
    contradictions: BTreeMap<u32, (String, Vec<u32>)>,
    contradicted: HashMap<String, u32>,
    duplicates: u64,
}

impl<R: PartialEq + Clone> Keyed<R> {
    /// Nothing said yet.
    pub fn new(file_group_id: Uuid, file: &str) -> Self {
        Self {
            listing: Listing::new(file_group_id, file),
            records: HashMap::new(),
            contradictions: BTreeMap::new(),
            contradicted: HashMap::new(),
            duplicates: 0,
        }
    }

    /// A row without faults, which is one of each of its keys.
    pub fn add_all(&mut self, keys: Few<String>, record: R, row: u32, issues: &mut Issues) -> sqlx::Result<()> {
        let mut keys = keys.into_iter();
        let last = keys.next_back();
        for key in keys {
            self.add(key, record.clone(), row, issues)?;
        }
        last.map_or(Ok(()), |key| self.add(key, record, row, issues))
    }

    fn add(&mut self, key: String, record: R, row: u32, issues: &mut Issues) -> sqlx::Result<()> {
        if let Some(first) = self.contradicted.get(&key) {
            if let Some((_, rows)) = self.contradictions.get_mut(first) {
                rows.push(row);
            }
            return Ok(());
        }
        match self.records.entry(key) {
            Entry::Vacant(place) => {
                place.insert((record, row));
            }
            Entry::Occupied(known) if known.get().0 == record => {
                self.duplicates += 1;
                self.listing.repeats(row, known.get().1, issues)?;
            }
            Entry::Occupied(known) => {
                let (key, (_, first)) = known.remove_entry();
                self.contradicted.insert(key.clone(), first);
                self.contradictions.insert(first, (key, vec![first, row]));
            }
        }
        Ok(())
    }

    /// See [`Listing::reject`].
    pub fn reject(
        &mut self,
        keys: Option<Few<String>>,
        row: u32,
        problems: Vec<Problem>,
        issues: &mut Issues,
    ) -> sqlx::Result<()> {
        self.listing.reject(keys, row, problems, issues)
    }

    /// All rows were read: tells of contradictions. Gives how many rows repeated another.
    pub fn finish(&mut self, issues: &mut Issues) -> sqlx::Result<u64> {
        for (key, rows) in std::mem::take(&mut self.contradictions).into_values() {
            self.listing.contradict(key, &rows, issues)?;
        }
        self.contradicted.clear();
        Ok(self.duplicates)
    }
}
