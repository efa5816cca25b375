//! Experiments: `experiments/…`.

use super::{
    call::{Answer, Call, Context, Route, now_ms},
    error::ApiError,
    input::{self, Input, required},
    reply::Reply,
};
use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub(super) const ROUTES: &[Route] = &[
    ("POST", "2.0/mlflow/experiments/create", Call::Write(create)),
    ("GET", "2.0/mlflow/experiments/get", Call::Read(get)),
    ("GET", "2.0/mlflow/experiments/get-by-name", Call::Read(get_by_name)),
];

/// The longest name of an experiment, in characters.
const MAX_NAME: usize = 500;

/// A key and a value, as tags and params are sent.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct KeyValue {
    pub(super) key: String,
    #[serde(default)]
    pub(super) value: String,
}

#[derive(Deserialize)]
struct Create {
    name: Option<String>,
    artifact_location: Option<String>,
    #[serde(default)]
    tags: Vec<KeyValue>,
}

fn create(context: &Context<'_>, mut input: Input) -> Answer {
    let asked: Create = input.read()?;
    let name = required(asked.name, "name")?;
    if name.chars().count() > MAX_NAME {
        return Err(ApiError::invalid(format!(
            "'name' exceeds the maximum length of {MAX_NAME} characters"
        )));
    }
    let location = asked.artifact_location.filter(|location| !location.is_empty());
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
    let mut tag = connection
        .prepare_cached("INSERT OR REPLACE INTO mlflow_experiment_tag VALUES (?1, ?2, ?3)")?;
    for KeyValue { key, value } in &asked.tags {
        tag.execute(params![id, key, value])?;
    }
    Ok(Reply::json(&json!({ "experiment_id": id.to_string() })))
}

/// An experiment as MLflow writes it.
#[derive(Serialize)]
struct Experiment {
    experiment_id: String,
    name: String,
    artifact_location: String,
    lifecycle_stage: &'static str,
    last_update_time: i64,
    creation_time: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<KeyValue>,
}

fn get(context: &Context<'_>, mut input: Input) -> Answer {
    #[derive(Deserialize)]
    struct Get {
        #[serde(default, deserialize_with = "input::int")]
        experiment_id: Option<i64>,
    }
    let asked: Get = input.read()?;
    let id = asked.experiment_id.ok_or_else(|| ApiError::missing("experiment_id"))?;
    match find(context, "id = ?1", id)? {
        Some(experiment) => Ok(Reply::json(&json!({ "experiment": experiment }))),
        None => Err(ApiError::none(format!("No Experiment with id={id} exists"))),
    }
}

fn get_by_name(context: &Context<'_>, mut input: Input) -> Answer {
    #[derive(Deserialize)]
    struct Get {
        experiment_name: Option<String>,
    }
    let asked: Get = input.read()?;
    let name = required(asked.experiment_name, "experiment_name")?;
    match find(context, "name = ?1", &name)? {
        Some(experiment) => Ok(Reply::json(&json!({ "experiment": experiment }))),
        None => Err(ApiError::none(format!("Could not find experiment with name '{name}'"))),
    }
}

fn find(
    context: &Context<'_>,
    which: &str,
    value: impl rusqlite::ToSql,
) -> Result<Option<Experiment>, ApiError> {
    let connection = context.connection;
    let found = connection
        .prepare_cached(&format!(
            "SELECT id, name, artifact_location, deleted, created_ms, updated_ms
             FROM mlflow_experiment WHERE {which}"
        ))?
        .query_row([value], |row| {
            let id: i64 = row.get(0)?;
            let location: Option<String> = row.get(2)?;
            Ok((
                id,
                Experiment {
                    experiment_id: id.to_string(),
                    name: row.get(1)?,
                    artifact_location: location
                        .unwrap_or_else(|| format!("mlflow-artifacts:/{id}")),
                    lifecycle_stage: if row.get(3)? { "deleted" } else { "active" },
                    creation_time: row.get(4)?,
                    last_update_time: row.get(5)?,
                    tags: Vec::new(),
                },
            ))
        })
        .optional()?;
    let Some((id, mut experiment)) = found else { return Ok(None) };
    experiment.tags = connection
        .prepare_cached("SELECT key, value FROM mlflow_experiment_tag WHERE experiment = ?1")?
        .query_map([id], |row| Ok(KeyValue { key: row.get(0)?, value: row.get(1)? }))?
        .collect::<Result<_, _>>()?;
    Ok(Some(experiment))
}
