//! What the files of an import say, without faults, duplicates and contradictions (rulings 16 and 17).

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;

use aggregates::account::{AccountRecord, Attributes};
use aggregates::entitlement::EntitlementRecord;
use aggregates::identity::IdentityRecord;
use uuid::Uuid;

use super::issues::{Issues, Place, Problem};
use super::mapping::Few;

/// What one file group says of things that have a key.
#[derive(Debug)]
pub struct Keyed<K, R> {
    /// The group and its file's name, for issues.
    pub file_group_id: Uuid,
    /// The file's name.
    pub file: String,
    /// Key → its record and the row that said it.
    pub records: HashMap<K, (R, u32)>,
    /// Keys of rows that were left out: what is known of them stays.
    pub protected: HashSet<K>,
    /// The first row whose key can't be read: then nothing is removed.
    pub unreadable: Option<u32>,
    contradictions: BTreeMap<u32, (K, Vec<u32>)>,
    contradicted: HashMap<K, u32>,
    duplicates: u64,
}

impl<K: Eq + Hash + Clone + std::fmt::Debug, R: PartialEq> Keyed<K, R> {
    /// Nothing said yet.
    pub fn new(file_group_id: Uuid, file: &str) -> Self {
        Self {
            file_group_id,
            file: file.to_owned(),
            records: HashMap::new(),
            protected: HashSet::new(),
            unreadable: None,
            contradictions: BTreeMap::new(),
            contradicted: HashMap::new(),
            duplicates: 0,
        }
    }

    fn place(&self, row: u32) -> Place<'_> {
        Place { file_group_id: self.file_group_id, file: &self.file, row }
    }

    /// A row without faults, which is one of each of its keys.
    pub fn add_all(&mut self, keys: Few<K>, record: R, row: u32, issues: &mut Issues) -> sqlx::Result<()>
    where
        R: Clone,
    {
        let mut keys = keys.into_iter();
        let last = keys.next_back();
        for key in keys {
            self.add(key, record.clone(), row, issues)?;
        }
        last.map_or(Ok(()), |key| self.add(key, record, row, issues))
    }

    fn add(&mut self, key: K, record: R, row: u32, issues: &mut Issues) -> sqlx::Result<()> {
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
                let message = format!("The row repeats row {}; it counts once", known.get().1);
                self.duplicates += 1;
                issues.remark(self.place(row), Problem::of_row("duplicate_row", message))?;
            }
            Entry::Occupied(known) => {
                let (key, (_, first)) = known.remove_entry();
                self.contradicted.insert(key.clone(), first);
                self.contradictions.insert(first, (key, vec![first, row]));
            }
        }
        Ok(())
    }

    /// A row that is left out.
    pub fn reject(
        &mut self,
        keys: Option<Few<K>>,
        row: u32,
        problems: Vec<Problem>,
        issues: &mut Issues,
    ) -> sqlx::Result<()> {
        match keys {
            Some(keys) => self.protected.extend(keys),
            None => self.unreadable = self.unreadable.or(Some(row)),
        }
        issues.reject(self.place(row), problems)
    }

    /// A row that is remarked on, and taken.
    pub fn remark(&self, row: u32, problem: Problem, issues: &mut Issues) -> sqlx::Result<()> {
        issues.remark(self.place(row), problem)
    }

    /// Contradicting rows of one key: none applies, and each is an issue that names the others.
    pub fn finish(&mut self, issues: &mut Issues) -> sqlx::Result<u64> {
        for (key, rows) in std::mem::take(&mut self.contradictions).into_values() {
            for row in &rows {
                let others: Vec<String> =
                    rows.iter().filter(|other| *other != row).take(10).map(ToString::to_string).collect();
                let message =
                    format!("The row contradicts row {} of the same key; none of them applies", others.join(", "));
                issues.reject(self.place(*row), vec![Problem::of_row("contradicting_rows", message)])?;
            }
            self.protected.insert(key);
        }
        self.contradicted.clear();
        Ok(self.duplicates)
    }

    /// May a key that the file doesn't name be removed?
    pub fn removes<Q>(&self, key: &Q) -> bool
    where
        K: std::borrow::Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.unreadable.is_none() && !self.protected.contains(key)
    }
}

/// Texts that many rows share, numbered.
#[derive(Debug, Default)]
pub struct Interner {
    numbers: HashMap<String, u32>,
    /// By number.
    pub texts: Vec<String>,
}

impl Interner {
    /// The number of a text.
    pub fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.texts.len() as u32;
        self.numbers.insert(text.to_owned(), number);
        self.texts.push(text.to_owned());
        number
    }

    /// The number of a text that was seen.
    pub fn find(&self, text: &str) -> Option<u32> {
        self.numbers.get(text).copied()
    }
}

/// Sets of attributes that many grants share, numbered; 0 = none.
#[derive(Debug)]
pub struct AttributeSets {
    numbers: HashMap<Attributes, u32>,
    /// By number.
    pub sets: Vec<Attributes>,
}

impl Default for AttributeSets {
    fn default() -> Self {
        Self { numbers: HashMap::from([(Attributes::new(), 0)]), sets: vec![Attributes::new()] }
    }
}

impl AttributeSets {
    /// The number of a set.
    pub fn number(&mut self, set: Attributes) -> u32 {
        if set.is_empty() {
            return 0;
        }
        if let Some(number) = self.numbers.get(&set) {
            return *number;
        }
        let number = self.sets.len() as u32;
        self.numbers.insert(set.clone(), number);
        self.sets.push(set);
        number
    }
}

/// Account's and entitlement's number.
pub type Pair = (u32, u32);

/// What the grants file says: 4 + 4 bytes a key, 4 + 4 bytes a record.
#[derive(Debug)]
pub struct DeliveredGrants {
    /// Pair → number of its attributes.
    pub keyed: Keyed<Pair, u32>,
    /// Keys of accounts.
    pub accounts: Interner,
    /// Keys of entitlements.
    pub entitlements: Interner,
    /// Attributes.
    pub attributes: AttributeSets,
}

/// What the files say; `None` = not delivered, which changes nothing of it.
#[derive(Debug, Default)]
pub struct Delivered {
    /// People.
    pub identities: Option<Keyed<String, IdentityRecord>>,
    /// What may be granted.
    pub entitlements: Option<Keyed<String, EntitlementRecord>>,
    /// Log-ins.
    pub accounts: Option<Keyed<String, AccountRecord>>,
    /// Who may do what.
    pub grants: Option<DeliveredGrants>,
    /// Data rows in all files.
    pub rows_read: u64,
    /// Rows that repeat another.
    pub duplicates: u64,
    /// For people: what is remarkable about the files.
    pub remarks: Vec<String>,
}
