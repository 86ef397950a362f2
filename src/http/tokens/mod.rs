//! API tokens (contracts §1.4).

pub mod body;
pub mod create;
pub mod list;
pub mod revoke;

/// The tag of the operations.
pub const TAG: &str = "Tokens";
