//! One branch as one run, in steps of one try each: how often, and when, is for the caller to say.

use super::{
    MlflowBackend, MlflowError, bodies,
    client::Call,
    retry::Patience,
    runs::{Run, Trail},
};
use crate::{
    as_run::{Params, Recorded},
    branch::{BranchId, Failure, Status},
};
use serde_json::{Value, json};
use std::time::Duration;

/// How often a trace is tried as an artifact; after that it goes into a tag.
const TRACE_TRIES: u8 = 8;

/// How far a branch has come on its way.
#[derive(Debug)]
pub(crate) struct Delivery {
    trail: Trail,
    run: Option<Run>,
    trace_tries: u8,
}

impl Delivery {
    /// Of a branch for which there may be a run already (`maybe_begun`): it is looked up first.
    pub(crate) fn new(maybe_begun: bool) -> Self {
        let trail = Trail { doubtful: maybe_begun, ..Trail::default() };
        Self { trail, run: None, trace_tries: 0 }
    }

    pub(crate) const fn has_run(&self) -> bool {
        self.run.is_some()
    }

    /// The id of its run, if a creation that was taken for lost may have its effect yet.
    pub(crate) fn doubt(&self) -> Option<String> {
        self.trail.doubtful.then(|| self.run.as_ref().map(|run| run.id.clone())).flatten()
    }

    /// The run is gone: another one has to be made.
    pub(crate) fn start_again(&mut self) {
        self.run = None;
        self.trail.doubtful = true;
    }
}

/// Whoever uses it tries again by its own rules.
fn once() -> Patience {
    Patience::new(Duration::ZERO)
}

impl MlflowBackend {
    /// The address, without credentials.
    pub(crate) fn address(&self) -> &str {
        self.client.base.as_str()
    }

    /// Finds or creates the run of a branch.
    pub(crate) async fn begin_once(
        &self,
        branch: &Recorded<'_>,
        delivery: &mut Delivery,
    ) -> Result<(), MlflowError> {
        delivery.run = Some(self.begin(&once(), branch, &mut delivery.trail).await?);
        Ok(())
    }

    /// Writes all that the run holds, and ends it. What is there already stays as it is.
    pub(crate) async fn finish_once(
        &self,
        branch: &Recorded<'_>,
        delivery: &mut Delivery,
    ) -> Result<(), MlflowError> {
        let Some(run) = &delivery.run else { return Ok(()) };
        let mut tags = Vec::new();
        if let (Status::Failed, Some(failure)) = (branch.status, branch.failure) {
            tags.extend(self.trace_once(run, failure, &mut delivery.trace_tries).await?);
        }
        let (params, metrics) = (Params::of(branch.config), bodies::metrics(branch));
        self.log_values(&once(), &run.id, &params, &metrics, tags).await?;
        self.client.send(&Call::post("runs/update", &bodies::update(&run.id, branch))).await?;
        Ok(())
    }

    async fn trace_once(
        &self,
        run: &Run,
        failure: &Failure,
        tries: &mut u8,
    ) -> Result<Option<Value>, MlflowError> {
        *tries = tries.saturating_add(1);
        if *tries <= TRACE_TRIES
            && let Some(result) = self.put_trace(&once(), run, failure).await
        {
            match result {
                Ok(()) => return Ok(None),
                // (What is not MLflow's answer says nothing about its artifacts.)
                Err(error)
                    if error.is_transient() || matches!(error, MlflowError::Unexpected { .. }) =>
                {
                    return Err(error);
                }
                Err(_) => {}
            }
        }
        Ok(Some(bodies::tag("spearmint.failure_trace", &failure.trace)))
    }

    /// Deletes the runs of a branch but for one: `keep`, if it is among them. How many that were.
    pub(crate) async fn keep_one(
        &self,
        experiment: &str,
        branch: BranchId,
        keep: &str,
    ) -> Result<u64, MlflowError> {
        let name = self.experiment.as_deref().unwrap_or(experiment);
        let experiment_id = self.experiments.id(&self.client, &once(), name).await?;
        let runs = self.find_runs(&experiment_id, branch).await?;
        let keep = runs.iter().find(|run| run.id == keep).or(runs.first()).map(|run| &run.id);
        let mut deleted = 0;
        for run in runs.iter().filter(|run| Some(&run.id) != keep) {
            self.client.send(&Call::post("runs/delete", &json!({ "run_id": run.id }))).await?;
            deleted += 1;
        }
        Ok(deleted)
    }
}
