use crate::imports::Fault;
use crate::journal::{AppendError, CommandError};

/// Why a job didn't go on.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// A rule or the journal said no.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The tables can't be read.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// A file can't be kept or read again.
    #[error(transparent)]
    File(#[from] Fault),
    /// Somebody else goes on with it, or stopped it.
    #[error("another worker goes on")]
    Interrupted,
}

impl From<AppendError> for ConfigurationError {
    fn from(error: AppendError) -> Self {
        Self::Command(error.into())
    }
}
