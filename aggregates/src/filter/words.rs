//! Words of a filter: literals, and the ways to attributes.

use super::lexer::quoted;
use super::{Literal, Path};

/// A literal without quotes.
pub(super) fn word(word: &str) -> Option<Literal> {
    for (name, literal) in
        [("true", Literal::Boolean(true)), ("false", Literal::Boolean(false)), ("null", Literal::Null)]
    {
        if word.eq_ignore_ascii_case(name) {
            return Some(literal);
        }
    }
    // JSON's grammar from serde, the value from the standard library, which rounds correctly.
    serde_json::from_str::<serde_json::Number>(word).ok()?;
    word.parse().ok().filter(|number: &f64| number.is_finite()).map(Literal::Number)
}

/// A JSON string's text. NUL is refused, since no row can hold it.
pub(super) fn unquoted(text: &str) -> Option<String> {
    serde_json::from_str(text).ok().filter(|text: &String| !text.contains('\0'))
}

/// `[URI ":"] ATTRNAME *subAttr`; the URI ends at the last colon (contracts §4).
pub(super) fn path(text: &str) -> Option<Path> {
    let bare = text.find('"').unwrap_or(text.len());
    let (schema, mut rest) = match text[..bare].rfind(':') {
        Some(colon) => (Some(&text[..colon]), &text[colon + 1..]),
        None => (None, text),
    };
    if !schema.is_none_or(is_uri) {
        return None;
    }
    let mut names = Vec::new();
    loop {
        let end = if rest.starts_with('"') { quoted(rest)? } else { rest.find('.').unwrap_or(rest.len()) };
        let (name, after) = rest.split_at(end);
        names.push(match unquoted_name(name) {
            Some(name) if !names.is_empty() => name,
            _ if is_name(name) => name.to_owned(),
            _ => return None,
        });
        match after.strip_prefix('.') {
            Some(after) => rest = after,
            None if after.is_empty() => return Some(Path { schema: schema.map(str::to_owned), names }),
            None => return None,
        }
    }
}

fn unquoted_name(name: &str) -> Option<String> {
    if name.starts_with('"') { unquoted(name).filter(|name| !name.is_empty()) } else { None }
}

/// RFC 7644's ATTRNAME: a letter, then letters, digits, `-` and `_`.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// A scheme, a colon and something after it (RFC 3986).
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let is_rest = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&'*+,;=%".contains(&byte);
    is_scheme && !rest.is_empty() && rest.bytes().all(is_rest)
}
