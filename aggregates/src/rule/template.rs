//! Texts with placeholders for what an account says: `{account.name}@example.com`.

use super::Subject;
use super::subject::{CUSTOM, Place};
use crate::application::CORRELATING_ACCOUNT_FIELDS;
use crate::filter::fold;

/// A text with placeholders. `{{` and `}}` are braces.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    /// Folded.
    Text(String),
    Account(Place),
}

impl Template {
    /// Reads a text.
    ///
    /// # Errors
    /// What was found in it, and what could stand there.
    pub(super) fn read(text: &str) -> Result<Self, (String, String)> {
        let (mut pieces, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let (brace, after) = rest[at..].split_at(1);
            rest = if let Some(after) = after.strip_prefix(brace) {
                plain.push_str(brace);
                after
            } else {
                let (inside, after) = match after.split_once('}') {
                    Some(split) if brace == "{" => split,
                    _ => return Err((brace.to_owned(), format!("{}, or the brace twice", allowed()))),
                };
                let place = place(inside).ok_or_else(|| (shown(inside), allowed()))?;
                pieces.push(Piece::Text(fold(&std::mem::take(&mut plain))));
                pieces.push(Piece::Account(place));
                after
            };
        }
        plain.push_str(rest);
        pieces.push(Piece::Text(fold(&plain)));
        Ok(Self(pieces))
    }

    /// Fields of the account that it asks for.
    pub(super) fn places(&self) -> impl Iterator<Item = &Place> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Account(place) => Some(place),
            Piece::Text(_) => None,
        })
    }

    /// The folded text for an account; `None` when the account has no value in one of the places. Values are put into a literal
    /// that was read already, so nothing that they hold can be taken for a part of the filter.
    pub(super) fn fill(&self, account: Subject<'_>) -> Option<String> {
        let mut filled = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Account(place) => filled.push_str(&account.folded(place)?),
            }
        }
        Some(filled)
    }
}

/// The field of an account that a placeholder names, in any case.
fn place(inside: &str) -> Option<Place> {
    let name = fold(inside.trim());
    let name = name.strip_prefix("account.")?;
    if let Some(field) = CORRELATING_ACCOUNT_FIELDS.iter().find(|field| fold(field) == name) {
        return Some(Place { field, custom: String::new() });
    }
    let custom = name.strip_prefix(CUSTOM)?.strip_prefix('.').filter(|custom| !custom.is_empty())?;
    Some(Place { field: CUSTOM, custom: custom.to_owned() })
}

fn allowed() -> String {
    format!("a placeholder: {{account.x}} with one of {} or attributes.<name>", CORRELATING_ACCOUNT_FIELDS.join(", "))
}

fn shown(inside: &str) -> String {
    format!("{{{}}}", inside.chars().take(60).collect::<String>())
}
