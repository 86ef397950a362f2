//! Values as feeds write them, read into the types that records hold.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, SecondsFormat, SubsecRound, Utc};

/// A date or time: RFC 3339, `2026-03-15T14:30:00`, `2026-03-15 14:30:00` (both UTC) or `2026-03-15` (midnight UTC).
///
/// Returns `None` for anything else, and for a day that doesn't exist. Microseconds, which is what PostgreSQL keeps: a value
/// read back equals the one written.
pub fn time(text: &str) -> Option<DateTime<Utc>> {
    read_time(text.trim())
        // Years beyond four digits and leap seconds are dates that PostgreSQL can't keep.
        .filter(|time| (1..=9999).contains(&time.year()) && time.timestamp_subsec_nanos() < 1_000_000_000)
        .map(|time| time.trunc_subsecs(6))
}

fn read_time(text: &str) -> Option<DateTime<Utc>> {
    // chrono reads 15-03-26 as the year 15: a feed's other date formats must be told, not guessed.
    let shape = text.as_bytes().get(..10)?;
    let is_dated = shape
        .iter()
        .enumerate()
        .all(|(at, byte)| if at == 4 || at == 7 { *byte == b'-' } else { byte.is_ascii_digit() });
    if !is_dated {
        return None;
    }
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

/// A time as everything of ours writes it: ISO 8601 in UTC, as exact as it is.
pub fn time_text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

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

/// A whole number.
pub fn integer(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

/// What `integer` accepts, for messages.
pub const INTEGER_ALLOWED: &str = "a whole number from -9223372036854775808 to 9223372036854775807";

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
    fn a_time_is_read_in_each_form_that_is_promised() {
        for text in [
            "2026-03-15T14:30:00Z",
            "2026-03-15T16:30:00+02:00",
            "2026-03-15T14:30:00",
            "2026-03-15 14:30:00",
            "2026-03-15T14:30",
            " 2026-03-15 14:30 ",
        ] {
            assert_eq!(time(text).unwrap().to_rfc3339(), "2026-03-15T14:30:00+00:00", "{text}");
        }
        assert_eq!(time("2026-03-15").unwrap().to_rfc3339(), "2026-03-15T00:00:00+00:00");
    }

    #[test]
    fn a_year_has_up_to_four_digits_and_is_after_christ() {
        for text in ["0001-01-01", "9999-12-31", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"] {
            assert!(time(text).is_some(), "{text}");
        }
        for text in
            ["0000-12-31", "-0001-01-01", "+10000-01-01", "10000-01-01", "0000-12-31 23:59:59", "+10000-01-01 00:00"]
        {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn it_is_the_year_in_utc_that_counts() {
        assert_eq!(time("0001-01-01T00:30:00+01:00"), None);
        assert!(time("0000-12-31T23:30:00-01:00").is_some());
        assert_eq!(time("9999-12-31T23:30:00-01:00"), None);
        assert_eq!(time("9999-12-31T23:30:00+01:00"), time("9999-12-31T22:30:00Z"));
    }

    #[test]
    fn a_leap_second_is_no_time() {
        for text in ["2016-12-31T23:59:60Z", "2016-12-31T23:59:60.5Z", "2016-12-31T23:59:60", "2016-12-31 23:59:60.25"]
        {
            assert_eq!(time(text), None, "{text}");
        }
        assert!(time("2016-12-31T23:59:59.999999Z").is_some());
    }

    #[test]
    fn digits_below_a_microsecond_are_cut_off_and_never_rounded() {
        for (text, kept) in [
            ("2026-03-15T14:30:00.1234569Z", "2026-03-15T14:30:00.123456Z"),
            ("2026-03-15 14:30:00.123456999", "2026-03-15T14:30:00.123456Z"),
            ("2026-03-15T23:59:59.9999999", "2026-03-15T23:59:59.999999Z"),
            ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.999999Z"),
            ("1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.999999Z"),
            ("2026-03-15T14:30:00.0000009Z", "2026-03-15T14:30:00Z"),
        ] {
            let read = time(text).unwrap();
            assert_eq!(read, kept.parse::<DateTime<Utc>>().unwrap(), "{text}");
            assert_eq!(time(&read.to_rfc3339()), Some(read), "{text}");
        }
    }

    #[test]
    fn words_for_yes_and_no_are_read_in_any_case() {
        assert_eq!(boolean(" Yes "), Some(true));
        assert_eq!(boolean("DISABLED"), Some(false));
        assert_eq!(boolean("maybe"), None);
    }
}
