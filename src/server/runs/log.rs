//! What is logged to a run, alone or in a batch.

use super::{
    super::{
        call::{Answer, Context, Work},
        error::ApiError,
        input::{self, Input, required},
        reply::Reply,
        validate,
    },
    metrics, params,
    subject::find_to_change,
    tags,
    wire::Pair,
};
use rusqlite::OptionalExtension;
use serde::Deserialize;
use serde_json::{Value, json};

/// The most metrics of a batch, and the most entries of it in all.
const MAX_METRICS: usize = 1_000;
/// The most params of a batch, and the most tags.
const MAX_PARAMS: usize = 100;
/// The tag that lists the models which clients before MLflow 3 logged.
const LOGGED_MODELS: &str = "mlflow.log-model.history";

/// The run that a call names; clients of old call it `run_uuid`.
#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) run_id: Option<String>,
    pub(super) run_uuid: Option<String>,
}

impl Named {
    pub(super) fn id(self) -> Option<String> {
        self.run_id.filter(|id| !id.is_empty()).or(self.run_uuid)
    }
}

pub(super) fn log_metric(mut input: Input) -> Result<Work, ApiError> {
    #[derive(Deserialize)]
    struct LogMetric {
        run_id: Option<String>,
        run_uuid: Option<String>,
        key: Option<String>,
        #[serde(default, deserialize_with = "input::float")]
        value: Option<f64>,
        #[serde(default, deserialize_with = "input::int")]
        timestamp: Option<i64>,
        #[serde(default, deserialize_with = "input::int")]
        step: Option<i64>,
        model_id: Option<String>,
        dataset_name: Option<String>,
        dataset_digest: Option<String>,
    }
    let asked: LogMetric = input.read()?;
    let named = Named { run_id: asked.run_id, run_uuid: asked.run_uuid };
    let metric = metrics::Sent {
        key: asked.key,
        value: asked.value,
        timestamp: asked.timestamp,
        step: asked.step,
        model_id: asked.model_id,
        dataset_name: asked.dataset_name,
        dataset_digest: asked.dataset_digest,
    };
    let metric = metric.checked(None)?;
    Ok(Box::new(move |context| {
        let run = find_to_change(context, named.id())?;
        metrics::log(context, run, &[metric])?;
        Ok(Reply::done())
    }))
}

/// A key and a value for a run.
#[derive(Deserialize)]
struct LogPair {
    run_id: Option<String>,
    run_uuid: Option<String>,
    key: Option<String>,
    value: Option<String>,
}

impl LogPair {
    fn apart(self) -> (Named, Vec<Pair>) {
        let Self { run_id, run_uuid, key, value } = self;
        (Named { run_id, run_uuid }, vec![Pair { key, value }])
    }
}

pub(super) fn log_param(mut input: Input) -> Result<Work, ApiError> {
    let (named, pair) = input.read::<LogPair>()?.apart();
    let param = params::checked(pair, |_| "key".to_owned())?;
    Ok(Box::new(move |context| {
        let run = find_to_change(context, named.id())?;
        match params::log(context, run, param)?.first() {
            None => Ok(Reply::done()),
            Some(conflict) => Err(params::changed(run, conflict)),
        }
    }))
}

pub(super) fn set_tag(mut input: Input) -> Result<Work, ApiError> {
    let (named, pair) = input.read::<LogPair>()?.apart();
    let tag = tags::checked(pair, |_| "key".to_owned())?;
    Ok(Box::new(move |context| {
        let run = find_to_change(context, named.id())?;
        tags::log(context, run, &tag)?;
        Ok(Reply::done())
    }))
}

pub(super) fn delete_tag(context: &Context<'_>, mut input: Input) -> Answer {
    let LogPair { run_id, key, .. } = input.read()?;
    let run_id = required(run_id, "run_id")?;
    let key = required(key, "key")?;
    let run = find_to_change(context, Some(run_id))?;
    tags::delete(context, run, &key)?;
    Ok(Reply::done())
}

#[derive(Deserialize)]
struct LogBatch {
    run_id: Option<String>,
    #[serde(default)]
    metrics: Vec<metrics::Sent>,
    #[serde(default)]
    params: Vec<Pair>,
    #[serde(default)]
    tags: Vec<Pair>,
}

