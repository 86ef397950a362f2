//! Reviews: workflows, automations, and which are attached to which (rulings 27-31); certifications, what is decided about their
//! rows, and runs that decide about many at once (rulings 32-38).

mod block;
mod change;
mod collect;
mod configuration;
mod create;
mod decide;
mod error;
mod evidence;
mod preview;
mod run;
mod search;
mod start;
mod undo;
pub mod worker;

pub use change::{Change, ChangeError, Changed, Detach, Scope, carry_out};
pub use configuration::Configuration;
pub use create::{NewCertification, create};
pub use decide::{Ask, decide};
pub use error::ReviewError;
pub use evidence::fixed;
pub use preview::{Missed, Preview, Seen, Why, preview};
pub use start::{NewDecision, Started, start};
pub use worker::SIDE_BY_SIDE;
