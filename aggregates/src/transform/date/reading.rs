use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};

use super::pattern::{DAYS, Item, MONTHS, Pattern};

/// What a text has said; what it doesn't say is that of the first moment of 1970, as in Java.
#[derive(Default)]
struct Said {
    year: Option<u32>,
    month: Option<u32>,
    day: Option<u32>,
    weekday: Option<u32>,
    /// Of 24.
    hour: Option<u32>,
    /// Of 12.
    half_hour: Option<u32>,
    is_afternoon: bool,
    minute: u32,
    second: u32,
    millisecond: u32,
    /// Minutes before UTC.
    offset: i64,
}

impl Pattern {
    /// The time that a text says in this form; `None` when it has another form, says more, or a day that doesn't exist.
    pub(super) fn parse(&self, text: &str) -> Option<DateTime<Utc>> {
        let (mut said, mut rest) = (Said::default(), text);
        for (index, item) in self.0.iter().enumerate() {
            rest = match item {
                Item::Text(text) => rest.strip_prefix(text.as_str())?,
                Item::Field(letter, count) if item.is_number() => {
                    // Digits right before other digits are as many as there are letters.
                    let is_followed = self.0.get(index + 1).is_some_and(Item::is_number);
                    let (number, rest) = digits(rest, is_followed.then_some(*count))?;
                    said.number(*letter, number)?;
                    rest
                }
                Item::Field(letter, _) => said.word(*letter, rest)?,
            };
        }
        if rest.is_empty() { said.time() } else { None }
    }
}

impl Said {
    fn number(&mut self, letter: char, number: u32) -> Option<()> {
        match letter {
            'y' => self.year = Some(number),
            'M' => self.month = Some(number),
            'd' => self.day = Some(number),
            'H' => self.hour = Some(number),
            'h' if (1..=12).contains(&number) => self.half_hour = Some(number),
            'h' => return None,
            'm' => self.minute = number,
            's' => self.second = number,
            // S, which is the last of the numbers: milliseconds, not a fraction.
            _ => self.millisecond = number,
        }
        Some(())
    }

    /// Reads a word and returns what follows it.
    fn word<'a>(&mut self, letter: char, text: &'a str) -> Option<&'a str> {
        match letter {
            'M' => {
                let (month, rest) = name(text, &MONTHS)?;
                self.month = Some(month + 1);
                Some(rest)
            }
            'E' => {
                let (day, rest) = name(text, &DAYS)?;
                self.weekday = Some(day);
                Some(rest)
            }
            'a' => {
                self.is_afternoon = text.get(..2)?.eq_ignore_ascii_case("PM");
                (self.is_afternoon || text.get(..2)?.eq_ignore_ascii_case("AM")).then(|| &text[2..])
            }
            // Z and X, which read what either of them writes.
            _ => {
                let (offset, rest) = offset(text)?;
                self.offset = offset;
                Some(rest)
            }
        }
    }

    fn time(&self) -> Option<DateTime<Utc>> {
        let half_hour = self.half_hour.map(|hour| hour % 12 + if self.is_afternoon { 12 } else { 0 });
        let hour = self.hour.or(half_hour).unwrap_or(0);
        let year = i32::try_from(self.year.unwrap_or(1970)).ok().filter(|year| *year > 0)?;
        let day = NaiveDate::from_ymd_opt(year, self.month.unwrap_or(1), self.day.unwrap_or(1))?;
        if self.weekday.is_some_and(|said| said != day.weekday().num_days_from_monday()) {
            return None;
        }
        let time = day.and_hms_milli_opt(hour, self.minute, self.second, self.millisecond)?.and_utc();
        time.checked_sub_signed(TimeDelta::minutes(self.offset))
    }
}

/// A number of so many digits, or of all that are there, and what follows it.
fn digits(text: &str, count: Option<usize>) -> Option<(u32, &str)> {
    let there = text.bytes().take_while(u8::is_ascii_digit).count();
    let count = count.unwrap_or(there);
    let (number, rest) = text.split_at_checked(count).filter(|_| count <= there)?;
    Some((number.parse().ok()?, rest))
}

/// A name's index, whatever the case, whole or its first three letters, and what follows it.
fn name<'a>(text: &'a str, names: &[&str]) -> Option<(u32, &'a str)> {
    let begins = |name: &str| text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let (index, name) = names.iter().enumerate().find(|(_, name)| begins(&name[..3]))?;
    let length = if begins(name) { name.len() } else { 3 };
    Some((index as u32, &text[length..]))
}

/// Minutes before UTC (`Z`, `GMT`, `UTC`, `+01`, `+0100`, `+01:00`), and what follows.
fn offset(text: &str) -> Option<(i64, &str)> {
    if let Some(rest) = ["Z", "GMT", "UTC"].iter().find_map(|name| text.strip_prefix(name)) {
        return Some((0, rest));
    }
    let (sign, rest) = match text.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, text.strip_prefix('-')?),
    };
    let (hours, rest) = digits(rest, Some(2))?;
    let (minutes, rest) = digits(rest.strip_prefix(':').unwrap_or(rest), Some(2)).unwrap_or((0, rest));
    (hours < 24 && minutes < 60).then(|| (sign * i64::from(hours * 60 + minutes), rest))
}
