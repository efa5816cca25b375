//! The backend's calls: one run, or a batch of them.

use super::{
    MlflowBackend, MlflowError, bodies,
    client::Call,
    retry::Patience,
    runs::{Run, Trail},
    unfinished::Leftover,
};
use crate::{
    BoxError,
    as_run::{self, Params, Recorded},
    branch::{Branch, Failure, Status},
    record::{BatchError, LoggerBackend, RunId},
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use serde_json::Value;
use std::sync::atomic::Ordering::Relaxed;

impl LoggerBackend for MlflowBackend {
    async fn start_run(&self, branch: &Branch) -> Result<RunId, BoxError> {
        let run = self.begin(&self.patience(), &branch.into(), &mut Trail::default()).await?;
        Ok(RunId(run.id))
    }

    async fn log_status(&self, run: &RunId, branch: &Branch) -> Result<(), BoxError> {
        let patience = self.patience();
        let recorded = branch.into();
        let (metrics, tags) =
            (bodies::metrics(&recorded), bodies::tags(as_run::end_tags(&recorded)));
        self.log_values(&patience, &run.0, &Params::default(), &metrics, tags).await?;
        self.close(&patience, &run.0, branch).await?;
        Ok(())
    }

    async fn log_exception(&self, run: &RunId, failure: &Failure) -> Result<(), BoxError> {
        let patience = self.patience();
        let mut tags = bodies::tags(as_run::failure_tags(failure));
        tags.extend(self.log_trace(&self.get_run(&patience, &run.0).await?, failure).await);
        self.log_values(&patience, &run.0, &Params::default(), &[], tags).await?;
        Ok(())
    }

    async fn log_params(&self, run: &RunId, params: &Value) -> Result<(), BoxError> {
        let params = Params::of(params);
        self.log_values(&self.patience(), &run.0, &params, &[], Vec::new()).await?;
        Ok(())
    }

    async fn log_batch(&self, batch: &[Branch]) -> Result<(), BatchError> {
        let patience = self.patience();
        let mut lost = 0;
        let mut first = None;
        let mut waiting = batch.iter();
        let mut writing = FuturesUnordered::new();
        loop {
            while writing.len() < self.max_concurrency
                && let Some(branch) = waiting.next()
            {
                writing.push(self.write(&patience, branch));
            }
            let Some(result) = writing.next().await else { break };
            match result {
                Ok(()) => patience.written(),
                Err(error) => {
                    self.complain(&error);
                    lost += 1;
                    first.get_or_insert(error);
                }
            }
        }
        drop(writing);
        if !patience.is_down() {
            self.remove_leftovers().await;
        }
        match first {
            Some(error) => Err(BatchError { lost, source: error.into() }),
            None => {
                if self.failing.swap(false, Relaxed) {
                    tracing::info!(uri = %self.client.base, "MLflow takes branches again");
                }
                Ok(())
            }
        }
    }
}

impl MlflowBackend {
    fn patience(&self) -> Patience {
        Patience::new(self.give_up_after)
    }

    /// Once per outage: the counts say the rest.
    fn complain(&self, error: &MlflowError) {
        if !self.failing.swap(true, Relaxed) {
            let cause = std::error::Error::source(error).map(tracing::field::display);
            tracing::warn!(%error, cause, uri = %self.client.base, "MLflow does not take branches");
        }
    }

    /// Writes one branch as one run, whole or not at all.
    async fn write(&self, patience: &Patience, branch: &Branch) -> Result<(), MlflowError> {
        let mut trail = Trail::default();
        let result = self.write_run(patience, branch, &mut trail).await;
        let keep = match &result {
            // Its creation was answered once: there is no other.
            Ok(_) if !trail.doubtful => return Ok(()),
            // A creation that was taken for lost may have had its effect later.
            Ok(run) => Some(run.id.clone()),
            Err(_) => None,
        };
        if keep.is_some() || trail.doubtful || trail.made {
            let experiment_id = trail.experiment_id;
            self.unfinished.push(Leftover { experiment_id, branch: branch.id, keep });
        }
        result.map(|_| ())
    }

    async fn write_run(
        &self,
        patience: &Patience,
        branch: &Branch,
        trail: &mut Trail,
    ) -> Result<Run, MlflowError> {
        let recorded = Recorded::from(branch);
        let run = self.begin(patience, &recorded, trail).await?;
        let mut tags = Vec::new();
        if let (Status::Failed, Some(failure)) = (branch.status, &branch.failure) {
            tags.extend(self.log_trace(&run, failure).await);
        }
        let (params, metrics) = (Params::of(recorded.config), bodies::metrics(&recorded));
        self.log_values(patience, &run.id, &params, &metrics, tags).await?;
        self.close(patience, &run.id, branch).await?;
        Ok(run)
    }

    async fn close(
        &self,
        patience: &Patience,
        run_id: &str,
        branch: &Branch,
    ) -> Result<(), MlflowError> {
        let call = Call::post("runs/update", &bodies::update(run_id, &branch.into()));
        self.persist(patience, &call).await?;
        Ok(())
    }

    /// Tries once; what fails for now is tried again after the next batch.
    async fn remove_leftovers(&self) {
        while let Some(leftover) = self.unfinished.pop() {
            if let Err(error) = self.remove_runs(&leftover).await {
                tracing::debug!(%error, "a run that was begun twice or in vain is not removed");
                if error.is_transient() {
                    self.unfinished.push(leftover);
                }
                return;
            }
        }
    }
}
