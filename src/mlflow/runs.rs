//! The requests that make one run.

use super::{
    MlflowBackend, MlflowError, bodies,
    client::Call,
    failure_text::failure_text,
    retry::{Patience, Retry},
    unfinished::Leftover,
};
use crate::{
    as_run::{self, Params, Recorded},
    branch::{BranchId, Failure},
};
use serde_json::{Value, json};
use std::time::Duration;

/// An artifact is worth a few more tries; after that its text goes into a tag.
const ARTIFACT_PATIENCE: Duration = Duration::from_secs(5);

/// A run that MLflow has.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) id: String,
    artifact_uri: String,
}

/// How far the run of a branch has come on the server.
#[derive(Debug, Default)]
pub(super) struct Trail {
    pub(super) experiment_id: String,
    /// The answer to its creation was lost: there may be one, or two when it is tried again.
    pub(super) doubtful: bool,
    /// There is one.
    pub(super) made: bool,
}

impl Run {
    pub(super) fn of(run: &Value, path: impl FnOnce() -> String) -> Result<Self, MlflowError> {
        let info = &run["info"];
        let id = info["run_id"]
            .as_str()
            .ok_or_else(|| MlflowError::Unexpected { path: path(), missing: "run_id" })?;
        let artifact_uri = info["artifact_uri"].as_str().unwrap_or_default();
        Ok(Self { id: id.to_owned(), artifact_uri: artifact_uri.to_owned() })
    }
}

impl MlflowBackend {
    /// Sends until it is done or there is no more point in it.
    pub(super) async fn persist(
        &self,
        patience: &Patience,
        call: &Call,
    ) -> Result<Value, MlflowError> {
        let mut retry = Retry::new(patience);
        loop {
            retry.check(|| call.path())?;
            match self.client.send(call).await {
                Ok(answer) => return Ok(answer),
                Err(error) => retry.pause_after(error).await?,
            }
        }
    }

    /// Creates the run of a branch, in its experiment.
    pub(super) async fn begin(
        &self,
        patience: &Patience,
        branch: &Recorded<'_>,
        trail: &mut Trail,
    ) -> Result<Run, MlflowError> {
        let name = self.experiment.as_deref().unwrap_or(branch.experiment);
        trail.experiment_id = self.experiments.id(&self.client, patience, name).await?;
        match self.create_run(patience, branch, trail).await {
            // The server was set up anew since the id was asked for.
            Err(error) if error.has_code("RESOURCE_DOES_NOT_EXIST") => {
                self.experiments.forget(&trail.experiment_id).await;
                trail.experiment_id = self.experiments.id(&self.client, patience, name).await?;
                self.create_run(patience, branch, trail).await
            }
            result => {
                if let Err(error) = &result {
                    self.forget_after(error, &trail.experiment_id).await;
                }
                result
            }
        }
    }

    /// Lets the id of an experiment be asked for anew after an error that may be about it: the
    /// server has another database, or the experiment was deleted.
    pub(super) async fn forget_after(&self, error: &MlflowError, experiment_id: &str) {
        if error.has_code("RESOURCE_DOES_NOT_EXIST") || error.has_code("INVALID_PARAMETER_VALUE") {
            self.experiments.forget(experiment_id).await;
        }
    }

    async fn create_run(
        &self,
        patience: &Patience,
        branch: &Recorded<'_>,
        trail: &mut Trail,
    ) -> Result<Run, MlflowError> {
        let call = Call::post("runs/create", &bodies::create(&trail.experiment_id, branch));
        let mut retry = Retry::new(patience);
        loop {
            retry.check(|| call.path())?;
            match self.try_create(&call, branch, trail).await {
                Ok(run) => {
                    trail.made = true;
                    return Ok(run);
                }
                Err(error) => retry.pause_after(error).await?,
            }
        }
    }

    async fn try_create(
        &self,
        call: &Call,
        branch: &Recorded<'_>,
        trail: &mut Trail,
    ) -> Result<Run, MlflowError> {
        if trail.doubtful
            && let Some(run) = self.find_runs(&trail.experiment_id, branch.id).await?.pop()
        {
            return Ok(run);
        }
        let created = self.client.send(call).await;
        let created = created.and_then(|answer| Run::of(&answer["run"], || call.path()));
        created.inspect_err(|error| trail.doubtful |= error.maybe_done())
    }

