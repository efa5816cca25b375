//! Two backends as one.

use super::{BatchError, LoggerBackend, Loss, RunId};
use crate::{
    BoxError,
    branch::{Branch, Failure},
    compare::Comparison,
};
use futures_util::future::join;
use serde_json::Value;

/// Two backends side by side: each gets every branch and comparison. It counts as lost if either
/// loses it. Losses are told once one of those that [keep](LoggerBackend::keeps_losses) them has: another that could
/// not misses them. (Put a [`Recorder`](super::Recorder) between to keep a slow one from holding up the other.)
impl<A: LoggerBackend, B: LoggerBackend> LoggerBackend for (A, B) {
    async fn start_run(&self, branch: &Branch) -> Result<RunId, BoxError> {
        let (a, b) = (self.0.start_run(branch).await?, self.1.start_run(branch).await?);
        // The length in front, since one of them may be of such a pair itself.
        Ok(RunId(format!("{}\n{a}{b}", a.0.len())))
    }

    async fn log_status(&self, run: &RunId, branch: &Branch) -> Result<(), BoxError> {
        let (a, b) = both(run);
        self.0.log_status(&a, branch).await?;
        self.1.log_status(&b, branch).await
    }

    async fn log_exception(&self, run: &RunId, failure: &Failure) -> Result<(), BoxError> {
        let (a, b) = both(run);
        self.0.log_exception(&a, failure).await?;
        self.1.log_exception(&b, failure).await
    }

    async fn log_params(&self, run: &RunId, params: &Value) -> Result<(), BoxError> {
        let (a, b) = both(run);
        self.0.log_params(&a, params).await?;
        self.1.log_params(&b, params).await
    }

    async fn log_batch(&self, batch: &[Branch]) -> Result<(), BatchError> {
        worse(join(self.0.log_batch(batch), self.1.log_batch(batch)).await)
    }

    async fn log_comparisons(&self, batch: &[Comparison]) -> Result<(), BatchError> {
        worse(join(self.0.log_comparisons(batch), self.1.log_comparisons(batch)).await)
    }

    async fn log_losses(&self, losses: &[Loss]) -> Result<(), BoxError> {
        let (a, b) = join(self.0.log_losses(losses), self.1.log_losses(losses)).await;
        let is_kept = a.is_ok() && self.0.keeps_losses() || b.is_ok() && self.1.keeps_losses();
        // Told again, who has kept them would add them once more.
        if is_kept { Ok(()) } else { a.and(b) }
    }

    fn keeps_losses(&self) -> bool {
        self.0.keeps_losses() || self.1.keeps_losses()
    }
}

fn worse(results: (Result<(), BatchError>, Result<(), BatchError>)) -> Result<(), BatchError> {
    match results {
        (Err(a), Err(b)) => Err(if a.lost >= b.lost { a } else { b }),
        (a, b) => a.and(b),
    }
}

fn both(run: &RunId) -> (RunId, RunId) {
    let split =
        run.0.split_once('\n').and_then(|(len, rest)| rest.split_at_checked(len.parse().ok()?));
    let (a, b) = split.unwrap_or((&run.0, ""));
    (RunId(a.to_owned()), RunId(b.to_owned()))
}
