//! Identities (contracts §1.5).

pub mod access;
pub mod body;
pub mod get;
pub mod list;
pub mod schema;

/// The tag of the operations.
pub const TAG: &str = "Identities";
