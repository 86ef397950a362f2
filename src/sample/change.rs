//! What a change does to rows.

use super::chance::Chance;

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Kept,
    /// Its key stays, something else of it doesn't.
    Changed,
    Removed,
}

/// What becomes of the rows of one file.
#[derive(Debug)]
pub struct Changes {
    /// Of the rows there were, by number.
    pub fates: Vec<Fate>,
    /// New rows; their numbers follow.
    pub added: u32,
}

/// How many rows were added, changed or removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    pub added: u64,
    pub changed: u64,
    pub removed: u64,
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.added += other.added;
        self.changed += other.changed;
        self.removed += other.removed;
    }
}

/// So many of the rows differ after a change of `percent`: added, changed and removed ones together.
pub fn differences(rows: u64, percent: f64) -> u64 {
    (rows as f64 * percent / 100.0).round() as u64
}

/// New rows among so many differences: a quarter.
pub const fn added(differences: u32) -> u32 {
    differences.saturating_add(2) / 4
}

impl Changes {
    /// Draws what becomes of rows: a quarter of the differences are new rows, up to a quarter are rows removed, the rest are
    /// changed. Rows `first` are removed rather than others; only those that `may_go` are.
    pub fn draw(
        rows: u32,
        differences: u64,
        mut chance: Chance,
        first: &[u32],
        mut may_go: impl FnMut(u32) -> bool,
    ) -> Self {
        let differences = differences as u32;
        let mut fates = vec![Fate::Kept; rows as usize];
        let added = added(differences);
        if differences == 0 {
            return Self { fates, added };
        }
        let mut order: Vec<u32> = (0..rows).collect();
        chance.shuffle(&mut order);
        let mut left = (differences + 1) / 4;
        let mut changed = differences - added;
        for row in first.iter().chain(&order).copied() {
            if left > 0 && fates[row as usize] == Fate::Kept && may_go(row) {
                fates[row as usize] = Fate::Removed;
                left -= 1;
                changed -= 1;
            }
        }
        for row in order {
            if changed > 0 && fates[row as usize] == Fate::Kept {
                fates[row as usize] = Fate::Changed;
                changed -= 1;
            }
        }
        Self { fates, added }
    }

    /// What becomes of a row; a new one is what it is.
    pub fn fate(&self, row: u32) -> Fate {
        self.fates.get(row as usize).copied().unwrap_or(Fate::Kept)
    }

    /// The rows there are afterwards.
    pub fn rows(&self) -> Vec<u32> {
        let all = 0..self.fates.len() as u32 + self.added;
        all.filter(|row| self.fate(*row) != Fate::Removed).collect()
    }

    pub fn count(&self) -> Count {
        let count = |wanted| self.fates.iter().filter(|fate| **fate == wanted).count() as u64;
        Count { added: u64::from(self.added), changed: count(Fate::Changed), removed: count(Fate::Removed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_as_large_as_was_asked() {
        for (rows, percent, expected) in
            [(1000, 1.0, 10), (50, 1.0, 1), (49, 1.0, 0), (1000, 0.0, 0), (7, 100.0, 7), (1, 100.0, 1)]
        {
            let wanted = differences(u64::from(rows), percent);
            assert_eq!(wanted, expected);
            for may_go in [true, false] {
                let count = Changes::draw(rows, wanted, Chance::of(&[1]), &[], |_| may_go).count();
                assert_eq!(count.added + count.changed + count.removed, wanted, "{rows} {percent} {count:?}");
                assert!(may_go || count.removed == 0);
            }
        }
    }

    #[test]
    fn some_rows_go_before_others() {
        let changes = Changes::draw(1000, 8, Chance::of(&[1]), &[7, 9], |row| row != 9);
        assert_eq!((changes.fate(7), changes.count().removed), (Fate::Removed, 2));
        assert_ne!(changes.fate(9), Fate::Removed);
        assert_eq!(changes.rows().len(), 1000);
    }
}
