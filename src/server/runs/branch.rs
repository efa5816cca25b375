//! A branch as a run: a view of its record, with what clients laid over it.

use super::{
    super::{call::Context, error::ApiError, experiments::KeyValue},
    RunId, inputs, metrics, params, tags,
    wire::{self, MetricValue, Run, RunData, RunInfo},
};
use crate::{
    as_run::{self, Params, Recorded, millis},
    store::{self, BranchRow},
};
use rusqlite::OptionalExtension;
use std::collections::BTreeMap;

/// What clients changed in a branch.
#[derive(Default)]
struct Change {
    name: Option<String>,
    status: Option<String>,
    end_ms: Option<i64>,
    deleted: bool,
}

/// The record of a branch; `None` where no branch has that id.
pub(super) fn find(context: &Context<'_>, id: RunId) -> Result<Option<BranchRow>, ApiError> {
    Ok(store::branch(context.connection, context.codes, id.as_branch())?)
}

/// The run that a branch is.
pub(super) fn whole(context: &Context<'_>, row: &BranchRow) -> Result<Run, ApiError> {
    let id = RunId::of_branch(row.id);
    let branch = Recorded::from(row);
    let info = info(context, row)?;
    let mut all_tags: BTreeMap<String, String> = as_run::tags(&branch)
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.into_owned()))
        .collect();
    let left_out = Params::of(branch.config);
    if left_out.left_out > 0 {
        let number = left_out.left_out.to_string();
        all_tags.insert("spearmint.params_left_out".to_owned(), number);
    }
    all_tags.insert(tags::RUN_NAME.to_owned(), info.run_name.clone());
    lay_over(&mut all_tags, tags::of(context, id)?);
    let mut all_params: BTreeMap<String, String> = left_out.list.into_iter().collect();
    lay_over(&mut all_params, params::of(context, id)?);
    let mut all_metrics: BTreeMap<String, MetricValue> = BTreeMap::new();
    for metric in recorded_metrics(&branch) {
        all_metrics.insert(metric.key.clone(), metric);
    }
    for metric in metrics::of(context, id)? {
        all_metrics.insert(metric.key.clone(), metric);
    }
    let pairs = |map: BTreeMap<String, String>| {
        map.into_iter().map(|(key, value)| KeyValue { key, value }).collect()
    };
    Ok(Run {
        info,
        data: RunData {
            metrics: all_metrics.into_values().collect(),
            params: pairs(all_params),
            tags: pairs(all_tags),
        },
        inputs: inputs::of(context, id)?,
        outputs: inputs::outputs_of(context, id)?,
    })
}

fn recorded_metrics(branch: &Recorded<'_>) -> impl Iterator<Item = MetricValue> + use<> {
    let timestamp = millis(branch.end_ns).cast_signed();
    as_run::metrics(branch).into_iter().map(move |(key, value)| MetricValue {
        key: key.into_owned(),
        value,
        timestamp,
        step: 0,
        run_id: None,
    })
}

/// A metric of the record of a branch, if it is one and has it.
pub(super) fn metric(
    context: &Context<'_>,
    id: RunId,
    key: &str,
) -> Result<Option<MetricValue>, ApiError> {
    let Some(row) = find(context, id)? else { return Ok(None) };
    Ok(recorded_metrics(&Recorded::from(&row)).find(|metric| metric.key == key))
}

fn lay_over(record: &mut BTreeMap<String, String>, changes: Vec<KeyValue>) {
    record.extend(changes.into_iter().map(|KeyValue { key, value }| (key, value)));
}

