//! A new logged model.

use super::{
    super::{
        call::{Answer, Context, now_ms},
        error::ApiError,
        experiments,
        input::{Input, required},
        runs::{Pair, RunId},
    },
    change, read,
};
use rusqlite::params;
use serde::Deserialize;

/// What no name has.
const NOT_IN_NAMES: [char; 6] = ['/', ':', '.', '%', '"', '\''];

#[derive(Deserialize)]
struct Create {
    experiment_id: Option<String>,
    name: Option<String>,
    model_type: Option<String>,
    source_run_id: Option<String>,
    #[serde(default)]
    params: Vec<Pair>,
    #[serde(default)]
    tags: Vec<Pair>,
}

/// Without a name a model is called `model-` and the end of its id.
pub(super) fn create(context: &Context<'_>, mut input: Input) -> Answer {
    let asked: Create = input.read()?;
    let experiment = required(asked.experiment_id, "experiment_id")?;
    let name = asked.name.filter(|name| !name.is_empty());
    if let Some(name) = name.as_deref().filter(|name| name.contains(NOT_IN_NAMES)) {
        return Err(ApiError::invalid(format!(
            "Invalid model name ('{name}') provided. Model name must be a non-empty string and \
             cannot contain the following characters: ('/', ':', '.', '%', '\"', \"'\")"
        )));
    }
    let experiment = experiments::active(context, experiments::parse_id(&experiment)?)?;
    // The time comes first in it, as in the id of a run.
    let digits = RunId::now().to_string();
    let id = format!("m-{digits}");
    context
        .connection
        .prepare_cached(
            "INSERT INTO mlflow_logged_model
             (id, experiment, name, type, source_run_id, status, created_ms, updated_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, 'PENDING', ?6, ?6)",
        )?
        .execute(params![
            id,
            experiment.id,
            name.unwrap_or_else(|| format!("model-{}", &digits[24..])),
            asked.model_type.unwrap_or_default(),
            asked.source_run_id.unwrap_or_default(),
            now_ms()
        ])?;
    change::write_params(context, &id, asked.params)?;
    change::write_tags(context, &id, asked.tags)?;
    read::answer(context, &id, false)
}
