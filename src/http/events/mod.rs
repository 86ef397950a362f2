//! The audit trail (rulings 8).

mod body;
pub mod list;

pub use body::{ActorBody, EventBody};

/// The tag of the operations.
pub const TAG: &str = "Events";
