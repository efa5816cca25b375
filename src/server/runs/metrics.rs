//! The metrics of a run: all values, and of each key the latest.

use super::{
    super::{
        call::Context,
        error::{ApiError, ErrorCode},
        input, validate,
    },
    RunId,
    subject::Subject,
    wire::MetricValue,
};
use rusqlite::params;
use serde::Deserialize;

/// A metric as a client sends it.
#[derive(Deserialize)]
pub(super) struct Sent {
    pub(super) key: Option<String>,
    #[serde(default, deserialize_with = "input::float")]
    pub(super) value: Option<f64>,
    #[serde(default, deserialize_with = "input::int")]
    pub(super) timestamp: Option<i64>,
    #[serde(default, deserialize_with = "input::int")]
    pub(super) step: Option<i64>,
    pub(super) model_id: Option<String>,
    pub(super) dataset_name: Option<String>,
    pub(super) dataset_digest: Option<String>,
}

/// A value that was measured.
pub(super) struct Metric {
    key: String,
    /// 0 where it is not a number; the greatest number there is where it is infinite.
    value: f64,
    nan: bool,
    timestamp: i64,
    step: i64,
    model: Option<Model>,
}

/// The logged model that was measured, and the dataset that it was measured on.
struct Model {
    id: String,
    dataset_name: Option<String>,
    dataset_digest: Option<String>,
}

/// Where a metric stood in the call: by its index in a batch.
fn place(index: Option<usize>, field: &str) -> String {
    index.map_or_else(|| field.to_owned(), |index| format!("metrics[{index}].{field}"))
}

impl Sent {
    /// # Errors
    ///
    /// On a key that MLflow does not take, a time before 1970, and on what is missing.
    pub(super) fn checked(self, index: Option<usize>) -> Result<Metric, ApiError> {
        let missing = |field| ApiError::missing(&place(index, field));
        let key = self.key.filter(|key| !key.is_empty()).ok_or_else(|| missing("key"))?;
        let value = self.value.ok_or_else(|| missing("value"))?;
        let timestamp = self.timestamp.ok_or_else(|| missing("timestamp"))?;
        validate::key(&key, || place(index, "name"))?;
        if timestamp < 0 {
            return Err(ApiError::invalid(format!(
                "Invalid value {timestamp} for parameter '{}' supplied: metric '{key}' \
                 (value={value:?}). Timestamp must be a nonnegative long (64-bit integer) ",
                place(index, "timestamp")
            )));
        }
        validate::length("Metric name", validate::MAX_KEY, &key)?;
        let model = self.model_id.filter(|id| !id.is_empty()).map(|id| Model {
            id,
            dataset_name: self.dataset_name,
            dataset_digest: self.dataset_digest,
        });
        let nan = value.is_nan();
        let value = if nan { 0.0 } else { value.clamp(f64::MIN, f64::MAX) };
        Ok(Metric { key, value, nan, timestamp, step: self.step.unwrap_or(0), model })
    }
}

/// Writes values; one that is there already is there once.
///
/// # Errors
///
/// When one is of a logged model that there is not.
pub(super) fn log(context: &Context<'_>, run: Subject, metrics: &[Metric]) -> Result<(), ApiError> {
    let connection = context.connection;
    let mut insert = connection.prepare_cached(
        "INSERT INTO mlflow_metric (run, key, timestamp_ms, step, value, nan)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
    )?;
    let mut latest = connection.prepare_cached(
        "INSERT INTO mlflow_latest_metric (run, key, timestamp_ms, step, value, nan)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET timestamp_ms = excluded.timestamp_ms, step = excluded.step,
             value = excluded.value, nan = excluded.nan
         WHERE (excluded.step, excluded.timestamp_ms, excluded.value)
             > (step, timestamp_ms, value)",
    )?;
    for Metric { key, value, nan, timestamp, step, model } in metrics {
        let new = insert.execute(params![run.id, key, timestamp, step, value, nan])?;
        if new > 0 {
            latest.execute(params![run.id, key, timestamp, step, value, nan])?;
        }
        if let Some(Model { id, dataset_name, dataset_digest }) = model {
            let known = connection
                .prepare_cached("SELECT 1 FROM mlflow_logged_model WHERE id = ?1")?
                .exists([id])?;
            if !known {
                return Err(ApiError::new(
                    ErrorCode::BadRequest,
                    format!("the metric '{key}' is of the logged model '{id}', which is not there"),
                ));
            }
            connection
                .prepare_cached(
                    "INSERT INTO mlflow_model_metric
                     (model_id, key, timestamp_ms, step, run, value, dataset_name, dataset_digest)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
                )?
                .execute(params![
                    id,
                    key,
                    timestamp,
                    step,
                    run.id,
                    value,
                    dataset_name,
                    dataset_digest
                ])?;
        }
    }
    Ok(())
}

/// The latest value of each key.
pub(super) fn of(context: &Context<'_>, run: RunId) -> Result<Vec<MetricValue>, ApiError> {
    let metrics = context
        .connection
        .prepare_cached(
            "SELECT key, value, nan, timestamp_ms, step FROM mlflow_latest_metric WHERE run = ?1",
        )?
        .query_map([run], |row| read(row, None))?
        .collect::<Result<_, _>>()?;
    Ok(metrics)
}

/// A row of key, value, nan, timestamp and step.
pub(super) fn read(
    row: &rusqlite::Row<'_>,
    run_id: Option<RunId>,
) -> rusqlite::Result<MetricValue> {
    Ok(MetricValue {
        key: row.get(0)?,
        value: if row.get(2)? { f64::NAN } else { row.get(1)? },
        timestamp: row.get(3)?,
        step: row.get(4)?,
        run_id,
    })
}
