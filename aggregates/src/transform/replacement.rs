//! Every match of a pattern replaced, as Java's `Matcher.replaceAll` does.

use regex::{Captures, Regex};

use super::Unfit;
use super::bounded::Bounded;
use super::java_regex::next_search;

/// Characters of a replacement.
const LENGTH_LIMIT: usize = 1000;

/// A pattern and what takes its matches' place.
#[derive(Debug, Clone)]
pub(super) struct Replace {
    pattern: Regex,
    with: Vec<Piece>,
}

#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    Group(usize),
}

impl Replace {
    /// Reads a replacement: `$1` and `${name}` are groups, and a backslash takes the meaning from what follows it.
    ///
    /// # Errors
    /// What Java would throw at.
    pub(super) fn new(pattern: Regex, with: &str) -> Result<Self, String> {
        let length = with.chars().count();
        if length > LENGTH_LIMIT {
            return Err(format!("The replacement has {length} characters; at most {LENGTH_LIMIT} are executed"));
        }
        let (mut pieces, mut text, mut rest) = (Vec::new(), String::new(), with);
        while let Some(at) = rest.find(['$', '\\']) {
            text.push_str(&rest[..at]);
            let is_group = rest[at..].starts_with('$');
            rest = &rest[at + 1..];
            if is_group {
                let (group, length) = group(&pattern, rest)?;
                pieces.push(Piece::Text(std::mem::take(&mut text)));
                pieces.push(Piece::Group(group));
                rest = &rest[length..];
            } else {
                let Some(letter) = rest.chars().next() else { return Err("It ends in a backslash".to_owned()) };
                text.push(letter);
                rest = &rest[letter.len_utf8()..];
            }
        }
        text.push_str(rest);
        pieces.push(Piece::Text(text));
        Ok(Self { pattern, with: pieces })
    }

    pub(super) fn run(&self, text: &str) -> Result<String, Unfit> {
        let (mut whole, mut from, mut search) = (Bounded::default(), 0, 0);
        while let Some(groups) = (search <= text.len()).then(|| self.pattern.captures_at(text, search)).flatten() {
            let found = groups.get_match().range();
            whole.push(&text[from..found.start])?;
            self.push(&groups, &mut whole)?;
            from = found.end;
            search = next_search(text, found);
        }
        whole.push(&text[from..])?;
        Ok(whole.finish())
    }

    fn push(&self, groups: &Captures, whole: &mut Bounded) -> Result<(), Unfit> {
        for piece in &self.with {
            match piece {
                Piece::Text(text) => whole.push(text)?,
                Piece::Group(group) => whole.push(groups.get(*group).map_or("", |found| found.as_str()))?,
            }
        }
        Ok(())
    }
}

/// The group that is named behind a `$`, and how many bytes its name has. A number has as many digits as there are groups for.
fn group(pattern: &Regex, name: &str) -> Result<(usize, usize), String> {
    if let Some((name, _)) = name.strip_prefix('{').and_then(|name| name.split_once('}')) {
        let known = pattern.capture_names().position(|known| known == Some(name));
        return known.map(|group| (group, name.len() + 2)).ok_or_else(|| format!("There is no group {name:?}"));
    }
    let digits = name.bytes().take_while(u8::is_ascii_digit).count().min(4);
    let numbers = (1..=digits).rev().filter_map(|length| Some((name[..length].parse().ok()?, length)));
    let mut known = numbers.filter(|(group, _)| *group < pattern.captures_len());
    known.next().ok_or_else(|| "A $ without the number or name of a group".to_owned())
}