pub(super) fn log_batch(mut input: Input) -> Result<Work, ApiError> {
    let asked: LogBatch = input.read()?;
    let run_id = required(asked.run_id, "run_id")?;
    validate::run_id(&run_id)?;
    let metrics = asked.metrics.into_iter().enumerate();
    let metrics: Vec<_> =
        metrics.map(|(index, metric)| metric.checked(Some(index))).collect::<Result<_, _>>()?;
    let params = params::checked(asked.params, |index| format!("params[{index}].key"))?;
    let tags = tags::checked(asked.tags, |index| format!("tags[{index}].key"))?;
    at_most(MAX_METRICS, metrics.len(), "metrics")?;
    at_most(MAX_PARAMS, params.len(), "params")?;
    at_most(MAX_PARAMS, tags.len(), "tags")?;
    let all = metrics.len() + params.len() + tags.len();
    at_most(MAX_METRICS, all, "metrics, params, and tags")?;
    params::unique(&params)?;
    Ok(Box::new(move |context| {
        let run = find_to_change(context, Some(run_id))?;
        let conflicts = params::log(context, run, params)?;
        if !conflicts.is_empty() {
            return Err(params::all_changed(run, &conflicts));
        }
        metrics::log(context, run, &metrics)?;
        tags::log(context, run, &tags)?;
        Ok(Reply::done())
    }))
}

fn at_most(limit: usize, sent: usize, what: &str) -> Result<(), ApiError> {
    if sent > limit {
        return Err(ApiError::invalid(format!(
            "A batch logging request can contain at most {limit} {what}. Got {sent} {what}. \
             Please split up {what} across multiple requests and try again."
        )));
    }
    Ok(())
}

/// A model as clients before MLflow 3 log it: one more entry of a list in a tag.
pub(super) fn log_model(context: &Context<'_>, mut input: Input) -> Answer {
    #[derive(Deserialize)]
    struct LogModel {
        run_id: Option<String>,
        model_json: Option<String>,
    }
    const MANDATORY: [&str; 4] = ["artifact_path", "flavors", "run_id", "utc_time_created"];
    const KEPT: [&str; 4] = ["run_id", "artifact_path", "utc_time_created", "model_uuid"];
    let asked: LogModel = input.read()?;
    let run_id = required(asked.run_id, "run_id")?;
    let json = required(asked.model_json, "model_json")?;
    let Ok(Value::Object(mut model)) = serde_json::from_str(&json) else {
        return Err(ApiError::invalid(format!(
            "Malformed model info. \n {json} \n is not a valid JSON."
        )));
    };
    let missing: Vec<_> = MANDATORY.into_iter().filter(|name| !model.contains_key(*name)).collect();
    if !missing.is_empty() {
        return Err(ApiError::invalid(format!(
            "Model json is missing mandatory fields: {{'{}'}}",
            missing.join("', '")
        )));
    }
    let mut kept = serde_json::Map::new();
    for name in KEPT {
        if let Some(value) = model.remove(name) {
            kept.insert(name.to_owned(), value);
        }
    }
    let mut flavors = model.remove("flavors").unwrap_or_else(|| json!({}));
    for flavor in flavors.as_object_mut().into_iter().flat_map(|flavors| flavors.values_mut()) {
        if let Some(flavor) = flavor.as_object_mut() {
            flavor.remove("config");
        }
    }
    kept.insert("flavors".to_owned(), flavors);
    let run = find_to_change(context, Some(run_id))?;
    let known: Option<String> = context
        .connection
        .prepare_cached("SELECT value FROM mlflow_tag WHERE run = ?1 AND key = ?2")?
        .query_row(rusqlite::params![run.id, LOGGED_MODELS], |row| row.get(0))
        .optional()?;
    let known = known.and_then(|known| serde_json::from_str(&known).ok());
    let mut models: Vec<Value> = known.unwrap_or_default();
    models.push(Value::Object(kept));
    tags::set(context, run.id, LOGGED_MODELS, &Value::Array(models).to_string())?;
    Ok(Reply::done())
}
