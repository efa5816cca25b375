//! A backend that may not be there.

use super::{BatchError, LoggerBackend, Loss, RunId};
use crate::{
    BoxError,
    branch::{Branch, Failure},
    compare::Comparison,
};
use serde_json::Value;

/// `None` takes everything and keeps nothing: for a backend that a setting switches on, beside
/// others.
impl<B: LoggerBackend> LoggerBackend for Option<B> {
    async fn start_run(&self, branch: &Branch) -> Result<RunId, BoxError> {
        match self {
            Some(backend) => backend.start_run(branch).await,
            None => Ok(RunId(branch.id.to_string())),
        }
    }

    async fn log_status(&self, run: &RunId, branch: &Branch) -> Result<(), BoxError> {
        match self {
            Some(backend) => backend.log_status(run, branch).await,
            None => Ok(()),
        }
    }

    async fn log_exception(&self, run: &RunId, failure: &Failure) -> Result<(), BoxError> {
        match self {
            Some(backend) => backend.log_exception(run, failure).await,
            None => Ok(()),
        }
    }

    async fn log_params(&self, run: &RunId, params: &Value) -> Result<(), BoxError> {
        match self {
            Some(backend) => backend.log_params(run, params).await,
            None => Ok(()),
        }
    }

    async fn log_batch(&self, batch: &[Branch]) -> Result<(), BatchError> {
        match self {
            Some(backend) => backend.log_batch(batch).await,
            None => Ok(()),
        }
    }

    async fn log_comparisons(&self, batch: &[Comparison]) -> Result<(), BatchError> {
        match self {
            Some(backend) => backend.log_comparisons(batch).await,
            None => Ok(()),
        }
    }

    async fn log_losses(&self, losses: &[Loss]) -> Result<(), BoxError> {
        match self {
            Some(backend) => backend.log_losses(losses).await,
            None => Ok(()),
        }
    }

    fn keeps_losses(&self) -> bool {
        self.as_ref().is_some_and(B::keeps_losses)
    }
}
