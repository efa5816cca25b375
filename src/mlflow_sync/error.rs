//! What can go wrong with sending.

use crate::{mlflow::MlflowError, store::StoreError};
use std::{path::PathBuf, time::Duration};

/// Why sending ended before everything was sent. What was sent is remembered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SyncError {
    /// The store does not answer.
    #[error("the store cannot be read or written")]
    Store(#[from] StoreError),
    /// MLflow has not answered for as long as is waited for it.
    #[error(
        "MLflow at {to} has not answered as it should for {for_s} s; what waits stays in the \
             store: try again when it is back"
    )]
    Down {
        /// The address, without credentials.
        to: String,
        /// For how long, in seconds.
        for_s: u64,
        /// What it answered last, or why there was no answer.
        #[source]
        source: Box<MlflowError>,
    },
    /// MLflow takes nothing: it wants other credentials, or this is not its address.
    #[error("MLflow at {to} takes nothing")]
    Denied {
        /// The address, without credentials.
        to: String,
        /// What it answered.
        #[source]
        source: Box<MlflowError>,
    },
    /// Somebody else is sending.
    #[error("another process sends {experiment} from {store} to {to}; wait for it, or stop it")]
    Busy {
        /// The store.
        store: PathBuf,
        /// The experiment.
        experiment: String,
        /// The address, without credentials.
        to: String,
    },
    /// The file of the lock beside the store cannot be made.
    #[error(
        "no lock can be made beside {store}: give this user the right to write to its directory"
    )]
    Lock {
        /// The store.
        store: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl SyncError {
    pub(super) fn down(to: &str, since: Duration, source: MlflowError) -> Self {
        Self::Down { to: to.to_owned(), for_s: since.as_secs(), source: source.into() }
    }

    pub(super) fn denied(to: &str, source: MlflowError) -> Self {
        Self::Denied { to: to.to_owned(), source: source.into() }
    }
}
