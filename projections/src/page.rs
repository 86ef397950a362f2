//! Pages of 50 (contracts §1.2), as fast at the end of a million rows as at the beginning.

/// Rows on a page.
pub const SIZE: i64 = 50;

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Rows on all pages.
    pub total: i64,
}

/// Where a page lies: read from the nearer end, so that the last page costs what the first does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// Read in the opposite order, then turn round.
    pub(crate) from_end: bool,
    pub(crate) offset: i64,
    pub(crate) limit: i64,
}

impl Window {
    /// The window of `page` (1-based) in a list of `total` rows.
    pub(crate) fn of(page: i64, total: i64) -> Self {
        let start = (page - 1).saturating_mul(SIZE).min(total);
        let end = (start + SIZE).min(total);
        if start > total - end {
            Self { from_end: true, offset: total - end, limit: end - start }
        } else {
            Self { from_end: false, offset: start, limit: end - start }
        }
    }

    /// `ASC` or `DESC`, for a list whose natural order is ascending.
    pub(crate) const fn direction(self) -> &'static str {
        if self.from_end { "DESC" } else { "ASC" }
    }

    /// Turns rows that were read from the end round.
    pub(crate) fn arrange<T>(self, mut rows: Vec<T>) -> Vec<T> {
        if self.from_end {
            rows.reverse();
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_on_exactly_one_page() {
        for total in [0, 1, 49, 50, 51, 149, 1000] {
            let mut seen = Vec::new();
            for page in 1..=(total / SIZE + 2) {
                let window = Window::of(page, total);
                let rows: Vec<i64> = if window.from_end { (0..total).rev().collect() } else { (0..total).collect() };
                let rows = rows.into_iter().skip(window.offset as usize).take(window.limit as usize).collect();
                seen.extend(window.arrange(rows));
            }
            assert_eq!(seen, (0..total).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_last_page_is_read_from_the_end() {
        assert_eq!(Window::of(20_000, 1_000_000), Window { from_end: true, offset: 0, limit: 50 });
    }
}