    pub(super) async fn find_runs(
        &self,
        experiment_id: &str,
        branch: BranchId,
    ) -> Result<Vec<Run>, MlflowError> {
        self.find_tagged(experiment_id, as_run::BRANCH_ID, &branch.to_string()).await
    }

    /// The runs with a tag, whose value needs no quoting.
    pub(super) async fn find_tagged(
        &self,
        experiment_id: &str,
        key: &str,
        value: &str,
    ) -> Result<Vec<Run>, MlflowError> {
        let call = Call::post(
            "runs/search",
            &json!({
                "experiment_ids": [experiment_id],
                "filter": format!("tags.`{key}` = '{value}'"),
                "max_results": 10,
            }),
        );
        let answer = self.client.send(&call).await?;
        let runs = answer["runs"].as_array().map(Vec::as_slice).unwrap_or_default();
        runs.iter().map(|run| Run::of(run, || call.path())).collect()
    }

    /// Deletes the runs of a branch, but for the one to keep.
    pub(super) async fn remove_runs(&self, leftover: &Leftover) -> Result<(), MlflowError> {
        for run in self.find_runs(&leftover.experiment_id, leftover.branch).await? {
            if leftover.keep.as_ref() != Some(&run.id) {
                self.client.send(&Call::post("runs/delete", &json!({ "run_id": run.id }))).await?;
            }
        }
        Ok(())
    }

    /// Params, metrics and tags, in as many requests as MLflow's limits make of them.
    pub(super) async fn log_values(
        &self,
        patience: &Patience,
        run_id: &str,
        params: &Params,
        metrics: &[Value],
        mut tags: Vec<Value>,
    ) -> Result<(), MlflowError> {
        if params.left_out > 0 {
            tags.push(bodies::tag("spearmint.params_left_out", &params.left_out.to_string()));
        }
        for (at, portion) in bodies::portions(params).into_iter().enumerate() {
            let mut body = json!({ "run_id": run_id, "params": portion });
            if at == 0 {
                body["metrics"] = metrics.into();
                body["tags"] = std::mem::take(&mut tags).into();
            }
            self.persist(patience, &Call::post("runs/log-batch", &body)).await?;
        }
        Ok(())
    }

    /// Uploads `failure.txt`; where that is not possible, gives back the tag to set instead.
    pub(super) async fn log_trace(&self, run: &Run, failure: &Failure) -> Option<Value> {
        let patience = Patience::new(ARTIFACT_PATIENCE.min(self.give_up_after));
        match self.put_trace(&patience, run, failure).await {
            Some(Ok(())) => return None,
            Some(Err(error)) => {
                tracing::debug!(%error, "a failure's trace goes into a tag instead");
            }
            None => {}
        }
        Some(bodies::tag("spearmint.failure_trace", &failure.trace))
    }

    /// Uploads `failure.txt`; `None` where the server takes no artifacts for its clients.
    pub(super) async fn put_trace(
        &self,
        patience: &Patience,
        run: &Run,
        failure: &Failure,
    ) -> Option<Result<(), MlflowError>> {
        let path = self.proxied_path(&run.artifact_uri)?;
        let text = failure_text(failure).into_bytes();
        let call = Call::put_artifact(&format!("{path}/failure.txt"), text);
        Some(self.persist(patience, &call).await.map(|_| ()))
    }

    /// The path of an artifact under the server's own artifact API, if it is kept there.
    fn proxied_path<'a>(&self, artifact_uri: &'a str) -> Option<&'a str> {
        let rest = artifact_uri.strip_prefix("mlflow-artifacts:")?;
        let path = match rest.strip_prefix("//") {
            None => rest,
            // With a host: only if it is this one.
            Some(rest) => {
                let (host, path) = rest.split_once('/')?;
                let own = self.client.base.host_str()?;
                (host.split_once(':').map_or(host, |(host, _)| host) == own).then_some(path)?
            }
        };
        Some(path.trim_matches('/'))
    }

    pub(super) async fn get_run(
        &self,
        patience: &Patience,
        run_id: &str,
    ) -> Result<Run, MlflowError> {
        let call = Call::get("runs/get", "run_id", run_id);
        Run::of(&self.persist(patience, &call).await?["run"], || call.path())
    }
}
