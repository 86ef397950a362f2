//! Filters: the SCIM filter language (RFC 7644 §3.4.2.2, contracts §3.5 and §4) over rows whose attributes a catalogue names.
//!
//! A text becomes a [`Filter`] (grammar only), a filter and a [`Catalogue`] become a [`Checked`] filter (names and kinds fit),
//! and that is what rows are held against: here by [`Checked::matches`], in PostgreSQL by `projections::filter`. Both stand on
//! the same few [`Test`]s, so they can't drift apart in what `ne`, `null` or a missing attribute mean (rulings 33).
//! The language as its users know it: docs/FILTERS.md.
//!
//! ```
//! use aggregates::filter::{Catalogue, Filter, Kind, Row, Value};
//!
//! struct Person { department: Option<String> } // folded
//! #[derive(Clone, Copy)]
//! enum Field { Department }
//! impl Row for Person {
//!     type Attribute = Field;
//!     fn value(&self, attribute: Field, _key: &str) -> Option<Value<'_>> {
//!         match attribute { Field::Department => self.department.as_deref().map(Value::Text) }
//!     }
//! }
//!
//! let catalogue = Catalogue::new().attribute("source.department", Kind::Text, Field::Department);
//! let filter: Filter = r#"source.department sw "Sales" and not (source.department ew "(EU)")"#.parse().unwrap();
//! let filter = filter.check(&catalogue).unwrap();
//! assert!(filter.matches(&Person { department: Some("sales, apac".into()) }));
//! assert!(!filter.matches(&Person { department: None }));
//! ```

mod ast;
mod catalogue;
mod check;
mod checked;
mod display;
mod distance;
mod error;
mod lexer;
mod parser;
#[cfg(test)]
mod tests;
mod words;

pub use ast::{Comparison, Filter, Literal, Located, Operator, Path};
pub use catalogue::{Catalogue, Kind};
pub use checked::{Checked, Condition, Order, Part, Row, Test, Value};
pub use error::FilterError;
pub use parser::{COMPARISON_LIMIT, DEPTH_LIMIT, LENGTH_LIMIT};

/// The form in which texts and names are compared, so that case doesn't matter. Rows hold it, filters are brought into it:
/// PostgreSQL never folds, since it would do it in another way (rulings 33).
///
/// Folding a text is folding its parts, so that `co`, `sw` and `ew` find what they should: `to_lowercase` alone makes a final
/// sigma of a Σ at the end of a word.
pub fn fold(text: &str) -> String {
    let folded = text.to_lowercase();
    if folded.contains('ς') { folded.replace('ς', "σ") } else { folded }
}
