//! The datasets and models that a run read, and the models that it made.

use super::{
    super::{
        call::{Answer, Context},
        error::ApiError,
        experiments::KeyValue,
        input::{self, Input, required},
        reply::Reply,
        validate,
    },
    RunId,
    subject::{Subject, find_to_change},
    wire::{Dataset, DatasetInput, ModelInput, ModelOutput, Pair, RunInputs, RunOutputs},
};
use rusqlite::{Row, params};
use serde::Deserialize;
use std::collections::HashSet;

/// The tag of an input that says what the dataset was for.
const CONTEXT: &str = "mlflow.data.context";
/// The longest texts of a dataset, in characters.
const MAX_NAME: usize = 500;
const MAX_DIGEST: usize = 36;
const MAX_SOURCE: usize = 65_535;
const MAX_SCHEMA: usize = 1_048_575;
const MAX_PROFILE: usize = 16_777_215;
/// The longest key and value of an input's tag.
const MAX_TAG_KEY: usize = 255;
const MAX_TAG_VALUE: usize = 500;

#[derive(Deserialize)]
struct SentInput {
    #[serde(default)]
    tags: Vec<Pair>,
    dataset: Option<SentDataset>,
}

#[derive(Deserialize)]
struct SentDataset {
    name: Option<String>,
    digest: Option<String>,
    source_type: Option<String>,
    source: Option<String>,
    schema: Option<String>,
    profile: Option<String>,
}

pub(super) fn log_inputs(context: &Context<'_>, mut input: Input) -> Answer {
    #[derive(Deserialize)]
    struct LogInputs {
        run_id: Option<String>,
        #[serde(default)]
        datasets: Vec<SentInput>,
        #[serde(default)]
        models: Vec<ModelInput>,
    }
    let asked: LogInputs = input.read()?;
    let run_id = required(asked.run_id, "run_id")?;
    validate::run_id(&run_id)?;
    let datasets: Vec<_> = asked.datasets.into_iter().map(checked).collect::<Result<_, _>>()?;
    let run = find_to_change(context, Some(run_id))?;
    let mut seen = HashSet::new();
    for (dataset, tags) in &datasets {
        // Of two with the same name and digest the first counts.
        if seen.insert((&dataset.name, &dataset.digest)) {
            log_dataset(context, run, dataset, tags)?;
        }
    }
    for model in &asked.models {
        log_model(context, run, false, &model.model_id, 0)?;
    }
    Ok(Reply::done())
}

pub(super) fn log_outputs(context: &Context<'_>, mut input: Input) -> Answer {
    #[derive(Deserialize)]
    struct SentModel {
        model_id: String,
        #[serde(default, deserialize_with = "input::int")]
        step: Option<i64>,
    }
    #[derive(Deserialize)]
    struct LogOutputs {
        run_id: Option<String>,
        models: Option<Vec<SentModel>>,
    }
    let asked: LogOutputs = input.read()?;
    let run_id = required(asked.run_id, "run_id")?;
    let models = asked.models.ok_or_else(|| ApiError::missing("models"))?;
    let run = find_to_change(context, Some(run_id))?;
    for model in &models {
        log_model(context, run, true, &model.model_id, model.step.unwrap_or(0))?;
    }
    Ok(Reply::done())
}

fn checked(sent: SentInput) -> Result<(Dataset, Vec<KeyValue>), ApiError> {
    let dataset = sent.dataset.ok_or_else(|| ApiError::invalid("Dataset cannot be None"))?;
    let dataset = Dataset {
        name: dataset.name.unwrap_or_default(),
        digest: dataset.digest.unwrap_or_default(),
        source_type: dataset.source_type.unwrap_or_default(),
        source: dataset.source.unwrap_or_default(),
        schema: dataset.schema.filter(|schema| !schema.is_empty()),
        profile: dataset.profile.filter(|profile| !profile.is_empty()),
    };
    validate::length("name", MAX_NAME, &dataset.name)?;
    validate::length("digest", MAX_DIGEST, &dataset.digest)?;
    validate::length("source", MAX_SOURCE, &dataset.source)?;
    validate::length("schema", MAX_SCHEMA, dataset.schema.as_deref().unwrap_or_default())?;
    validate::length("profile", MAX_PROFILE, dataset.profile.as_deref().unwrap_or_default())?;
    let mut tags = Vec::with_capacity(sent.tags.len());
    for Pair { key, value } in sent.tags {
        let (key, value) = (key.unwrap_or_default(), value.unwrap_or_default());
        validate::length("key", MAX_TAG_KEY, &key)?;
        validate::length("value", MAX_TAG_VALUE, &value)?;
        tags.push(KeyValue { key, value });
    }
    Ok((dataset, tags))
}

