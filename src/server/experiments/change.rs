//! How an experiment is named, tagged, and goes.

use super::{
    super::{
        call::{Answer, Context, now_ms},
        error::{ApiError, ErrorCode},
        input::{Input, required},
        reply::Reply,
        runs, validate,
    },
    create::MAX_NAME,
    find::{active, any, none, parse_id},
};
use rusqlite::{OptionalExtension, params};
use serde::Deserialize;

/// The longest value of an experiment's tag, in characters.
const MAX_TAG_VALUE: usize = 20_000;

#[derive(Deserialize)]
struct ById {
    experiment_id: Option<String>,
}

impl ById {
    fn id(self) -> Result<i64, ApiError> {
        parse_id(&required(self.experiment_id, "experiment_id")?)
    }
}

pub(super) fn rename(context: &Context<'_>, mut input: Input) -> Answer {
    #[derive(Deserialize)]
    struct Update {
        experiment_id: Option<String>,
        new_name: Option<String>,
    }
    let Update { experiment_id, new_name } = input.read()?;
    let id = required(experiment_id, "experiment_id")?;
    let name = required(new_name, "new_name")?;
    validate::length("name", MAX_NAME, &name)?;
    let (place, deleted) = any(context, parse_id(&id)?)?;
    if deleted {
        return Err(ApiError::new(
            ErrorCode::InvalidState,
            "Cannot rename a non-active experiment.",
        ));
    }
    let taken: Option<i64> = context
        .connection
        .prepare_cached("SELECT id FROM mlflow_experiment WHERE name = ?1 AND id <> ?2")?
        .query_row(params![name, place.id], |row| row.get(0))
        .optional()?;
    if taken.is_some() {
        return Err(ApiError::new(
            ErrorCode::BadRequest,
            format!("Experiment(name={name}) already exists."),
        ));
    }
    context
        .connection
        .prepare_cached("UPDATE mlflow_experiment SET name = ?2, updated_ms = ?3 WHERE id = ?1")?
        .execute(params![place.id, name, now_ms()])?;
    Ok(Reply::done())
}

pub(super) fn delete(context: &Context<'_>, input: Input) -> Answer {
    set_deleted(context, input, true)
}

pub(super) fn restore(context: &Context<'_>, input: Input) -> Answer {
    set_deleted(context, input, false)
}

/// Its runs go and come with it.
fn set_deleted(context: &Context<'_>, mut input: Input, deleted: bool) -> Answer {
    let id = input.read::<ById>()?.id()?;
    let changed = context
        .connection
        .prepare_cached(
            "UPDATE mlflow_experiment SET deleted = ?2, updated_ms = ?3
             WHERE id = ?1 AND deleted <> ?2",
        )?
        .execute(params![id, deleted, now_ms()])?;
    if changed == 0 {
        return Err(none(id));
    }
    runs::set_all_deleted(context, id, deleted.then(now_ms))?;
    Ok(Reply::done())
}

pub(super) fn set_tag(context: &Context<'_>, mut input: Input) -> Answer {
    #[derive(Deserialize)]
    struct SetTag {
        experiment_id: Option<String>,
        key: Option<String>,
        value: Option<String>,
    }
    let SetTag { experiment_id, key, value } = input.read()?;
    let id = required(experiment_id, "experiment_id")?;
    let (key, value) = (required(key, "key")?, value.unwrap_or_default());
    check_tag(&key, &value)?;
    let place = active(context, parse_id(&id)?)?;
    write_tag(context, place.id, &key, &value)?;
    Ok(Reply::done())
}

pub(super) fn check_tag(key: &str, value: &str) -> Result<(), ApiError> {
    validate::key(key, || "key".to_owned())?;
    validate::length("key", validate::MAX_KEY, key)?;
    validate::length("value", MAX_TAG_VALUE, value)
}

pub(super) fn write_tag(
    context: &Context<'_>,
    id: i64,
    key: &str,
    value: &str,
) -> Result<(), ApiError> {
    context
        .connection
        .prepare_cached("INSERT OR REPLACE INTO mlflow_experiment_tag VALUES (?1, ?2, ?3)")?
        .execute(params![id, key, value])?;
    Ok(())
}

pub(super) fn delete_tag(context: &Context<'_>, mut input: Input) -> Answer {
    #[derive(Deserialize)]
    struct DeleteTag {
        experiment_id: Option<String>,
        key: Option<String>,
    }
    let DeleteTag { experiment_id, key } = input.read()?;
    let id = required(experiment_id, "experiment_id")?;
    let key = required(key, "key")?;
    let place = active(context, parse_id(&id)?)?;
    let deleted = context
        .connection
        .prepare_cached("DELETE FROM mlflow_experiment_tag WHERE experiment = ?1 AND key = ?2")?
        .execute(params![place.id, key])?;
    if deleted == 0 {
        return Err(ApiError::none(format!("No tag with name: {key} in experiment with id {id}")));
    }
    Ok(Reply::done())
}
