//! Values as feeds write them, read into the types that records hold.

use chrono::{DateTime, NaiveDate, NaiveDateTime, SubsecRound, Utc};

/// A date or time: RFC 3339, `2026-03-15T14:30:00`, `2026-03-15 14:30:00` (both UTC) or `2026-03-15` (midnight UTC).
///
/// Returns `None` for anything else, and for a day that doesn't exist. Microseconds, which is what PostgreSQL keeps: a value
/// read back equals the one written.
pub fn time(text: &str) -> Option<DateTime<Utc>> {
    read_time(text.trim()).map(|time| time.trunc_subsecs(6))
}

fn read_time(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.with_timezone(&Utc));
    }
    for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(text, format) {
            return Some(time.and_utc());
        }
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(day.and_hms_opt(0, 0, 0)?.and_utc())
}

/// What `time` accepts, for messages.
pub const TIME_ALLOWED: &str = "a date (2026-03-15) or a time (2026-03-15T14:30:00Z) that exists";

/// A yes or no.
pub fn boolean(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "y" | "1" | "t" | "active" | "enabled" => Some(true),
        "false" | "no" | "n" | "0" | "f" | "inactive" | "disabled" => Some(false),
        _ => None,
    }
}

/// What `boolean` accepts, for messages.
pub const BOOLEAN_ALLOWED: &str = "true, yes, y, t, 1, active, enabled, false, no, n, f, 0, inactive or disabled";

/// The form in which two texts are compared when case must not matter.
pub fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_that_does_not_exist_is_no_time() {
        assert!(time("2026-02-30").is_none());
        assert!(time("2026-02-28").is_some());
        assert_eq!(time("2026-03-15T14:30:00+02:00"), time("2026-03-15 12:30:00"));
        assert!(time("15/03/2026").is_none());
    }

    #[test]
    fn words_for_yes_and_no_are_read_in_any_case() {
        assert_eq!(boolean(" Yes "), Some(true));
        assert_eq!(boolean("DISABLED"), Some(false));
        assert_eq!(boolean("maybe"), None);
    }
}
