//! Runs that are written to for long: one for many branches.

use super::{MlflowBackend, MlflowError, bodies, client::Call, retry::Patience, runs::Run};
use crate::as_run::Params;
use serde_json::{Value, json};
use std::{borrow::Cow, time::Duration};

/// MLflow takes a thousand.
const METRICS_PER_CALL: usize = 1_000;

/// What such a run is made of.
#[derive(Debug)]
pub(crate) struct SummaryRun<'a> {
    /// The name of the experiment, as branches have it.
    pub(crate) experiment: &'a str,
    pub(crate) name: String,
    pub(crate) start_ms: u64,
    /// The first one is by which it is found again.
    pub(crate) tags: Vec<(&'static str, Cow<'a, str>)>,
    pub(crate) config: &'a Value,
}

impl MlflowBackend {
    /// The id of the run with the same first tag, if there is one.
    pub(crate) async fn find_summary(
        &self,
        run: &SummaryRun<'_>,
    ) -> Result<Option<String>, MlflowError> {
        let Some((key, value)) = run.tags.first() else { return Ok(None) };
        let experiment_id = self.summary_experiment(run).await?;
        let found = self.find_tagged(&experiment_id, key, value).await?;
        Ok(found.into_iter().next().map(|run| run.id))
    }

    /// Tries once to create it. With its params, which may be missing if it fails.
    pub(crate) async fn create_summary(&self, run: &SummaryRun<'_>) -> Result<String, MlflowError> {
        let experiment_id = self.summary_experiment(run).await?;
        let body = json!({
            "experiment_id": experiment_id,
            "start_time": run.start_ms,
            "run_name": run.name,
            "tags": bodies::tags(run.tags.iter().cloned()),
        });
        let call = Call::post("runs/create", &body);
        let made = match self.client.send(&call).await {
            Err(error) if error.has_code("RESOURCE_DOES_NOT_EXIST") => {
                self.experiments.forget(&experiment_id).await;
                return Err(error);
            }
            made => made?,
        };
        Ok(Run::of(&made["run"], || call.path())?.id)
    }

    /// Writes the params; they may be there already.
    pub(crate) async fn log_summary_params(
        &self,
        run_id: &str,
        config: &Value,
    ) -> Result<(), MlflowError> {
        let patience = Patience::new(Duration::ZERO);
        self.log_values(&patience, run_id, &Params::of(config), &[], Vec::new()).await
    }

    /// Writes points of metrics; they may be there already.
    pub(crate) async fn log_points(
        &self,
        run_id: &str,
        metrics: &[Value],
    ) -> Result<(), MlflowError> {
        for part in metrics.chunks(METRICS_PER_CALL) {
            let body = json!({ "run_id": run_id, "metrics": part });
            self.client.send(&Call::post("runs/log-batch", &body)).await?;
        }
        Ok(())
    }

    async fn summary_experiment(&self, run: &SummaryRun<'_>) -> Result<String, MlflowError> {
        let name = self.experiment.as_deref().unwrap_or(run.experiment);
        self.experiments.id(&self.client, &Patience::new(Duration::ZERO), name).await
    }
}
