//! A filter's text, token by token.

use super::FilterError;
use super::error::shown;

/// A piece of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub(super) kind: TokenKind,
    /// As it stands in the text.
    pub(super) text: &'t str,
    /// Of its first character; 1-based.
    pub(super) position: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A path, an operator, a number, `true`, `not`: whatever has neither white space, brackets nor quotes in it.
    Word,
    /// With its quotes.
    Text,
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    End,
}

impl Token<'_> {
    /// For messages.
    pub(super) fn found(&self) -> String {
        if self.kind == TokenKind::End { "the end".to_owned() } else { shown(self.text) }
    }
}

/// Cuts tokens off the beginning of what is left.
pub(super) struct Lexer<'t> {
    rest: &'t str,
    position: usize,
}

impl<'t> Lexer<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self { rest: text, position: 1 }
    }

    /// The next token; `End` again and again at the end. Only a text or a name without its closing quote is an error.
    pub(super) fn next(&mut self) -> Result<Token<'t>, FilterError> {
        let blank = self.rest.len() - self.rest.trim_start().len();
        self.cut(blank);
        let position = self.position;
        let (kind, length) = match self.rest.chars().next() {
            None => (TokenKind::End, 0),
            Some('(') => (TokenKind::Open, 1),
            Some(')') => (TokenKind::Close, 1),
            Some('[') => (TokenKind::OpenBracket, 1),
            Some(']') => (TokenKind::CloseBracket, 1),
            Some('"') => (TokenKind::Text, self.quoted(0)?),
            Some(_) => (TokenKind::Word, self.word()?),
        };
        Ok(Token { kind, text: self.cut(length), position })
    }

    fn cut(&mut self, bytes: usize) -> &'t str {
        let (cut, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        self.position += cut.chars().count();
        cut
    }

    /// Bytes of the word here. A quote right after a dot begins a name that belongs to it: `attributes."Cost Centre"`.
    fn word(&self) -> Result<usize, FilterError> {
        let is_end = |char: char| char.is_whitespace() || "()[]\"".contains(char);
        let mut end = 0;
        loop {
            end += self.rest[end..].find(is_end).unwrap_or(self.rest.len() - end);
            if !(self.rest[..end].ends_with('.') && self.rest[end..].starts_with('"')) {
                return Ok(end);
            }
            end += self.quoted(end)?;
        }
    }

    /// Bytes of the quoted text that begins at `start`.
    fn quoted(&self, start: usize) -> Result<usize, FilterError> {
        let text = &self.rest[start..];
        quoted(text).ok_or_else(|| {
            let position = self.position + self.rest[..start].chars().count();
            FilterError::new(position, shown(text), "a closing quote after it")
        })
    }
}

/// Bytes of the quoted text that begins here, with its quotes; `None` when it doesn't end.
pub(super) fn quoted(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}
