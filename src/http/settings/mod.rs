//! System settings: native endpoints (rulings 11, 25).

pub mod body;
pub mod get;
pub mod update;

/// The tag of the operations.
pub const TAG: &str = "Settings";