/// The dataset as the experiment knows it, if it does; so with what the run has it tagged.
fn log_dataset(
    context: &Context<'_>,
    run: Subject,
    dataset: &Dataset,
    tags: &[KeyValue],
) -> Result<(), ApiError> {
    let connection = context.connection;
    let Dataset { name, digest, source_type, source, schema, profile } = dataset;
    connection
        .prepare_cached(
            "INSERT INTO mlflow_dataset
             (experiment, name, digest, source_type, source, schema, profile)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
        )?
        .execute(params![run.experiment, name, digest, source_type, source, schema, profile])?;
    let key: i64 = connection
        .prepare_cached(
            "SELECT key FROM mlflow_dataset WHERE experiment = ?1 AND name = ?2 AND digest = ?3",
        )?
        .query_row(params![run.experiment, name, digest], |row| row.get(0))?;
    let purpose = tags.iter().find(|tag| tag.key == CONTEXT).map(|tag| &tag.value);
    // Strings alone are always written.
    let tags = serde_json::to_string(tags).unwrap_or_default();
    connection
        .prepare_cached(
            "INSERT INTO mlflow_input (run, dataset, context, tags) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![run.id, key, purpose, tags])?;
    Ok(())
}

fn log_model(
    context: &Context<'_>,
    run: Subject,
    output: bool,
    model_id: &str,
    step: i64,
) -> Result<(), ApiError> {
    context
        .connection
        .prepare_cached(
            "INSERT INTO mlflow_run_model (run, output, model_id, step) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![run.id, output, model_id, step])?;
    Ok(())
}

/// What the run read.
pub(super) fn of(context: &Context<'_>, run: RunId) -> Result<RunInputs, ApiError> {
    let dataset_inputs = context
        .connection
        .prepare_cached(
            "SELECT i.tags, d.name, d.digest, d.source_type, d.source, d.schema, d.profile
             FROM mlflow_input i JOIN mlflow_dataset d ON d.key = i.dataset WHERE i.run = ?1",
        )?
        .query_map([run], read_input)?
        .collect::<Result<_, _>>()?;
    let model_inputs = context
        .connection
        .prepare_cached("SELECT model_id FROM mlflow_run_model WHERE run = ?1 AND output = 0")?
        .query_map([run], |row| Ok(ModelInput { model_id: row.get(0)? }))?
        .collect::<Result<_, _>>()?;
    Ok(RunInputs { dataset_inputs, model_inputs })
}

fn read_input(row: &Row<'_>) -> rusqlite::Result<DatasetInput> {
    let tags: String = row.get(0)?;
    Ok(DatasetInput {
        tags: serde_json::from_str(&tags).unwrap_or_default(),
        dataset: Dataset {
            name: row.get(1)?,
            digest: row.get(2)?,
            source_type: row.get(3)?,
            source: row.get(4)?,
            schema: row.get(5)?,
            profile: row.get(6)?,
        },
    })
}

/// What the run made.
pub(super) fn outputs_of(context: &Context<'_>, run: RunId) -> Result<RunOutputs, ApiError> {
    let model_outputs = context
        .connection
        .prepare_cached(
            "SELECT model_id, step FROM mlflow_run_model WHERE run = ?1 AND output = 1",
        )?
        .query_map([run], |row| Ok(ModelOutput { model_id: row.get(0)?, step: row.get(1)? }))?
        .collect::<Result<_, _>>()?;
    Ok(RunOutputs { model_outputs })
}
