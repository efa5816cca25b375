//! The params of a run, which never change.

use super::{
    super::{call::Context, error::ApiError, experiments::KeyValue, validate},
    RunId, branch,
    subject::Subject,
    wire::Pair,
};
use rusqlite::params;
use std::{collections::HashSet, fmt::Write};

/// A param that has another value already.
pub(super) struct Conflict {
    key: String,
    old: String,
    new: String,
}

/// What a client sent as params, checked. `path` says where the one at an index stood.
///
/// # Errors
///
/// On a key that MLflow does not take, and on one that is missing.
pub(super) fn checked(
    sent: Vec<Pair>,
    path: impl Fn(usize) -> String,
) -> Result<Vec<(String, String)>, ApiError> {
    let mut params = Vec::with_capacity(sent.len());
    for (index, Pair { key, value }) in sent.into_iter().enumerate() {
        let key = key.filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| ApiError::missing(&path(index)))?;
        let mut value = value.unwrap_or_default();
        validate::param(&key, &mut value, || path(index))?;
        params.push((key, value));
    }
    Ok(params)
}

/// # Errors
///
/// When a key stands twice among `params`.
pub(super) fn unique(params: &[(String, String)]) -> Result<(), ApiError> {
    let mut seen = HashSet::with_capacity(params.len());
    let twice: Vec<_> =
        params.iter().map(|(key, _)| &**key).filter(|key| !seen.insert(*key)).collect();
    if twice.is_empty() {
        return Ok(());
    }
    Err(ApiError::invalid(format!(
        "Duplicate parameter keys have been submitted: ['{}']. Please ensure the request contains \
         only one param value per param key.",
        twice.join("', '")
    )))
}

/// Writes params that were [checked]; those that stand there with another value are given back.
pub(super) fn log(
    context: &Context<'_>,
    run: Subject,
    params: Vec<(String, String)>,
) -> Result<Vec<Conflict>, ApiError> {
    let connection = context.connection;
    let mut insert = connection.prepare_cached(
        "INSERT INTO mlflow_param (run, key, value) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    )?;
    let mut conflicts = Vec::new();
    for (key, new) in params {
        if run.is_branch
            && let Some(old) = branch::param(context, run.id, &key)?
        {
            if old != new {
                conflicts.push(Conflict { key, old, new });
            }
            continue;
        }
        if insert.execute(params![run.id, key, new])? == 0 {
            let old: String = connection
                .prepare_cached("SELECT value FROM mlflow_param WHERE run = ?1 AND key = ?2")?
                .query_row(params![run.id, key], |row| row.get(0))?;
            if old != new {
                conflicts.push(Conflict { key, old, new });
            }
        }
    }
    Ok(conflicts)
}

/// What MLflow says to a param that came alone.
pub(super) fn changed(run: Subject, Conflict { key, old, new }: &Conflict) -> ApiError {
    ApiError::invalid(format!(
        "Changing param values is not allowed. Param with key='{key}' was already logged with \
         value='{old}' for run ID='{}'. Attempted logging new value '{new}'.",
        run.id
    ))
}

/// What MLflow says to those that came in a batch.
pub(super) fn all_changed(run: Subject, conflicts: &[Conflict]) -> ApiError {
    let mut list = String::new();
    for Conflict { key, old, new } in conflicts {
        let comma = if list.is_empty() { "" } else { ", " };
        // Writing to a string does not fail.
        let _ =
            write!(list, "{comma}{{'key': '{key}', 'old_value': '{old}', 'new_value': '{new}'}}");
    }
    ApiError::invalid(format!(
        "Changing param values is not allowed. Params were already logged='[{list}]' for run \
         ID='{}'.",
        run.id
    ))
}

pub(super) fn of(context: &Context<'_>, run: RunId) -> Result<Vec<KeyValue>, ApiError> {
    let params = context
        .connection
        .prepare_cached("SELECT key, value FROM mlflow_param WHERE run = ?1")?
        .query_map([run], |row| Ok(KeyValue { key: row.get(0)?, value: row.get(1)? }))?
        .collect::<Result<_, _>>()?;
    Ok(params)
}
