//! The branches of a store, sent to a team's MLflow: all of them in the end, each once.
//!
//! An [`MlflowBackend`](crate::mlflow::MlflowBackend) behind a recorder writes what it can keep up with and counts what it loses. Here
//! the store is the queue: what was sent is remembered in the same file, so that it goes on where
//! it was, whoever was stopped, killed or down in between.
//!
//! ```no_run
//! use tower_spearmint::{mlflow::MlflowBackend, mlflow_sync::MlflowSync, store::SqliteStore};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), tower_spearmint::BoxError> {
//! let store = SqliteStore::open("spearmint.db")?;
//! let to = MlflowBackend::new("http://mlflow.example:5000")?;
//! let sent = MlflowSync::new(store, to).sample(0.1).run(&mut |_| {}).await?;
//! println!("{} branches sent", sent.sent);
//! # Ok(())
//! # }
//! ```
//!
//! `spearmint sync` is the same from the command line, and `sync:` in an experiment file does it
//! while the experiment runs.
//!
//! # Once
//!
//! MLflow gives runs their ids, so that a creation of which nothing was heard may have been one.
//! Each run carries the id of its branch as the tag `spearmint.branch_id`. A branch that may
//! have been sent before, by this process or one that was killed, is looked up by it before
//! another run is created; and ten seconds later it is looked up again, and a second run deleted,
//! should the first request have come through after all. (One that a proxy holds for longer than that
//! leaves a second run.) What a run holds is written again without harm: MLflow takes the same
//! param, metric or tag twice as once.
//!
//! Traces and spans have the ids of requests and branches, and MLflow writes them over, so that one
//! that is sent twice is there once. A request whose branches are not all recorded yet is sent
//! with those that are, and again with every further one. What an earlier call without an answer may
//! undo is sent again ten seconds later.
//!
//! # Order
//!
//! The runs of one config begin in the order of their branches. One that failed five times lets
//! others pass. Traces are sent as they come, two of the same request one after the other. A branch that was recorded late, behind others that were sent already, is sent
//! when it is there.

mod error;
mod exposed;
mod follow;
mod measures;
mod pace;
mod parcel;
mod pass;
mod runs;
mod settings;
mod summary;
mod thread;
mod traces;
mod turns;
mod verdict;

pub use error::SyncError;
pub use follow::SyncWatch;
pub use settings::{MlflowSync, SyncMode, SyncProgress};
pub use thread::SyncThread;

use crate::store::StoreError;
use std::path::Path;

/// Runs `work` on one of Tokio's blocking threads.
async fn blocking<T: Send + 'static>(
    store: &Path,
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| {
        Err(StoreError::NotRun { path: store.to_owned(), reason: error.to_string() })
    })
}
