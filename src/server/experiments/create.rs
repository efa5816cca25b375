//! A new experiment.

use super::{
    super::{
        call::{Answer, Context, now_ms},
        error::ApiError,
        input::{Input, required},
        reply::Reply,
        validate,
    },
    KeyValue, change,
};
use rusqlite::params;
use serde::Deserialize;
use serde_json::json;

/// The longest name of an experiment, in characters.
pub(super) const MAX_NAME: usize = 500;
/// The longest location of artifacts.
const MAX_LOCATION: usize = 2_048;

#[derive(Deserialize)]
struct Create {
    name: Option<String>,
    artifact_location: Option<String>,
    #[serde(default)]
    tags: Vec<KeyValue>,
}

pub(super) fn create(context: &Context<'_>, mut input: Input) -> Answer {
    let asked: Create = input.read()?;
    let name = required(asked.name, "name")?;
    validate::length("name", MAX_NAME, &name)?;
    let location = asked.artifact_location.filter(|location| !location.is_empty());
    validate::length("artifact_location", MAX_LOCATION, location.as_deref().unwrap_or_default())?;
    for tag in &asked.tags {
        change::check_tag(&tag.key, &tag.value)?;
    }
    let connection = context.connection;
    let new = connection
        .prepare_cached(
            "INSERT INTO mlflow_experiment (name, artifact_location, created_ms, updated_ms)
             VALUES (?1, ?2, ?3, ?3) ON CONFLICT DO NOTHING",
        )?
        .execute(params![name, location, now_ms()])?;
    if new == 0 {
        return Err(ApiError::exists(format!("Experiment(name={name}) already exists.")));
    }
    let id = connection.last_insert_rowid();
    for KeyValue { key, value } in &asked.tags {
        change::write_tag(context, id, key, value)?;
    }
    Ok(Reply::json(&json!({ "experiment_id": id.to_string() })))
}
