//! An experiment as it is answered.

use super::{
    super::{
        call::{Answer, Context},
        error::ApiError,
        input::{Input, required},
        reply::Reply,
    },
    KeyValue, find,
};
use rusqlite::{OptionalExtension, Row};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// An experiment as MLflow writes it.
#[derive(Serialize)]
pub(super) struct Experiment {
    experiment_id: String,
    name: String,
    artifact_location: String,
    lifecycle_stage: &'static str,
    last_update_time: i64,
    creation_time: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<KeyValue>,
    /// There is one.
    workspace: &'static str,
}

/// What [`Experiment::read`] reads.
pub(super) const COLUMNS: &str = "id, name, artifact_location, deleted, created_ms, updated_ms";

pub(super) fn get(context: &Context<'_>, mut input: Input) -> Answer {
    #[derive(Deserialize)]
    struct Get {
        experiment_id: Option<String>,
    }
    let asked: Get = input.read()?;
    let id = find::parse_id(&required(asked.experiment_id, "experiment_id")?)?;
    let experiment = find(context, "id = ?1", id)?.ok_or_else(|| find::none(id))?;
    Ok(Reply::json(&json!({ "experiment": experiment })))
}

pub(super) fn get_by_name(context: &Context<'_>, mut input: Input) -> Answer {
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
    let found = context
        .connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM mlflow_experiment WHERE {which}"))?
        .query_row([value], Experiment::read)
        .optional()?;
    found.map(|experiment| experiment.with_tags(context)).transpose()
}

impl Experiment {
    /// A row of [`COLUMNS`].
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let id: i64 = row.get(0)?;
        let location: Option<String> = row.get(2)?;
        Ok(Self {
            experiment_id: id.to_string(),
            name: row.get(1)?,
            artifact_location: location.unwrap_or_else(|| format!("mlflow-artifacts:/{id}")),
            lifecycle_stage: if row.get(3)? { "deleted" } else { "active" },
            creation_time: row.get(4)?,
            last_update_time: row.get(5)?,
            tags: Vec::new(),
            workspace: "default",
        })
    }

    pub(super) fn with_tags(mut self, context: &Context<'_>) -> Result<Self, ApiError> {
        self.tags = context
            .connection
            .prepare_cached("SELECT key, value FROM mlflow_experiment_tag WHERE experiment = ?1")?
            .query_map([&self.experiment_id], |row| {
                Ok(KeyValue { key: row.get(0)?, value: row.get(1)? })
            })?
            .collect::<Result<_, _>>()?;
        Ok(self)
    }
}
