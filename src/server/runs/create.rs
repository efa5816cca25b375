//! A new run.

use super::{
    super::{
        call::{Answer, Context, Work, now_ms},
        error::ApiError,
        experiments,
        input::{self, Input},
        reply::Reply,
    },
    RunId, tags,
    wire::{self, OneRun, Pair, Run, RunData, RunInfo, RunInputs, RunOutputs},
};
use rusqlite::params;
use serde::Deserialize;

/// The experiment of runs that name none.
const DEFAULT_EXPERIMENT: i64 = 0;

#[derive(Deserialize)]
struct Create {
    experiment_id: Option<String>,
    user_id: Option<String>,
    run_name: Option<String>,
    #[serde(default, deserialize_with = "input::int")]
    start_time: Option<i64>,
    #[serde(default)]
    tags: Vec<Pair>,
}

/// Without a name a run is called `run-` and the end of its id; without a start it starts now.
pub(super) fn create(mut input: Input) -> Result<Work, ApiError> {
    let asked: Create = input.read()?;
    let experiment = match asked.experiment_id.filter(|id| !id.is_empty()) {
        Some(id) => experiments::parse_id(&id)?,
        None => DEFAULT_EXPERIMENT,
    };
    let id = RunId::now();
    let mut pairs = Vec::with_capacity(asked.tags.len() + 1);
    for Pair { key, value } in asked.tags {
        pairs.push((input::required(key, "key")?, value.unwrap_or_default()));
    }
    let tagged = pairs.iter().rfind(|(key, _)| key == tags::RUN_NAME).map(|(_, name)| &**name);
    let tagged = tagged.filter(|name| !name.is_empty());
    let name = match (asked.run_name.filter(|name| !name.is_empty()), tagged) {
        (Some(name), Some(tagged)) if name != tagged => {
            return Err(ApiError::invalid(format!(
                "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with \
                 different values (run_name='{name}', mlflow.runName='{tagged}')."
            )));
        }
        (Some(name), _) => name,
        (None, Some(tagged)) => tagged.to_owned(),
        (None, None) => format!("run-{}", &id.to_string()[24..]),
    };
    if tagged.is_none() {
        pairs.retain(|(key, _)| key != tags::RUN_NAME);
        pairs.push((tags::RUN_NAME.to_owned(), name.clone()));
    }
    let info = RunInfo {
        run_uuid: id,
        experiment_id: experiment.to_string(),
        run_name: name,
        user_id: asked.user_id.unwrap_or_default(),
        status: "RUNNING".to_owned(),
        start_time: asked.start_time.unwrap_or_else(now_ms),
        end_time: None,
        artifact_uri: String::new(),
        lifecycle_stage: wire::lifecycle_stage(false),
        run_id: id,
    };
    Ok(Box::new(move |context| write(context, experiment, info, &pairs)))
}

/// What is not known of `info` yet is where its artifacts are.
fn write(
    context: &Context<'_>,
    experiment: i64,
    mut info: RunInfo,
    tags: &[(String, String)],
) -> Answer {
    let id = info.run_id;
    let experiment = experiments::active(context, experiment)?;
    info.artifact_uri = experiment.artifact_uri(id);
    context
        .connection
        .prepare_cached(
            "INSERT INTO mlflow_run (id, experiment, name, user_id, status, start_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            id,
            experiment.id,
            info.run_name,
            info.user_id,
            info.status,
            info.start_time
        ])?;
    for (key, value) in tags {
        tags::set(context, id, key, value)?;
    }
    let tags = tags::of(context, id)?;
    let run = Run {
        info,
        data: RunData { tags, ..RunData::default() },
        inputs: RunInputs::default(),
        outputs: RunOutputs::default(),
    };
    Ok(Reply::json(&OneRun { run }))
}
