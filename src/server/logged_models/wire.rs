//! Logged models as MLflow writes them.

use super::super::{
    call::Context,
    error::ApiError,
    experiments::{KeyValue, Place},
    runs::RunId,
};
use rusqlite::Row;
use serde::Serialize;

/// Metrics of a model in an answer; the latest.
const MAX_METRICS: usize = 25_000;

#[derive(Serialize)]
pub(in crate::server) struct LoggedModel {
    pub(in crate::server) info: Info,
    data: Data,
}

#[derive(Serialize)]
pub(in crate::server) struct Info {
    pub(super) model_id: String,
    experiment_id: String,
    name: String,
    creation_timestamp_ms: i64,
    last_updated_timestamp_ms: i64,
    pub(in crate::server) artifact_uri: String,
    status: String,
    model_type: String,
    pub(in crate::server) source_run_id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<KeyValue>,
}

#[derive(Default, Serialize)]
struct Data {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    params: Vec<KeyValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    metrics: Vec<Metric>,
}

/// A value that a run measured on the model.
#[derive(Serialize)]
struct Metric {
    key: String,
    value: f64,
    timestamp: i64,
    step: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    dataset_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dataset_digest: Option<String>,
    model_id: String,
    run_id: RunId,
}

/// What [`LoggedModel::read`] reads of models `l` and their experiments `e`.
pub(super) const COLUMNS: &str = "l.id, l.experiment, e.artifact_location, l.name, l.type, \
     l.source_run_id, l.status, l.created_ms, l.updated_ms";
/// How many columns these are.
pub(super) const COLUMN_COUNT: usize = 9;

impl LoggedModel {
    /// A row of [`COLUMNS`].
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let model_id: String = row.get(0)?;
        let place = Place { id: row.get(1)?, artifact_location: row.get(2)? };
        let status: String = row.get(6)?;
        let info = Info {
            artifact_uri: place.model_artifact_uri(&model_id),
            model_id,
            experiment_id: place.id.to_string(),
            name: row.get(3)?,
            model_type: row.get(4)?,
            source_run_id: row.get(5)?,
            status: format!("LOGGED_MODEL_{status}"),
            creation_timestamp_ms: row.get(7)?,
            last_updated_timestamp_ms: row.get(8)?,
            tags: Vec::new(),
        };
        Ok(Self { info, data: Data::default() })
    }

    /// With all that belongs to it.
    pub(super) fn whole(mut self, context: &Context<'_>) -> Result<Self, ApiError> {
        let id = &self.info.model_id;
        self.data.params = pairs(
            context,
            "SELECT key, value FROM mlflow_logged_model_param WHERE model_id = ?1",
            id,
        )?;
        self.data.metrics = metrics(context, id)?;
        self.info.tags = pairs(
            context,
            "SELECT key, value FROM mlflow_logged_model_tag WHERE model_id = ?1",
            id,
        )?;
        Ok(self)
    }
}

fn pairs(context: &Context<'_>, sql: &str, id: &str) -> Result<Vec<KeyValue>, ApiError> {
    let pairs = context
        .connection
        .prepare_cached(sql)?
        .query_map([id], |row| Ok(KeyValue { key: row.get(0)?, value: row.get(1)? }))?
        .collect::<Result<_, _>>()?;
    Ok(pairs)
}

fn metrics(context: &Context<'_>, id: &str) -> Result<Vec<Metric>, ApiError> {
    let metrics = context
        .connection
        .prepare_cached(&format!(
            "SELECT * FROM (
                 SELECT key, value, timestamp_ms, step, dataset_name, dataset_digest, run
                 FROM mlflow_model_metric WHERE model_id = ?1
                 ORDER BY timestamp_ms DESC LIMIT {MAX_METRICS}
             ) ORDER BY key, timestamp_ms, step"
        ))?
        .query_map([id], |row| {
            Ok(Metric {
                key: row.get(0)?,
                value: row.get(1)?,
                timestamp: row.get(2)?,
                step: row.get(3)?,
                dataset_name: row.get(4)?,
                dataset_digest: row.get(5)?,
                model_id: id.to_owned(),
                run_id: row.get(6)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(metrics)
}
