//! Configuration objects as files: exported and imported by jobs (contracts §2, rulings 40-46).
//!
//! Whoever asks for a job gets its id; workers on any server do it. The rules (what is selected, what references mean, in which
//! order objects come) are `aggregates::config_job::plan`; here is what they need from tables, files and the journal.

mod changes;
mod entries;
mod error;
mod executable;
mod export;
mod file;
mod import;
mod kept;
mod restore;
mod results;
mod secrets;
mod settle;
mod slice;
mod start;
mod streams;
mod upload;
pub mod worker;

pub use changes::{Change, changes};
pub use error::ConfigurationError;
pub use restore::{RestoreError, restore};
pub use secrets::{of as secrets_of, tidy as tidy_secrets};
pub use start::{Started, cancel, start_export, start_import};
pub use upload::{Upload, read};

/// The tenant that files and access tokens name.
pub const TENANT: &str = "muniment";
