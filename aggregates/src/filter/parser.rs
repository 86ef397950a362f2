//! The grammar of RFC 7644 §3.4.2.2 (contracts §4) by recursive descent: `not` binds before `and`, `and` before `or`.

use std::str::FromStr;

use super::error::shown;
use super::lexer::{Lexer, Token, TokenKind};
use super::words::{path, unquoted, word};
use super::{Comparison, Filter, FilterError, Literal, Located, Operator, Path};

/// Characters that a filter may have.
pub const LENGTH_LIMIT: usize = 1 << 16;
/// Parentheses and brackets that may be open at once. Everything that walks a filter recurses no deeper than a few times this.
pub const DEPTH_LIMIT: usize = 64;
/// Comparisons (and `pr`) that a filter may have.
pub const COMPARISON_LIMIT: usize = 1000;

const A_PATH: &str = "an attribute such as source.department, not (…) or (…)";
const A_VALUE: &str = "a text in straight quotes \"…\", a number, true, false or null";
const A_TEXT: &str =
    "a text as JSON writes it: escapes \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX, no line breaks and no NUL";
const AN_OPERATOR: &str = "one of eq, ne, co, sw, ew, gt, ge, lt, le, pr";

impl FromStr for Filter {
    type Err = FilterError;

    /// # Errors
    /// The first thing that isn't a filter's grammar, or a limit that is exceeded.
    fn from_str(text: &str) -> Result<Self, FilterError> {
        let length = text.chars().count();
        if length > LENGTH_LIMIT {
            let expected = format!("at most {LENGTH_LIMIT}");
            return Err(FilterError::new(LENGTH_LIMIT + 1, format!("{length} characters"), expected));
        }
        let mut lexer = Lexer::new(text);
        let next = lexer.next()?;
        let mut parser = Parser { lexer, next, depth: 0, comparisons: 0, is_in_brackets: false };
        let filter = parser.or()?;
        match parser.next.kind {
            TokenKind::End => Ok(filter),
            _ => Err(parser.unexpected("and, or, or the end")),
        }
    }
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    next: Token<'t>,
    /// Parentheses and brackets open now.
    depth: usize,
    comparisons: usize,
    is_in_brackets: bool,
}

impl<'t> Parser<'t> {
    fn or(&mut self) -> Result<Filter, FilterError> {
        self.joined("or", Self::and, Filter::Or)
    }

    fn and(&mut self) -> Result<Filter, FilterError> {
        self.joined("and", Self::term, Filter::And)
    }

    fn joined(
        &mut self,
        word: &str,
        part: fn(&mut Self) -> Result<Filter, FilterError>,
        join: fn(Vec<Filter>) -> Filter,
    ) -> Result<Filter, FilterError> {
        let first = part(self)?;
        if !self.is_word(word) {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.is_word(word) {
            self.advance()?;
            parts.push(part(self)?);
        }
        Ok(join(parts))
    }

    fn term(&mut self) -> Result<Filter, FilterError> {
        if self.next.kind == TokenKind::Open {
            return self.group(TokenKind::Close);
        }
        if self.is_word("not") {
            self.advance()?;
            return match self.next.kind {
                TokenKind::Open => Ok(Filter::Not(Box::new(self.group(TokenKind::Close)?))),
                _ => Err(self.unexpected("a parenthesis ( after not")),
            };
        }
        if self.next.kind != TokenKind::Word {
            return Err(self.unexpected(A_PATH));
        }
        let token = self.advance()?;
        let path = path(token.text).ok_or_else(|| FilterError::new(token.position, token.found(), A_PATH))?;
        let path = Located::new(path, token.position);
        if self.next.kind == TokenKind::OpenBracket {
            if self.is_in_brackets {
                return Err(self.unexpected(format!("{AN_OPERATOR}: brackets can't be inside brackets")));
            }
            self.is_in_brackets = true;
            let inner = self.group(TokenKind::CloseBracket);
            self.is_in_brackets = false;
            return Ok(Filter::Within(path, Box::new(inner?)));
        }
        self.comparison(path)
    }

    /// What stands between the bracket that comes next and its partner.
    fn group(&mut self, close: TokenKind) -> Result<Filter, FilterError> {
        if self.depth == DEPTH_LIMIT {
            let expected = format!("at most {DEPTH_LIMIT} parentheses and brackets inside each other");
            return Err(self.unexpected(expected));
        }
        self.depth += 1;
        self.advance()?;
        let inner = self.or()?;
        if self.next.kind != close {
            let bracket = if close == TokenKind::Close { ')' } else { ']' };
            return Err(self.unexpected(format!("and, or, or {bracket}")));
        }
        self.advance()?;
        self.depth -= 1;
        Ok(inner)
    }

    fn comparison(&mut self, path: Located<Path>) -> Result<Filter, FilterError> {
        self.comparisons += 1;
        if self.comparisons > COMPARISON_LIMIT {
            let expected = format!("at most {COMPARISON_LIMIT} comparisons");
            return Err(FilterError::new(path.position, shown(&path.to_string()), expected));
        }
        if self.is_word("pr") {
            self.advance()?;
            return Ok(Filter::Present(path));
        }
        let operator = match self.next.kind {
            TokenKind::Word => Operator::named(self.next.text),
            _ => None,
        };
        let operator = operator.ok_or_else(|| self.unexpected(AN_OPERATOR))?;
        let operator = Located::new(operator, self.advance()?.position);
        let token = self.next;
        let value = match token.kind {
            TokenKind::Word => word(token.text).ok_or_else(|| self.unexpected(A_VALUE))?,
            TokenKind::Text => Literal::Text(unquoted(token.text).ok_or_else(|| self.unexpected(A_TEXT))?),
            _ => return Err(self.unexpected(A_VALUE)),
        };
        self.advance()?;
        Ok(Filter::Compare(Comparison { path, operator, literal: Located::new(value, token.position) }))
    }

    fn is_word(&self, word: &str) -> bool {
        self.next.kind == TokenKind::Word && self.next.text.eq_ignore_ascii_case(word)
    }

    /// Takes the token that came next.
    fn advance(&mut self) -> Result<Token<'t>, FilterError> {
        let next = self.lexer.next()?;
        Ok(std::mem::replace(&mut self.next, next))
    }

    fn unexpected(&self, expected: impl Into<String>) -> FilterError {
        FilterError::new(self.next.position, self.next.found(), expected)
    }
}
