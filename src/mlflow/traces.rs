//! A request as a trace.
//!
//! Its spans go to `POST /v1/traces`, by which MLflow's own client sends them: kept in the tracking
//! store, where a search looks into them. Then the whole is told of (`POST /api/3.0/mlflow/traces`),
//! which says what spans cannot: when the caller had its answer, and how it was. Both write
//! over what is there under the same ids, so that either may be sent again.
//!
//! In this order, since spans that come after the whole stretch its duration.

use super::{MlflowBackend, MlflowError, client::Call, retry::Patience, spans};
use crate::{
    as_run::limits,
    as_trace::{
        Info, NAME, Request,
        time::{Duration, Timestamp},
    },
};
use serde_json::json;

/// The longest name of a trace (`mlflow/tracing/constant.py`).
const MAX_NAME: usize = 4_096;
/// The tag in which MLflow says where the spans are.
const SPANS_LOCATION: &str = "mlflow.trace.spansLocation";

/// A trace whose spans MLflow has.
#[derive(Debug)]
pub(crate) struct Begun {
    info: Info,
    experiment_id: String,
}

impl MlflowBackend {
    /// Tries once to send the spans.
    pub(crate) async fn send_spans(&self, request: &Request) -> Result<Begun, MlflowError> {
        let info = request.info();
        let name = self.experiment.as_deref().unwrap_or(&info.experiment);
        let patience = Patience::new(std::time::Duration::ZERO);
        let experiment_id = self.experiments.id(&self.client, &patience, name).await?;
        for body in spans::bodies(request.spans()) {
            let sent = self.client.send(&Call::spans(&experiment_id, body)).await;
            self.known(&experiment_id, sent).await?;
        }
        Ok(Begun { info, experiment_id })
    }

    /// Tries once to tell of the whole trace. Whether its spans are there as well: they are not if
    /// the server has another database since they were sent.
    pub(crate) async fn send_info(&self, begun: &Begun) -> Result<bool, MlflowError> {
        let Begun { info, experiment_id } = begun;
        let body = json!({ "trace": { "trace_info": {
            "trace_id": info.trace_id,
            "trace_location": {
                "type": "MLFLOW_EXPERIMENT",
                "mlflow_experiment": { "experiment_id": experiment_id },
            },
            "request_time": Timestamp(info.start_ms.cast_signed()),
            "execution_duration": Duration(info.duration_ms.cast_signed()),
            "state": info.state,
            "response_preview": info.response_preview,
            "trace_metadata": info.metadata,
            "tags": { NAME: limits::cut(&info.experiment, MAX_NAME) },
        } } });
        let call = Call::start_trace(&body);
        let answer = self.known(experiment_id, self.client.send(&call).await).await?;
        let told = &answer["trace"]["trace_info"];
        if told["trace_id"] != *info.trace_id {
            return Err(MlflowError::Unexpected { path: call.path(), missing: "trace_id" });
        }
        Ok(told["tags"].get(SPANS_LOCATION).is_some())
    }

    /// What the answer lacked if it did not know of the spans.
    pub(crate) fn no_spans(&self) -> MlflowError {
        MlflowError::Unexpected { path: Call::start_trace(&json!({})).path(), missing: "spans" }
    }

    /// Asks for the id of an experiment anew after a server that does not know it, or takes nothing
    /// for it: it may have been deleted meanwhile.
    async fn known<T>(
        &self,
        experiment_id: &str,
        answer: Result<T, MlflowError>,
    ) -> Result<T, MlflowError> {
        if let Err(error) = &answer {
            self.forget_after(error, experiment_id).await;
        }
        answer
    }
}