pub(super) fn info(context: &Context<'_>, row: &BranchRow) -> Result<RunInfo, ApiError> {
    let id = RunId::of_branch(row.id);
    let branch = Recorded::from(row);
    let place = place(context, row)?;
    let change = change(context, id)?;
    Ok(RunInfo {
        run_uuid: id,
        experiment_id: place.id.to_string(),
        run_name: change.name.unwrap_or_else(|| as_run::run_name(&branch)),
        user_id: String::new(),
        status: change.status.unwrap_or_else(|| as_run::status(branch.status).to_owned()),
        start_time: millis(branch.start_ns).cast_signed(),
        end_time: Some(change.end_ms.unwrap_or_else(|| millis(branch.end_ns).cast_signed())),
        artifact_uri: place.artifact_uri(id),
        lifecycle_stage: wire::lifecycle_stage(change.deleted),
        run_id: id,
    })
}

/// The experiment of a branch, as MLflow has it.
fn place(
    context: &Context<'_>,
    row: &BranchRow,
) -> Result<super::super::experiments::Place, ApiError> {
    let found = context
        .connection
        .prepare_cached("SELECT id, artifact_location FROM mlflow_experiment WHERE branches = ?1")?
        .query_row([&*row.experiment], |row| {
            Ok(super::super::experiments::Place { id: row.get(0)?, artifact_location: row.get(1)? })
        })?;
    Ok(found)
}

fn change(context: &Context<'_>, id: RunId) -> Result<Change, ApiError> {
    let change = context
        .connection
        .prepare_cached(
            "SELECT name, status, end_ms, deleted_ms IS NOT NULL FROM mlflow_branch_change
             WHERE id = ?1",
        )?
        .query_row([id], |row| {
            Ok(Change {
                name: row.get(0)?,
                status: row.get(1)?,
                end_ms: row.get(2)?,
                deleted: row.get(3)?,
            })
        })
        .optional()?;
    Ok(change.unwrap_or_default())
}

/// Whether the record of a branch has that tag: it can be overwritten, but not taken away.
pub(super) fn has_tag(context: &Context<'_>, id: RunId, key: &str) -> Result<bool, ApiError> {
    let Some(row) = find(context, id)? else { return Ok(false) };
    Ok(key == tags::RUN_NAME
        || as_run::tags(&Recorded::from(&row)).iter().any(|(known, _)| *known == key))
}

/// The value of a param in the record of a branch: params never change.
pub(super) fn param(
    context: &Context<'_>,
    id: RunId,
    key: &str,
) -> Result<Option<String>, ApiError> {
    let Some(row) = find(context, id)? else { return Ok(None) };
    let mut params = Params::of(&row.config).list.into_iter();
    Ok(params.find(|(known, _)| known == key).map(|(_, value)| value))
}

/// Notes that a client changed a branch, or logged to it.
pub(super) fn mark_changed(context: &Context<'_>, id: RunId) -> Result<(), ApiError> {
    context
        .connection
        .prepare_cached("INSERT INTO mlflow_branch_change (id) VALUES (?1) ON CONFLICT DO NOTHING")?
        .execute([id])?;
    Ok(())
}

/// Changes a branch: what is `None` stays.
pub(super) fn update(
    context: &Context<'_>,
    id: RunId,
    status: Option<&str>,
    end_ms: Option<i64>,
    name: Option<&str>,
) -> Result<(), ApiError> {
    context
        .connection
        .prepare_cached(
            "INSERT INTO mlflow_branch_change (id, status, end_ms, name) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET status = coalesce(excluded.status, status),
                 end_ms = coalesce(excluded.end_ms, end_ms),
                 name = coalesce(excluded.name, name)",
        )?
        .execute(rusqlite::params![id, status, end_ms, name])?;
    Ok(())
}

pub(super) fn set_deleted(
    context: &Context<'_>,
    id: RunId,
    deleted_ms: Option<i64>,
) -> Result<(), ApiError> {
    context
        .connection
        .prepare_cached(
            "INSERT INTO mlflow_branch_change (id, deleted_ms) VALUES (?1, ?2)
             ON CONFLICT DO UPDATE SET deleted_ms = excluded.deleted_ms",
        )?
        .execute(rusqlite::params![id, deleted_ms])?;
    Ok(())
}
