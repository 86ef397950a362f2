use super::ChangeError;
use crate::journal::{AppendError, CommandError};

/// Why a review didn't go on.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// There is none of that id.
    #[error("{0} with id {1} not found")]
    NotFound(&'static str, String),
    /// A rule or the journal said no.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The tables can't be read.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// Somebody else goes on with it.
    #[error("another worker goes on")]
    Interrupted,
    /// It can't go on at all.
    #[error("{0}")]
    Stopped(String),
}

impl From<AppendError> for ReviewError {
    fn from(error: AppendError) -> Self {
        Self::Command(error.into())
    }
}

impl From<ChangeError> for ReviewError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::NotFound(what, id) => Self::NotFound(what, id.to_string()),
            ChangeError::Command(error) => error.into(),
        }
    }
}

impl From<ReviewError> for CommandError {
    fn from(error: ReviewError) -> Self {
        match error {
            ReviewError::Command(error) => error,
            ReviewError::Database(error) => error.into(),
            other => AppendError::Unavailable(other.to_string()).into(),
        }
    }
}
