//! What stands behind a recorder.

use super::Loss;
use crate::{
    BoxError,
    branch::{Branch, Failure, Status},
    compare::Comparison,
};
use serde_json::Value;
use std::{fmt, future::Future};

/// The backend's own name for a recorded branch (MLflow's run id, a row's key).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RunId(pub String);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Some of a batch could not be kept.
#[derive(Debug, thiserror::Error)]
#[error("{lost} records lost: {source}")]
pub struct BatchError {
    /// How many.
    pub lost: usize,
    /// Why (the first cause, if there were several).
    pub source: BoxError,
}

/// Where branches are kept.
///
/// The four calls are the life of one run; a backend that has a cheaper way for many overrides
/// [`log_batch`](Self::log_batch), which is what a recorder calls. Comparisons come by
/// [`log_comparisons`](Self::log_comparisons), and what was dropped on the way by
/// [`log_losses`](Self::log_losses). Configs and outputs arrive with their secrets
/// already replaced.
///
/// # Cancel safety
///
/// A recorder never drops one of these futures before it ends, except when its own task is
/// aborted.
pub trait LoggerBackend: Send + Sync + 'static {
    /// Opens the run of a branch.
    fn start_run(&self, branch: &Branch) -> impl Future<Output = Result<RunId, BoxError>> + Send;

    /// Closes a run: its status, times (in the branch, in ns) and retries.
    fn log_status(
        &self,
        run: &RunId,
        branch: &Branch,
    ) -> impl Future<Output = Result<(), BoxError>> + Send;

    /// Adds the failure of a run: type, message and trace.
    fn log_exception(
        &self,
        run: &RunId,
        failure: &Failure,
    ) -> impl Future<Output = Result<(), BoxError>> + Send;

    /// Adds the config of a run, secrets replaced.
    fn log_params(
        &self,
        run: &RunId,
        params: &Value,
    ) -> impl Future<Output = Result<(), BoxError>> + Send;

    /// Keeps a batch of finished branches; by default one after another by the calls above.
    fn log_batch(&self, batch: &[Branch]) -> impl Future<Output = Result<(), BatchError>> + Send {
        async move {
            let mut lost = 0;
            let mut first = None;
            for branch in batch {
                if let Err(error) = log_one(self, branch).await {
                    lost += 1;
                    first.get_or_insert(error);
                }
            }
            first.map_or(Ok(()), |source| Err(BatchError { lost, source }))
        }
    }

    /// Keeps a batch of comparisons; by default takes them and keeps nothing. Each comes after
    /// its branches have ended, but may come before they are kept, or without them.
    fn log_comparisons(
        &self,
        batch: &[Comparison],
    ) -> impl Future<Output = Result<(), BatchError>> + Send {
        let _ = batch;
        async { Ok(()) }
    }

    /// Keeps what the recorder in front had no room for since it last said so; by default takes and forgets
    /// it. Not among them: what this backend itself did not keep of a batch.
    fn log_losses(&self, losses: &[Loss]) -> impl Future<Output = Result<(), BoxError>> + Send {
        let _ = losses;
        async { Ok(()) }
    }

    /// Whether [`log_losses`](Self::log_losses) keeps what it takes, rather than forgets it; by default `false`. Of
    /// two backends side by side that say so, losses are told until one has taken them.
    fn keeps_losses(&self) -> bool {
        false
    }
}

async fn log_one<B: LoggerBackend + ?Sized>(backend: &B, branch: &Branch) -> Result<(), BoxError> {
    let run = backend.start_run(branch).await?;
    backend.log_params(&run, branch.config.redacted()).await?;
    if let (Status::Failed, Some(failure)) = (branch.status, &branch.failure) {
        backend.log_exception(&run, failure).await?;
    }
    backend.log_status(&run, branch).await
}
