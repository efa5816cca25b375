//! What traces are linked to: runs, and versions of prompts.

use super::{
    super::{
        call::{Answer, Context},
        error::ApiError,
        input::{self, Input, required},
        reply::Reply,
        runs,
    },
    read,
};
use rusqlite::params;
use serde::Deserialize;

pub(super) const RUN: &str = "run";
pub(super) const PROMPT: &str = "prompt";
/// The most traces of a call.
const MAX_TRACES: usize = 100;

pub(super) fn to_run(context: &Context<'_>, mut input: Input) -> Answer {
    #[derive(Deserialize)]
    struct Link {
        #[serde(default, deserialize_with = "input::list")]
        trace_ids: Vec<String>,
        run_id: Option<String>,
    }
    let asked: Link = input.read()?;
    if asked.trace_ids.is_empty() {
        return Err(ApiError::missing("trace_ids"));
    }
    let run = required(asked.run_id, "run_id")?;
    if asked.trace_ids.len() > MAX_TRACES {
        return Err(ApiError::invalid(format!(
            "Cannot link more than {MAX_TRACES} traces to a run in a single request. Provided {} \
             traces.",
            asked.trace_ids.len()
        )));
    }
    // It has to be there.
    runs::artifact_uri(context, &run)?;
    for trace in &asked.trace_ids {
        // Traces that are not there are passed over, as by MLflow.
        if read::exists(context, trace)? {
            add(context, trace, RUN, &run)?;
        }
    }
    Ok(Reply::done())
}

pub(super) fn prompts(context: &Context<'_>, mut input: Input) -> Answer {
    #[derive(Deserialize)]
    struct Link {
        trace_id: Option<String>,
        #[serde(default)]
        prompt_versions: Vec<Version>,
    }
    #[derive(Deserialize)]
    struct Version {
        name: Option<String>,
        version: Option<String>,
    }
    let asked: Link = input.read()?;
    let trace = required(asked.trace_id, "trace_id")?;
    if !read::exists(context, &trace)? {
        return Err(read::not_found(&trace));
    }
    for Version { name, version } in asked.prompt_versions {
        let (name, version) = (required(name, "name")?, required(version, "version")?);
        add(context, &trace, PROMPT, &format!("{name}/{version}"))?;
    }
    Ok(Reply::done())
}

pub(super) fn add(
    context: &Context<'_>,
    trace: &str,
    kind: &str,
    target: &str,
) -> Result<(), ApiError> {
    context
        .connection
        .prepare_cached(
            "INSERT OR IGNORE INTO mlflow_trace_link (trace, kind, target) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![trace, kind, target])?;
    Ok(())
}
