//! The audit trail (rulings 8).

pub mod list;

/// The tag of the operations.
pub const TAG: &str = "Events";
