//! Days of the company, counted from a fixed one: no clock has a say.

use chrono::{Days, NaiveDate};

/// 2026-01-01: the company is as on this day, and changes afterwards.
const TODAY: u64 = 20_454;

/// So many days ago.
pub fn ago(days: u64) -> String {
    day(TODAY.saturating_sub(days))
}

/// So many days later.
pub fn later(days: u64) -> String {
    day(TODAY + days)
}

fn day(since_1970: u64) -> String {
    (NaiveDate::default() + Days::new(since_1970)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_the_first_of_2026() {
        assert_eq!((ago(0), ago(365), later(31)), ("2026-01-01".into(), "2025-01-01".into(), "2026-02-01".into()));
    }
}
