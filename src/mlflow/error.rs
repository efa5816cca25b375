//! What can go wrong with MLflow.

use crate::BoxError;

/// What went wrong with MLflow. Names the path of the request, never the credentials.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MlflowError {
    /// There is no address to write to.
    #[error("no MLflow address: set MLFLOW_TRACKING_URI, for example to http://127.0.0.1:5000")]
    NoAddress,
    /// The address is not one of an MLflow server.
    #[error(
        "`{uri}` is not the address of an MLflow server: {reason}; expected http://… or https://…"
    )]
    Address {
        /// The address, without its user and password.
        uri: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The HTTP client could not be set up.
    #[error("the HTTP client for MLflow cannot be set up")]
    Client(#[source] BoxError),
    /// No answer: no connection, one that broke, or none in time.
    #[error("no answer from MLflow to {path}")]
    NoAnswer {
        /// The path of the request.
        path: String,
        /// Whether MLflow may have received the request all the same.
        maybe_received: bool,
        /// The cause.
        #[source]
        source: BoxError,
    },
    /// MLflow answered with an error.
    #[error("MLflow answered {status} to {path}: {error_code}: {message}")]
    Answered {
        /// The path of the request.
        path: String,
        /// The HTTP status.
        status: u16,
        /// MLflow's own name for the error; empty if the answer was not MLflow's.
        error_code: String,
        /// What MLflow says (the first 1,000 characters).
        message: String,
        /// After how many seconds MLflow wants to be asked again, if it said so.
        retry_after: Option<u64>,
    },
    /// MLflow's answer is not what its API promises.
    #[error("MLflow's answer to {path} has no {missing}; is this an MLflow server?")]
    Unexpected {
        /// The path of the request.
        path: String,
        /// What was looked for.
        missing: &'static str,
    },
    /// The experiment was deleted on the server.
    #[error("the MLflow experiment `{name}` is deleted: restore it, or choose another name")]
    ExperimentDeleted {
        /// Its name.
        name: String,
    },
    /// Not tried, because MLflow had not taken anything for as long as is waited for it.
    #[error("MLflow is down; {path} was not tried any more")]
    Down {
        /// The path of the request.
        path: String,
    },
}

impl MlflowError {
    /// Whether the same request may well succeed later: no answer, or a status of 408, 429 or
    /// 500 and above.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::NoAnswer { .. } | Self::Down { .. } => true,
            Self::Answered { status, .. } => matches!(status, 408 | 429 | 500..),
            _ => false,
        }
    }

    /// Whether the request may have had its effect although it failed.
    pub(crate) const fn maybe_done(&self) -> bool {
        match self {
            Self::NoAnswer { maybe_received, .. } => *maybe_received,
            Self::Answered { status, .. } => *status >= 500 || *status == 408,
            // It was done, and the answer was not understood.
            Self::Unexpected { .. } => true,
            _ => false,
        }
    }

    pub(crate) fn has_code(&self, code: &str) -> bool {
        matches!(self, Self::Answered { error_code, .. } if error_code == code)
    }
}
