//! Texts with variables: of Velocity's language that much and no more.

use super::Unfit;
use super::bounded::Bounded;

/// A text with variables.
#[derive(Debug, Clone)]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    /// The number of a variable, and whether it may have no value (`$!name`).
    Variable(usize, bool),
}

impl Template {
    /// Reads `$name`, `${name}`, `$!name` and `$!{name}`; a `$` or `#` before anything that no name or directive begins with is
    /// itself. `variable` gives a name its number.
    ///
    /// # Errors
    /// A reason: a directive, a method, a property, an escape, or what `variable` says.
    pub(super) fn read<E: From<String>>(
        text: &str,
        mut variable: impl FnMut(&str) -> Result<usize, E>,
    ) -> Result<Self, E> {
        let (mut pieces, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some(at) = rest.find(['$', '#', '\\']) {
            plain.push_str(&rest[..at]);
            let (sign, after) = rest[at..].split_at(1);
            rest = after;
            match sign {
                "$" => match reference(after)? {
                    Some(found) => {
                        pieces.push(Piece::Text(std::mem::take(&mut plain)));
                        pieces.push(Piece::Variable(variable(found.name)?, found.is_quiet));
                        rest = found.rest;
                    }
                    None => plain.push('$'),
                },
                "#" if after.starts_with(|next: char| next.is_ascii_alphabetic() || "{#*[@".contains(next)) => {
                    let directive: String =
                        after.chars().take_while(|next| !" ()$\n".contains(*next)).take(20).collect();
                    return Err(format!("The Velocity directive #{directive} is not executed").into());
                }
                "\\" if after.starts_with(['$', '#', '\\']) => {
                    return Err("Velocity's escapes (a backslash before $, # or \\) are not executed"
                        .to_owned()
                        .into());
                }
                sign => plain.push_str(sign),
            }
        }
        plain.push_str(rest);
        pieces.push(Piece::Text(plain));
        Ok(Self(pieces))
    }

    /// The text with its variables' values.
    ///
    /// # Errors
    /// A variable without a value, where `SailPoint` says "Error rendering template".
    pub(super) fn run(
        &self,
        name: impl Fn(usize) -> String,
        value: impl Fn(usize) -> Result<Option<String>, Unfit>,
    ) -> Result<String, Unfit> {
        let mut whole = Bounded::default();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => whole.push(text)?,
                Piece::Variable(number, is_quiet) => match value(*number)? {
                    Some(value) => whole.push(&value)?,
                    None if *is_quiet => {}
                    None => return Err(Unfit::NoValue(name(*number))),
                },
            }
        }
        Ok(whole.finish())
    }
}

struct Reference<'a> {
    name: &'a str,
    is_quiet: bool,
    rest: &'a str,
}

/// The variable that is named behind a `$`, if one is.
fn reference(text: &str) -> Result<Option<Reference<'_>>, String> {
    let quiet = text.strip_prefix('!');
    let text = quiet.unwrap_or(text);
    let braced = text.strip_prefix('{');
    let text = braced.unwrap_or(text);
    if !text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
        return Ok(None);
    }
    let end = text.find(|next: char| !(next.is_ascii_alphanumeric() || next == '_' || next == '-'));
    let (name, mut rest) = text.split_at(end.unwrap_or(text.len()));
    if braced.is_some() {
        rest = rest.strip_prefix('}').ok_or_else(|| format!("${{{name} is followed by what is not executed"))?;
    } else if rest.starts_with('[')
        || rest.strip_prefix('.').is_some_and(|next| next.starts_with(|first: char| first.is_ascii_alphabetic()))
    {
        return Err(format!("Properties and methods (of ${name}) are not executed; ${{{name}}} ends the name"));
    }
    Ok(Some(Reference { name, is_quiet: quiet.is_some(), rest }))
}
