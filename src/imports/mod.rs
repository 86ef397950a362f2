//! Imports: from a file's bytes to events.
//!
//! bytes kept as evidence ([`evidence`]) → read in a stream ([`reader`], [`mapping`], [`records`]) → what was delivered, without
//! faults, duplicates and contradictions ([`delivered`]) → the complete difference against what is known ([`plan`]) → events in
//! slices ([`apply`]). [`worker`] claims imports, holds their lease and ends them.

pub mod apply;
pub mod changes;
pub mod configured;
pub mod correlator;
pub mod delivered;
pub mod encoding;
pub mod evidence;
pub mod issues;
pub mod known;
pub mod mapping;
pub mod plan;
pub mod profiles;
pub mod reader;
pub mod records;
pub mod rules;
pub mod run;
pub mod schedule;
pub mod shared;
pub mod transforms;
pub mod worker;
pub mod writer;

/// Why an import fails as a whole (rulings 16): nothing is applied, and its log says this.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A file can't be used.
    #[error("{0}")]
    File(String),
    /// The import was cancelled, or another worker has it.
    #[error("the import was cancelled or taken over")]
    Interrupted,
    /// The database is away; another attempt may succeed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The journal refused.
    #[error(transparent)]
    Command(#[from] crate::journal::CommandError),
    /// The spool or a shared directory.
    #[error(transparent)]
    Io(std::io::Error),
}

impl From<std::io::Error> for Fault {
    /// Evidence is read from the database through `std::io::Read`: then it is the database that is away.
    fn from(error: std::io::Error) -> Self {
        match error.downcast::<sqlx::Error>() {
            Ok(error) => Self::Database(error),
            Err(error) => Self::Io(error),
        }
    }
}
