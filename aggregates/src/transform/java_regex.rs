//! Java's regular expressions, as far as they can be matched in linear time.

use std::iter::Peekable;
use std::ops::Range;
use std::str::Chars;

use regex::{Regex, RegexBuilder};

use super::PATTERN_LIMIT;

/// Characters of a pattern.
const LENGTH_LIMIT: usize = 1000;
/// Java's classes of ASCII, which Rust would take for Unicode's.
const POSIX: &[&str] = &[
    "Lower", "Upper", "ASCII", "Alpha", "Digit", "Alnum", "Punct", "Graph", "Print", "Blank", "Cntrl", "XDigit",
    "Space",
];

/// Compiles a pattern of Java's.
///
/// # Errors
/// A reason: it is wrong, too big, or has what takes more than linear time (look-around, back-references) or what Rust reads
/// otherwise. What remains of Java's own: `.` doesn't match a line feed, but does match Java's other ends of lines; `(?i)` is for all
/// letters, not for those of ASCII.
pub(super) fn compile(java: &str) -> Result<Regex, String> {
    let length = java.chars().count();
    if length > LENGTH_LIMIT {
        return Err(format!("The pattern has {length} characters; at most {LENGTH_LIMIT} are executed"));
    }
    let pattern = translated(java).map_err(|reason| format!("{java:?} is not executed: {reason}"))?;
    RegexBuilder::new(&pattern).size_limit(PATTERN_LIMIT).dfa_size_limit(PATTERN_LIMIT).build().map_err(|error| {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("{java:?} is not executed: {reason}")
    })
}

/// Where Java looks for the next match: after one of nothing a character further. Unlike Rust, it finds nothing right behind
/// something, too.
pub(super) fn next_search(text: &str, found: Range<usize>) -> usize {
    if found.is_empty() { found.end + text[found.end..].chars().next().map_or(1, char::len_utf8) } else { found.end }
}

/// The same pattern in Rust's words.
fn translated(java: &str) -> Result<String, String> {
    let mut rust = String::with_capacity(java.len());
    let mut letters = java.chars().peekable();
    // Classes stand inside one another in both languages.
    let mut depth = 0_usize;
    while let Some(letter) = letters.next() {
        let next = letters.peek().copied();
        match letter {
            '\\' => {
                escape(&mut letters, &mut rust)?;
                continue;
            }
            '[' => {
                if depth > 0 && next == Some(':') {
                    return Err("[: in a class has another meaning here".to_owned());
                }
                depth += 1;
            }
            ']' => depth = depth.saturating_sub(1),
            '-' | '~' if depth > 0 && next == Some(letter) => {
                return Err(format!("{letter}{letter} in a class has another meaning here"));
            }
            '*' | '+' | '?' | '}' if depth == 0 && next == Some('+') => {
                return Err(format!("{letter}+ is a possessive quantifier"));
            }
            '(' if depth == 0 && next == Some('?') => check_group(letters.clone())?,
            _ => {}
        }
        rust.push(letter);
    }
    Ok(rust)
}

/// What follows a backslash.
fn escape(letters: &mut Peekable<Chars>, rust: &mut String) -> Result<(), String> {
    let Some(letter) = letters.next() else { return Err("it ends in a backslash".to_owned()) };
    match letter {
        // In Java they are ASCII's.
        'd' => rust.push_str("[0-9]"),
        'D' => rust.push_str("[^0-9]"),
        'w' => rust.push_str("[0-9A-Za-z_]"),
        'W' => rust.push_str("[^0-9A-Za-z_]"),
        's' => rust.push_str(r"[ \t\n\x0B\f\r]"),
        'S' => rust.push_str(r"[^ \t\n\x0B\f\r]"),
        'v' => return Err(r"\v has another meaning here".to_owned()),
        'p' | 'P' if letters.peek() == Some(&'{') => rust.push_str(&property(letter == 'P', letters)?),
        // Java takes any other letter for itself; here some of them have a meaning.
        '<' | '>' => rust.push(letter),
        _ if !letter.is_ascii() => rust.push(letter),
        _ => rust.extend(['\\', letter]),
    }
    Ok(())
}

/// What follows `\p` or `\P`.
fn property(is_negated: bool, letters: &mut Peekable<Chars>) -> Result<String, String> {
    let written: String = letters.by_ref().take_while(|letter| *letter != '}').skip(1).collect();
    if POSIX.contains(&written.as_str()) {
        let negation = if is_negated { "^" } else { "" };
        return Ok(format!("[[:{negation}{}:]]", written.to_lowercase()));
    }
    if written.starts_with("java") || written.starts_with("In") {
        return Err(format!(r"\p{{{written}}} is a property of Java's"));
    }
    Ok(format!("\\{}{{{written}}}", if is_negated { 'P' } else { 'p' }))
}

/// What follows `(`: a group's kind that both know, or flags that mean the same.
fn check_group(mut letters: Peekable<Chars>) -> Result<(), String> {
    letters.next();
    match letters.next() {
        Some(':' | '<' | '=' | '!' | '>') => Ok(()), // what Rust doesn't have, it says itself
        Some(first) => {
            let mut flags = std::iter::once(first).chain(letters).take_while(|letter| !matches!(letter, ':' | ')'));
            match flags.find(|flag| !matches!(flag, 'i' | 'm' | 's' | '-')) {
                Some(flag) => Err(format!("the flag {flag} is not executed; executed are i, m and s")),
                None => Ok(()),
            }
        }
        None => Err("it ends in an open group".to_owned()),
    }
}
