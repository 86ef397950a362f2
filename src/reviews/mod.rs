//! Reviews: workflows, automations, and which are attached to which (rulings 27-31).

mod change;
mod configuration;

pub use change::{Change, ChangeError, Changed, Detach, Scope, carry_out};
pub use configuration::Configuration;
