//! The one rule by which a full feed changes what is known.

/// What is known of one key before the import.
#[derive(Debug, PartialEq, Eq)]
pub enum Known<'a, R> {
    /// Never seen.
    Never,
    /// Current, with this record.
    Present(&'a R),
    /// Was there once and was removed, with its last record.
    Removed(&'a R),
}

// Derived, these would ask `R` for them.
impl<R> Clone for Known<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<R> Copy for Known<'_, R> {}

/// What the import does to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// First seen.
    Added,
    /// Its record differs.
    Changed,
    /// Named again after a removal; comes back under the same id.
    Returned,
    /// Named no more.
    Removed,
}

/// The difference between what is known and what a full feed delivered of one key; `None` when nothing changes.
pub fn difference<R: PartialEq>(known: Known<'_, R>, delivered: Option<&R>) -> Option<Change> {
    match (known, delivered) {
        (Known::Never, Some(_)) => Some(Change::Added),
        (Known::Present(old), Some(new)) => (old != new).then_some(Change::Changed),
        (Known::Removed(_), Some(_)) => Some(Change::Returned),
        (Known::Present(_), None) => Some(Change::Removed),
        (Known::Never | Known::Removed(_), None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_record_again_changes_nothing() {
        assert_eq!(difference(Known::Present(&1), Some(&1)), None);
        assert_eq!(difference(Known::Removed(&1), None), None);
        assert_eq!(difference::<i32>(Known::Never, None), None);
    }

    #[test]
    fn a_full_feed_adds_changes_removes_and_brings_back() {
        assert_eq!(difference(Known::Never, Some(&1)), Some(Change::Added));
        assert_eq!(difference(Known::Present(&1), Some(&2)), Some(Change::Changed));
        assert_eq!(difference(Known::Present(&1), None), Some(Change::Removed));
        assert_eq!(difference(Known::Removed(&1), Some(&1)), Some(Change::Returned));
    }
}
