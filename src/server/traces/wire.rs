//! Traces as MLflow writes them.

use crate::as_trace::time::{Duration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The version 3 of a trace's info.
#[derive(Debug, Serialize)]
pub(super) struct TraceInfo {
    pub(super) trace_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_request_id: Option<String>,
    pub(super) trace_location: Location,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) request_preview: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response_preview: Option<String>,
    pub(super) request_time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) execution_duration: Option<Duration>,
    pub(super) state: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) trace_metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) assessments: Vec<Assessment>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) tags: BTreeMap<String, String>,
}

/// A trace with its spans, each as OpenTelemetry's protocol has it.
#[derive(Debug, Serialize)]
pub(super) struct Trace {
    pub(super) trace_info: TraceInfo,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) spans: Option<Vec<Value>>,
}

/// Where a trace is.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Location {
    #[serde(rename = "type", default = "in_an_experiment")]
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mlflow_experiment: Option<Experiment>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Experiment {
    #[serde(default)]
    experiment_id: String,
}

fn in_an_experiment() -> String {
    "MLFLOW_EXPERIMENT".to_owned()
}

impl Location {
    pub(super) fn of(experiment: i64) -> Self {
        let experiment_id = experiment.to_string();
        Self { kind: in_an_experiment(), mlflow_experiment: Some(Experiment { experiment_id }) }
    }

    /// The id of the experiment, if it is in one.
    pub(super) fn experiment_id(&self) -> Option<&str> {
        Some(&self.mlflow_experiment.as_ref()?.experiment_id)
    }
}

/// What somebody says of a trace.
#[derive(Debug, Serialize)]
pub(super) struct Assessment {
    pub(super) assessment_id: String,
    pub(super) assessment_name: String,
    pub(super) trace_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) span_id: Option<String>,
    pub(super) source: Source,
    pub(super) create_time: Timestamp,
    pub(super) last_update_time: Timestamp,
    #[serde(flatten)]
    pub(super) judgement: Judgement,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rationale: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) overrides: Option<String>,
    pub(super) valid: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Source {
    pub(super) source_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) source_id: Option<String>,
}

/// What an assessment says, as it was sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Judgement {
    Feedback(Value),
    Expectation(Value),
    Issue(Value),
}
