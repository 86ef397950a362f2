use super::attributes::{of_filter, of_mutable_filter, of_results_filter, of_results_mutable_filter};
use super::{Attribute, Decision, SignedOffState};
use crate::filter::{Catalogue, Checked, Comparison, Filter, FilterError, Literal, Located, Operator, Path, fold};

/// A filter made ready for rows; `None` = it says nothing, so every row is meant.
pub type RowFilter = Option<Checked<Attribute>>;

/// Reads a `filter`.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn filter(text: &str) -> Result<RowFilter, FilterError> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    text.parse::<Filter>()?.check(&of_filter()).map(Some)
}

/// Reads a `mutable_filter` of an automation. A row without a predecessor never matches one: whoever holds rows against it joins
/// the predecessor first (rulings 33).
///
/// # Errors
/// The first thing that is wrong with it.
pub fn mutable_filter(text: &str) -> Result<RowFilter, FilterError> {
    words(text, &of_mutable_filter())
}

/// Reads a `mutable_filter` of rows that are to be decided: over what is and was decided about them.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn results_mutable_filter(text: &str) -> Result<RowFilter, FilterError> {
    words(text, &of_results_mutable_filter())
}

/// Reads a filter of a list of rows: over everything.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn results_filter(text: &str) -> Result<RowFilter, FilterError> {
    words(text, &of_results_filter())
}

/// Reads a filter that may compare decisions and states.
fn words(text: &str, catalogue: &Catalogue<Attribute>) -> Result<RowFilter, FilterError> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let filter = text.parse::<Filter>()?;
    filter.check(catalogue)?;
    spelled(&filter, "")?.check(catalogue).map(Some)
}

/// The same filter with decisions and states spelled as rows have them. A word that none has is refused: it would match
/// nothing, silently.
fn spelled(filter: &Filter, within: &str) -> Result<Filter, FilterError> {
    let all = |parts: &[Filter]| parts.iter().map(|part| spelled(part, within)).collect::<Result<_, _>>();
    Ok(match filter {
        Filter::And(parts) => Filter::And(all(parts)?),
        Filter::Or(parts) => Filter::Or(all(parts)?),
        Filter::Not(inner) => Filter::Not(Box::new(spelled(inner, within)?)),
        Filter::Within(path, inner) => Filter::Within(path.clone(), Box::new(spelled(inner, &name(within, path))?)),
        Filter::Compare(comparison) => Filter::Compare(Comparison {
            literal: literal(comparison, &name(within, &comparison.path))?,
            ..comparison.clone()
        }),
        Filter::Present(path) => Filter::Present(path.clone()),
    })
}

fn name(within: &str, path: &Path) -> String {
    let name = fold(&path.names.join("."));
    if within.is_empty() { name } else { format!("{within}.{name}") }
}

fn literal(comparison: &Comparison, name: &str) -> Result<Located<Literal>, FilterError> {
    let (Literal::Text(text), Operator::Eq | Operator::Ne) = (&*comparison.literal, *comparison.operator) else {
        return Ok(comparison.literal.clone());
    };
    let (word, known) = match name {
        "previous.decision" | "decision" => {
            (Decision::read(text).map(Decision::long), Decision::ALL.map(Decision::long).join(", "))
        }
        "previous.signed_off_state" | "signed_off_state" => (
            SignedOffState::read(text).map(|state| state.as_str().to_owned()),
            SignedOffState::ALL.map(SignedOffState::as_str).join(", "),
        ),
        _ => return Ok(comparison.literal.clone()),
    };
    let position = comparison.literal.position;
    if let Some(word) = word {
        return Ok(Located::new(Literal::Text(word), position));
    }
    let found = format!("{:?}", text.chars().take(60).collect::<String>());
    Err(FilterError { position, found, expected: format!("one of {known}") })
}
