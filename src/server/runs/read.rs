//! A run as it is answered.

use super::{
    super::{
        call::{Answer, Context},
        error::ApiError,
        experiments::Place,
        input::Input,
        reply::Reply,
    },
    RunId, branch, inputs, log, metrics, params,
    subject::{self, Subject},
    tags,
    wire::{self, OneRun, Run, RunData, RunInfo},
};
use rusqlite::OptionalExtension;

pub(super) fn get(context: &Context<'_>, mut input: Input) -> Answer {
    let named: log::Named = input.read()?;
    let run = subject::find(context, named.id())?;
    Ok(Reply::json(&OneRun { run: any(context, run.id, run.is_branch)? }))
}

/// A run, be it a client's or a branch, with all that belongs to it.
pub(super) fn any(context: &Context<'_>, id: RunId, is_branch: bool) -> Result<Run, ApiError> {
    if !is_branch {
        return whole(context, id);
    }
    branch::whole(context, &branch::find(context, id)?.ok_or_else(|| none(id))?)
}

/// A client's run with all that belongs to it.
///
/// # Errors
///
/// When there is none.
pub(super) fn whole(context: &Context<'_>, id: RunId) -> Result<Run, ApiError> {
    Ok(Run {
        info: own_info(context, id)?,
        data: RunData {
            metrics: metrics::of(context, id)?,
            params: params::of(context, id)?,
            tags: tags::of(context, id)?,
        },
        inputs: inputs::of(context, id)?,
        outputs: inputs::outputs_of(context, id)?,
    })
}

/// # Errors
///
/// When there is none.
pub(super) fn info(context: &Context<'_>, run: Subject) -> Result<RunInfo, ApiError> {
    if run.is_branch {
        let row = branch::find(context, run.id)?.ok_or_else(|| none(run.id))?;
        return branch::info(context, &row);
    }
    own_info(context, run.id)
}

fn own_info(context: &Context<'_>, id: RunId) -> Result<RunInfo, ApiError> {
    context
        .connection
        .prepare_cached(
            // (SQLite would plan a join of the two anew each time.)
            "SELECT experiment,
                 (SELECT artifact_location FROM mlflow_experiment WHERE id = r.experiment),
                 name, user_id, status, start_ms, end_ms, deleted_ms IS NOT NULL
             FROM mlflow_run r WHERE id = ?1",
        )?
        .query_row([id], |row| {
            let place = Place { id: row.get(0)?, artifact_location: row.get(1)? };
            Ok(RunInfo {
                run_uuid: id,
                experiment_id: place.id.to_string(),
                run_name: row.get(2)?,
                user_id: row.get(3)?,
                status: row.get(4)?,
                start_time: row.get(5)?,
                end_time: row.get(6)?,
                artifact_uri: place.artifact_uri(id),
                lifecycle_stage: wire::lifecycle_stage(row.get(7)?),
                run_id: id,
            })
        })
        .optional()?
        .ok_or_else(|| none(id))
}

fn none(id: RunId) -> ApiError {
    ApiError::none(format!("Run with id={id} not found"))
}
