//! Runs as MLflow writes them.

use super::{super::experiments::KeyValue, RunId};
use serde::{Deserialize, Serialize, Serializer};

#[derive(Serialize)]
pub(super) struct Run {
    pub(super) info: RunInfo,
    pub(super) data: RunData,
    pub(super) inputs: RunInputs,
    pub(super) outputs: RunOutputs,
}

/// The answer that is one run.
#[derive(Serialize)]
pub(super) struct OneRun {
    pub(super) run: Run,
}

/// The answer that is one run without what was logged to it.
#[derive(Serialize)]
pub(super) struct OneInfo {
    pub(super) run_info: RunInfo,
}

/// The run itself. Clients of old read `run_uuid`.
#[derive(Serialize)]
pub(super) struct RunInfo {
    pub(super) run_uuid: RunId,
    pub(super) experiment_id: String,
    pub(super) run_name: String,
    pub(super) user_id: String,
    pub(super) status: String,
    pub(super) start_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) end_time: Option<i64>,
    pub(super) artifact_uri: String,
    pub(super) lifecycle_stage: &'static str,
    pub(super) run_id: RunId,
}

#[derive(Default, Serialize)]
pub(super) struct RunData {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) metrics: Vec<MetricValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) params: Vec<KeyValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tags: Vec<KeyValue>,
}

/// A value of a metric.
#[derive(Serialize)]
pub(super) struct MetricValue {
    pub(super) key: String,
    #[serde(serialize_with = "double")]
    pub(super) value: f64,
    pub(super) timestamp: i64,
    pub(super) step: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) run_id: Option<RunId>,
}

#[derive(Default, Serialize)]
pub(super) struct RunInputs {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) dataset_inputs: Vec<DatasetInput>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) model_inputs: Vec<ModelInput>,
}

#[derive(Default, Serialize)]
pub(super) struct RunOutputs {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) model_outputs: Vec<ModelOutput>,
}

#[derive(Serialize)]
pub(super) struct DatasetInput {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tags: Vec<KeyValue>,
    pub(super) dataset: Dataset,
}

#[derive(Serialize)]
pub(super) struct Dataset {
    pub(super) name: String,
    pub(super) digest: String,
    pub(super) source_type: String,
    pub(super) source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) schema: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) profile: Option<String>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct ModelInput {
    pub(super) model_id: String,
}

#[derive(Serialize)]
pub(super) struct ModelOutput {
    pub(super) model_id: String,
    pub(super) step: i64,
}

/// A key and a value as they are sent; either may be left out.
#[derive(Deserialize)]
pub(in crate::server) struct Pair {
    pub(in crate::server) key: Option<String>,
    pub(in crate::server) value: Option<String>,
}

/// A double in the JSON of protocol buffers, where what JSON has no number for is a string.
fn double<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
    match *value {
        value if value.is_nan() => to.serialize_str("NaN"),
        f64::INFINITY => to.serialize_str("Infinity"),
        f64::NEG_INFINITY => to.serialize_str("-Infinity"),
        value => to.serialize_f64(value),
    }
}

pub(super) const fn lifecycle_stage(deleted: bool) -> &'static str {
    if deleted { "deleted" } else { "active" }
}
