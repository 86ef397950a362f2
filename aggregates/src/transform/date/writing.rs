use std::fmt::Write;

use chrono::{DateTime, Datelike, Timelike, Utc};

use super::pattern::{DAYS, Item, MONTHS, Pattern};

impl Pattern {
    /// A time in this form; `None` before the year 1, where Java would count eras.
    pub(super) fn format(&self, time: DateTime<Utc>) -> Option<String> {
        let year = u32::try_from(time.year()).ok().filter(|year| *year > 0)?;
        let mut written = String::new();
        for item in &self.0 {
            match item {
                Item::Text(text) => written.push_str(text),
                Item::Field(letter, count) => field(&mut written, *letter, *count, year, time),
            }
        }
        Some(written)
    }
}

fn field(written: &mut String, letter: char, count: usize, year: u32, time: DateTime<Utc>) {
    let number = match letter {
        'y' if count == 2 => year % 100,
        'y' => year,
        'M' if count >= 3 => return written.push_str(named(&MONTHS, time.month0(), count)),
        'M' => time.month(),
        'd' => time.day(),
        'H' => time.hour(),
        'h' => time.hour12().1,
        'm' => time.minute(),
        's' => time.second(),
        'S' => time.nanosecond() / 1_000_000 % 1000,
        'a' => return written.push_str(if time.hour() < 12 { "AM" } else { "PM" }),
        'E' => return written.push_str(named(&DAYS, time.weekday().num_days_from_monday(), count)),
        'Z' => return written.push_str("+0000"),
        // X, which is the last of the letters that a pattern has.
        _ => return written.push('Z'),
    };
    // A text takes whatever is written to it.
    let _ = write!(written, "{number:0count$}");
}

fn named<'a>(names: &[&'a str], index: u32, count: usize) -> &'a str {
    let name = names[index as usize];
    if count > 3 { name } else { &name[..3] }
}
