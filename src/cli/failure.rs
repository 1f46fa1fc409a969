use std::process::ExitCode;

use crate::config::{AssembleError, ConfigError};
use crate::store::StoreError;
use crate::turn::{FeedbackError, TurnError};

/// Why a command ended without success.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Bad use or input: exit code 2.
    #[error("{0}")]
    Input(String),
    /// The job failed: exit code 1.
    #[error("{0}")]
    Job(String),
}

impl Failure {
    /// The exit code.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Failure::Input(_) => ExitCode::from(2),
            Failure::Job(_) => ExitCode::from(1),
        }
    }

    /// A file that was named and cannot be read.
    pub(super) fn unreadable(path: &std::path::Path, error: &std::io::Error) -> Self {
        Failure::Input(format!("{}: {error}; give the path of a file that is there and can be read", path.display()))
    }

    /// Stdout that cannot be written. A reader that has seen enough (`kioskd ... | head`) is no failure.
    pub(super) fn of_output(error: &std::io::Error) -> Self {
        Failure::Job(format!("the output could not be written: {error}"))
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Failure::Input(error.to_string())
    }
}

impl From<AssembleError> for Failure {
    fn from(error: AssembleError) -> Self {
        match error {
            AssembleError::Shop(_) | AssembleError::Template(_) => Failure::Input(error.to_string()),
            _ => Failure::Job(error.to_string()),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Failure::Job(error.to_string())
    }
}

impl From<TurnError> for Failure {
    fn from(error: TurnError) -> Self {
        match error {
            TurnError::Nothing | TurnError::UnknownSession(_) | TurnError::Audio(_) | TurnError::Vision(_) => {
                Failure::Input(error.to_string())
            }
            _ => Failure::Job(error.to_string()),
        }
    }
}

impl From<FeedbackError> for Failure {
    fn from(error: FeedbackError) -> Self {
        match error {
            FeedbackError::Turn(error) => error.into(),
            _ => Failure::Input(error.to_string()),
        }
    }
}
