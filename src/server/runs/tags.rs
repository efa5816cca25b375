//! The tags of a run.

use super::{
    super::{call::Context, error::ApiError, experiments::KeyValue, validate},
    RunId, branch,
    subject::Subject,
    wire::Pair,
};
use rusqlite::params;

/// The tag that is the name of a run as well.
pub(super) const RUN_NAME: &str = "mlflow.runName";

/// Sets a tag as it is.
pub(super) fn set(
    context: &Context<'_>,
    run: RunId,
    key: &str,
    value: &str,
) -> Result<(), ApiError> {
    context
        .connection
        .prepare_cached("INSERT OR REPLACE INTO mlflow_tag (run, key, value) VALUES (?1, ?2, ?3)")?
        .execute(params![run, key, value])?;
    Ok(())
}

/// What a client sent as tags, checked. `path` says where the one at an index stood.
///
/// # Errors
///
/// On a key that MLflow does not take, and on one that is missing.
pub(super) fn checked(
    sent: Vec<Pair>,
    path: impl Fn(usize) -> String,
) -> Result<Vec<(String, String)>, ApiError> {
    let mut tags = Vec::with_capacity(sent.len());
    for (index, Pair { key, value }) in sent.into_iter().enumerate() {
        let key = key.filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| ApiError::missing(&path(index)))?;
        let mut value = value.unwrap_or_default();
        validate::tag(&key, &mut value, || path(index))?;
        tags.push((key, value));
    }
    Ok(tags)
}

/// Sets tags that were [checked]; the one for the name renames the run.
pub(super) fn log(
    context: &Context<'_>,
    run: Subject,
    tags: &[(String, String)],
) -> Result<(), ApiError> {
    for (key, value) in tags {
        if key == RUN_NAME {
            rename(context, run, value)?;
        } else {
            set(context, run.id, key, value)?;
        }
    }
    Ok(())
}

/// Names a run, in its row and in its tag. An empty name changes nothing.
pub(super) fn rename(context: &Context<'_>, run: Subject, name: &str) -> Result<(), ApiError> {
    if name.is_empty() {
        return Ok(());
    }
    if run.is_branch {
        branch::update(context, run.id, None, None, Some(name))?;
    } else {
        context
            .connection
            .prepare_cached("UPDATE mlflow_run SET name = ?2 WHERE id = ?1")?
            .execute(params![run.id, name])?;
    }
    set(context, run.id, RUN_NAME, name)
}

/// # Errors
///
/// When the run has no such tag, or it is one of a branch's record.
pub(super) fn delete(context: &Context<'_>, run: Subject, key: &str) -> Result<(), ApiError> {
    let deleted = context
        .connection
        .prepare_cached("DELETE FROM mlflow_tag WHERE run = ?1 AND key = ?2")?
        .execute(params![run.id, key])?;
    if deleted == 0 && run.is_branch && branch::has_tag(context, run.id, key)? {
        return Err(ApiError::invalid(format!(
            "The tag {key} is part of the record of the branch {}: it can be set to something \
             else, but not deleted",
            run.id
        )));
    }
    if deleted == 0 {
        return Err(ApiError::none(format!("No tag with name: {key} in run with id {}", run.id)));
    }
    Ok(())
}

pub(super) fn of(context: &Context<'_>, run: RunId) -> Result<Vec<KeyValue>, ApiError> {
    let tags = context
        .connection
        .prepare_cached("SELECT key, value FROM mlflow_tag WHERE run = ?1")?
        .query_map([run], |row| Ok(KeyValue { key: row.get(0)?, value: row.get(1)? }))?
        .collect::<Result<_, _>>()?;
    Ok(tags)
}
