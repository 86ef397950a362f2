//! Forms of dates: Java's `SimpleDateFormat` and those that `SailPoint` has names for. Everything without a zone is UTC, and so is
//! everything written; names of months and days are English.

mod pattern;
mod reading;
#[cfg(test)]
mod tests;
mod writing;

use chrono::{DateTime, TimeDelta, Utc};

use self::pattern::Pattern;
use super::Unfit;
use crate::values;

/// As it is documented today. Older documentation has `Z` (+0100) at the end, which is read, too.
const ISO: &str = "yyyy-MM-dd'T'HH:mm:ss.SSSX";
/// Milliseconds from 1601, where Windows begins, until 1970.
const WINDOWS_EPOCH: i64 = 11_644_473_600_000;

/// How a date is written.
#[derive(Debug, Clone)]
pub(in crate::transform) struct Form {
    /// As it was written, for messages.
    name: String,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Pattern(Pattern),
    /// `ISO8601`: read in whatever precision, written as [`ISO`].
    Iso(Pattern),
    /// Milliseconds since 1970.
    Java,
    /// 100 nanoseconds each, since 1601.
    Windows,
}

impl Form {
    /// A form to write dates in.
    ///
    /// # Errors
    /// What of it isn't executed.
    pub(in crate::transform) fn to_write(form: &str) -> Result<Self, String> {
        let kind = match form {
            "ISO8601" => Kind::Iso(Pattern::read(ISO)?),
            "EPOCH_TIME_JAVA" => Kind::Java,
            "EPOCH_TIME_WIN32" => Kind::Windows,
            "LDAP" => Kind::Pattern(Pattern::read("yyyyMMddHHmmss.Z")?),
            "PEOPLE_SOFT" => Kind::Pattern(Pattern::read("MM/dd/yyyy")?),
            pattern => Kind::Pattern(Pattern::read(pattern)?),
        };
        Ok(Self { name: form.to_owned(), kind })
    }

    /// A form to read dates in.
    ///
    /// # Errors
    /// As [`Form::to_write`], and two digits of a year: in Java their century depends on the day on which they are read.
    pub(in crate::transform) fn to_read(form: &str) -> Result<Self, String> {
        let form = Self::to_write(form)?;
        match &form.kind {
            Kind::Pattern(pattern) if pattern.has_short_year() => {
                Err("yy is not executed in a form to read: the century would depend on the day of the import"
                    .to_owned())
            }
            _ => Ok(form),
        }
    }

    /// The time that a text says. Unlike in Java it must say nothing else, and a day that exists.
    pub(super) fn read(&self, text: &str) -> Result<DateTime<Utc>, Unfit> {
        let number = || text.parse::<i64>().ok();
        let read = match &self.kind {
            Kind::Pattern(pattern) => pattern.parse(text),
            Kind::Iso(pattern) => values::time(text).or_else(|| pattern.parse(text)),
            Kind::Java => number().and_then(DateTime::from_timestamp_millis),
            Kind::Windows => number().and_then(|number| {
                let whole = DateTime::from_timestamp_millis((number / 10_000).checked_sub(WINDOWS_EPOCH)?)?;
                whole.checked_add_signed(TimeDelta::nanoseconds(number % 10_000 * 100))
            }),
        };
        read.ok_or_else(|| Unfit::NotADate(self.name.clone()))
    }

    /// The time in this form.
    pub(super) fn write(&self, time: DateTime<Utc>) -> Result<String, Unfit> {
        let written = match &self.kind {
            Kind::Pattern(pattern) | Kind::Iso(pattern) => pattern.format(time),
            Kind::Java => Some(time.timestamp_millis().to_string()),
            Kind::Windows => time.timestamp_millis().checked_add(WINDOWS_EPOCH).and_then(|millis| {
                let rest = i64::from(time.timestamp_subsec_nanos() % 1_000_000 / 100);
                Some(millis.checked_mul(10_000)?.checked_add(rest)?.to_string())
            }),
        };
        written.ok_or_else(|| Unfit::NotADate(self.name.clone()))
    }
}
