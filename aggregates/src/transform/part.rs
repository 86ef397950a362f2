//! Parts of a text: of those between delimiters one, or those characters between two places.

use regex::Regex;

use super::Unfit;
use super::java_regex::next_search;

/// The part at an index, from 0, between matches of a pattern.
#[derive(Debug, Clone)]
pub(super) struct Split {
    pub(super) delimiter: Regex,
    pub(super) index: usize,
    /// An index without a part is an error, and no value otherwise.
    pub(super) throws: bool,
}

impl Split {
    pub(super) fn run(&self, text: &str) -> Result<Option<String>, Unfit> {
        match self.parts(text).get(self.index) {
            Some(part) => Ok(Some((*part).to_owned())),
            None if self.throws => Err(Unfit::NoPart(self.index)),
            None => Ok(None),
        }
    }

    /// As Java's `String.split`: a text without a delimiter is whole, empty parts at the end don't count, and a match of nothing
    /// at the beginning splits nothing off.
    fn parts<'a>(&self, text: &'a str) -> Vec<&'a str> {
        let (mut parts, mut from, mut search) = (Vec::new(), 0, 0);
        while let Some(found) = (search <= text.len()).then(|| self.delimiter.find_at(text, search)).flatten() {
            if found.end() > 0 {
                parts.push(&text[from..found.start()]);
                from = found.end();
            }
            search = next_search(text, found.range());
        }
        if parts.is_empty() {
            return vec![text];
        }
        parts.push(&text[from..]);
        let last = parts.iter().rposition(|part| !part.is_empty());
        parts.truncate(last.map_or(0, |last| last + 1));
        parts
    }
}

/// The characters from one place until another, or until the end.
///
/// The documentation doesn't say what becomes of a text that is too short: it gives what it has. Characters are Unicode's, so
/// that none is cut in two; Java counts those beyond U+FFFF twice.
#[derive(Debug, Clone)]
pub(super) struct Substring {
    pub(super) begin: usize,
    pub(super) end: Option<usize>,
}

impl Substring {
    pub(super) fn run(&self, text: &str) -> String {
        let length = self.end.map_or(usize::MAX, |end| end.saturating_sub(self.begin));
        text.chars().skip(self.begin).take(length).collect()
    }
}
