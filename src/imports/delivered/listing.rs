//! One file's rows beside what they say: where its issues are, and what nobody may conclude from it.

use std::collections::HashSet;
use std::hash::Hash;

use uuid::Uuid;

use crate::imports::issues::{Issues, Place, Problem};
use crate::imports::mapping::Few;

/// A file of things that have keys.
#[derive(Debug)]
pub struct Listing<K> {
    /// Its group.
    pub file_group_id: Uuid,
    /// Its name.
    pub file: String,
    /// Keys of rows that were left out: what is known of them stays.
    pub protected: HashSet<K>,
    /// The first row whose key can't be read: then nothing is removed.
    pub unreadable: Option<u32>,
}

impl<K: Eq + Hash> Listing<K> {
    /// Nothing left out yet.
    pub fn new(file_group_id: Uuid, file: &str) -> Self {
        Self { file_group_id, file: file.to_owned(), protected: HashSet::new(), unreadable: None }
    }

    fn place(&self, row: u32) -> Place<'_> {
        Place { file_group_id: self.file_group_id, file: &self.file, row }
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

    /// A row that says what another said.
    pub(super) fn repeats(&self, row: u32, first: u32, issues: &mut Issues) -> sqlx::Result<()> {
        let message = format!("The row repeats row {first}; it counts once");
        self.remark(row, Problem::of_row("duplicate_row", message), issues)
    }

    /// Contradicting rows of one key: none applies, and each is an issue that names the others.
    pub(super) fn contradict(&mut self, key: K, rows: &[u32], issues: &mut Issues) -> sqlx::Result<()> {
        for row in rows {
            let others: Vec<String> =
                rows.iter().filter(|other| *other != row).take(10).map(ToString::to_string).collect();
            let message =
                format!("The row contradicts row {} of the same key; none of them applies", others.join(", "));
            issues.reject(self.place(*row), vec![Problem::of_row("contradicting_rows", message)])?;
        }
        self.protected.insert(key);
        Ok(())
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
