//! A row of a certification: which attributes filters can name, and what can be decided about it (contracts §3.4, §3.5).
//!
//! Certifications themselves come later; what automations say about their rows is checked by this when it is saved.

mod attributes;
mod decision;
mod filters;
#[cfg(test)]
mod tests;

pub use attributes::Attribute;
pub use decision::{Decision, SignedOffState};
pub use filters::{RowFilter, filter, mutable_filter};
