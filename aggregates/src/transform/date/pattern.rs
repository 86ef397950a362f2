/// Characters of a pattern.
const LENGTH_LIMIT: usize = 100;
/// The letters that are executed.
const EXECUTED: &str = "yMdHhmsSaEZX";
/// The months' names; the first three letters are their short names.
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// The days' names, likewise.
pub(super) const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// A pattern of Java's `SimpleDateFormat`.
#[derive(Debug, Clone)]
pub(super) struct Pattern(pub(super) Vec<Item>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// A letter and how often it stands there.
    Field(char, usize),
    Text(String),
}

impl Pattern {
    /// Reads a pattern. Letters mean something unless they are in quotes; two quotes are one.
    ///
    /// # Errors
    /// A letter that isn't executed, a quote that is never closed.
    pub(super) fn read(pattern: &str) -> Result<Self, String> {
        let length = pattern.chars().count();
        if length > LENGTH_LIMIT {
            return Err(format!("The form has {length} characters; at most {LENGTH_LIMIT} are executed"));
        }
        let (mut items, mut text, mut is_quoted) = (Vec::new(), String::new(), false);
        let mut letters = pattern.chars().peekable();
        while let Some(letter) = letters.next() {
            if letter == '\'' {
                if letters.next_if_eq(&'\'').is_some() {
                    text.push('\'');
                } else {
                    is_quoted = !is_quoted;
                }
                continue;
            }
            if is_quoted || !letter.is_ascii_alphabetic() {
                text.push(letter);
                continue;
            }
            let mut count = 1;
            while letters.next_if_eq(&letter).is_some() {
                count += 1;
            }
            if !EXECUTED.contains(letter) || (letter == 'X' && count > 3) {
                let field = String::from(letter).repeat(count);
                return Err(format!("{field} is not executed in a form of dates; executed are the letters {EXECUTED}"));
            }
            if !text.is_empty() {
                items.push(Item::Text(std::mem::take(&mut text)));
            }
            items.push(Item::Field(letter, count));
        }
        if is_quoted {
            return Err("A quote is never closed".to_owned());
        }
        if !text.is_empty() {
            items.push(Item::Text(text));
        }
        Ok(Self(items))
    }

    /// Does it have years of two digits?
    pub(super) fn has_short_year(&self) -> bool {
        self.0.contains(&Item::Field('y', 2))
    }
}

impl Item {
    /// Is it written in digits?
    pub(super) fn is_number(&self) -> bool {
        match self {
            Self::Field('M', count) => *count < 3,
            Self::Field(letter, _) => "ydHhmsS".contains(*letter),
            Self::Text(_) => false,
        }
    }
}
