//! The values of a metric over time.

use super::{
    super::{
        call::{Answer, Context},
        error::ApiError,
        input::{self, Input, required},
        page,
        reply::Reply,
    },
    RunId, branch, metrics,
    wire::MetricValue,
};
use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};

/// Runs that one call asks for.
const MAX_RUNS: usize = 100;
/// Values in one answer about many runs.
const MAX_BULK: i64 = 25_000;
/// Values of one run that a sample has at most.
const MAX_SAMPLE: i64 = 2_500;

#[derive(Serialize)]
struct History {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    metrics: Vec<MetricValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

/// The place of a value in the history of a run: its time, step and value, and whether it is no
/// number.
type Place = (i64, i64, f64, bool);

/// All values by time, or a page of them. A page begins after the value that ended the one
/// before, so that values which come meanwhile shift nothing.
pub(super) fn get(context: &Context<'_>, mut input: Input) -> Answer {
    #[derive(Deserialize)]
    struct Get {
        run_id: Option<String>,
        run_uuid: Option<String>,
        metric_key: Option<String>,
        page_token: Option<String>,
        #[serde(default, deserialize_with = "input::int")]
        max_results: Option<i64>,
    }
    let asked: Get = input.read()?;
    let run_id = asked.run_id.filter(|id| !id.is_empty()).or(asked.run_uuid);
    let run_id = required(run_id, "run_id")?;
    let key = required(asked.metric_key, "metric_key")?;
    if let Some(max_results @ ..=0) = asked.max_results {
        return Err(ApiError::invalid(format!(
            "Invalid value {max_results} for parameter 'max_results' supplied. It must be a \
             positive integer."
        )));
    }
    let after: Option<Place> = page::read(asked.page_token.as_deref())?;
    let Some(run) = RunId::parse(&run_id) else {
        return Ok(Reply::json(&History { metrics: Vec::new(), next_page_token: None }));
    };
    let (timestamp, step, value, nan) = after.unwrap_or((i64::MIN, i64::MIN, f64::MIN, false));
    let limit = asked.max_results.map_or(-1, |max_results| max_results.saturating_add(1));
    let mut metrics: Vec<_> = context
        .connection
        .prepare_cached(
            "SELECT key, value, nan, timestamp_ms, step FROM mlflow_metric
             WHERE run = ?1 AND key = ?2 AND (timestamp_ms, step, value, nan) > (?3, ?4, ?5, ?6)
             ORDER BY timestamp_ms, step, value, nan LIMIT ?7",
        )?
        .query_map(params![run, key, timestamp, step, value, nan, limit], |row| {
            metrics::read(row, None)
        })?
        .collect::<Result<_, _>>()?;
    if let Some(recorded) = branch::metric(context, run, &key)? {
        let place = (recorded.timestamp, recorded.step, recorded.value, false);
        if place > (timestamp, step, value, nan) {
            metrics.push(recorded);
            metrics.sort_by(|a, b| {
                (a.timestamp, a.step)
                    .cmp(&(b.timestamp, b.step))
                    .then_with(|| a.value.total_cmp(&b.value))
            });
        }
    }
    let next_page_token = page::cut(&mut metrics, asked.max_results).map(|last| {
        let nan = last.value.is_nan();
        page::write(&(last.timestamp, last.step, if nan { 0.0 } else { last.value }, nan))
    });
    Ok(Reply::json(&History { metrics, next_page_token }))
}

/// The values of several runs, run by run.
pub(super) fn get_bulk(context: &Context<'_>, mut input: Input) -> Answer {
    #[derive(Deserialize)]
    struct GetBulk {
        #[serde(default, deserialize_with = "input::list")]
        run_id: Vec<String>,
        metric_key: Option<String>,
        #[serde(default, deserialize_with = "input::int")]
        max_results: Option<i64>,
    }
    #[derive(Serialize)]
    struct Bulk {
        metrics: Vec<MetricValue>,
    }
    let asked: GetBulk = input.read()?;
    if asked.run_id.is_empty() {
        return Err(ApiError::invalid(
            "GetMetricHistoryBulk request must specify at least one run_id.",
        ));
    }
    if asked.run_id.len() > MAX_RUNS {
        return Err(ApiError::invalid(format!(
            "GetMetricHistoryBulk request cannot specify more than {MAX_RUNS} run_ids. Received \
             {} run_ids.",
            asked.run_id.len()
        )));
    }
    let key = asked.metric_key.ok_or_else(|| {
        ApiError::invalid("GetMetricHistoryBulk request must specify a metric_key.")
    })?;
    let mut left = asked.max_results.unwrap_or(MAX_BULK).clamp(0, MAX_BULK);
    let mut runs: Vec<_> = asked.run_id.iter().filter_map(|id| RunId::parse(id)).collect();
    runs.sort_unstable();
    runs.dedup();
    let mut metrics = Vec::new();
    let mut select = context.connection.prepare_cached(
        "SELECT key, value, nan, timestamp_ms, step FROM mlflow_metric
         WHERE run = ?1 AND key = ?2 ORDER BY timestamp_ms, step, value, nan LIMIT ?3",
    )?;
    for run in runs {
        let before = metrics.len();
        for metric in
            select.query_map(params![run, key, left], |row| metrics::read(row, Some(run)))?
        {
            metrics.push(metric?);
        }
        left -= i64::try_from(metrics.len() - before).unwrap_or(left);
    }
    Ok(Reply::json(&Bulk { metrics }))
}

/// The values of several runs, so many of each that a chart can be drawn.
pub(super) fn get_sampled(context: &Context<'_>, mut input: Input) -> Answer {
    #[derive(Deserialize)]
    struct GetSampled {
        #[serde(default, deserialize_with = "input::list")]
        run_ids: Vec<String>,
        metric_key: Option<String>,
        #[serde(default, deserialize_with = "input::int")]
        start_step: Option<i64>,
        #[serde(default, deserialize_with = "input::int")]
        end_step: Option<i64>,
        #[serde(default, deserialize_with = "input::int")]
        max_results: Option<i64>,
    }
    let asked: GetSampled = input.read()?;
    if asked.run_ids.is_empty() {
        return Err(ApiError::missing("run_ids"));
    }
    if asked.run_ids.len() > MAX_RUNS {
        return Err(ApiError::invalid(format!(
            "GetMetricHistoryBulkInterval request must specify at most {MAX_RUNS} run_ids. \
             Received {} run_ids.",
            asked.run_ids.len()
        )));
    }
    let key = required(asked.metric_key, "metric_key")?;
    let most = asked.max_results.unwrap_or(MAX_SAMPLE);
    if !(1..=MAX_SAMPLE).contains(&most) {
        return Err(ApiError::invalid(format!("max_results must be between 1 and {MAX_SAMPLE}.")));
    }
    let steps = match (asked.start_step, asked.end_step) {
        (Some(start), Some(end)) if start > end => {
            return Err(ApiError::invalid(format!(
                "end_step must be greater than start_step. Found start_step={start} and \
                 end_step={end}."
            )));
        }
        (Some(start), Some(end)) => (start, end),
        (None, None) => (i64::MIN, i64::MAX),
        _ => {
            return Err(ApiError::invalid(
                "If either start step or end step are specified, both must be specified.",
            ));
        }
    };
    let mut metrics = Vec::new();
    for run in asked.run_ids.iter().filter_map(|id| RunId::parse(id)) {
        sample(context, run, &key, steps, most, &mut metrics)?;
    }
    Ok(Reply::json(&History { metrics, next_page_token: None }))
}

/// The first value of each of `most` stretches of equally many values, by step; and the last one.
fn sample(
    context: &Context<'_>,
    run: RunId,
    key: &str,
    (start, end): (i64, i64),
    most: i64,
    metrics: &mut Vec<MetricValue>,
) -> Result<(), ApiError> {
    let (first, size) = (metrics.len(), usize::try_from(most).unwrap_or(usize::MAX));
    let mut select = context.connection.prepare_cached(
        "SELECT key, value, nan, timestamp_ms, step FROM (
             SELECT *, row_number() OVER (PARTITION BY stretch ORDER BY step, timestamp_ms, value,
                 nan) AS place
             FROM (
                 SELECT *, ntile(?5) OVER (ORDER BY step, timestamp_ms, value, nan) AS stretch
                 FROM mlflow_metric
                 WHERE run = ?1 AND key = ?2 AND step BETWEEN ?3 AND ?4))
         WHERE place = 1 ORDER BY step, timestamp_ms, value, nan",
    )?;
    for metric in select
        .query_map(params![run, key, start, end, most], |row| metrics::read(row, Some(run)))?
    {
        metrics.push(metric?);
    }
    let last = context
        .connection
        .prepare_cached(
            "SELECT key, value, nan, timestamp_ms, step FROM mlflow_metric
             WHERE run = ?1 AND key = ?2 AND step BETWEEN ?3 AND ?4
             ORDER BY step DESC, timestamp_ms DESC, value DESC, nan DESC LIMIT 1",
        )?
        .query_row(params![run, key, start, end], |row| metrics::read(row, Some(run)))
        .optional()?;
    let Some(last) = last else { return Ok(()) };
    let place = |metric: &MetricValue| (metric.step, metric.timestamp, metric.value.to_bits());
    if metrics.len() > first && metrics.last().map(place) != Some(place(&last)) {
        if metrics.len() - first >= size {
            metrics.pop();
        }
        metrics.push(last);
    }
    Ok(())
}
