//! Names that a model's user gives to versions.

use super::{
    super::{
        call::{Answer, Context},
        error::ApiError,
        input::{Input, required},
        reply::Reply,
    },
    find::{self, VersionKey},
    names, stages, versions,
};
use rusqlite::{OptionalExtension, params};
use serde::Deserialize;

#[derive(Deserialize)]
struct Named {
    name: Option<String>,
    alias: Option<String>,
    version: Option<String>,
}

/// One that means another version means this one from then on.
pub(super) fn set(context: &Context<'_>, mut input: Input) -> Answer {
    let Named { name, alias, version } = input.read()?;
    let (name, alias) = (required(name, "name")?, required(alias, "alias")?);
    let version = required(version, "version")?;
    names::model(&name)?;
    names::new_alias(&alias)?;
    let VersionKey { model, version } = find::version(context, &name, &version)?;
    context
        .connection
        .prepare_cached("INSERT OR REPLACE INTO mlflow_registered_model_alias VALUES (?1, ?2, ?3)")?
        .execute(params![model, alias, version])?;
    Ok(Reply::done())
}

/// One that is not there is deleted already.
pub(super) fn delete(context: &Context<'_>, mut input: Input) -> Answer {
    let Named { name, alias, .. } = input.read()?;
    let (name, alias) = (required(name, "name")?, required(alias, "alias")?);
    names::model(&name)?;
    names::alias(&alias)?;
    let model = find::model(context, &name)?;
    context
        .connection
        .prepare_cached(
            "DELETE FROM mlflow_registered_model_alias WHERE model = ?1 AND alias = ?2",
        )?
        .execute(params![model, alias])?;
    Ok(Reply::done())
}

pub(super) fn get(context: &Context<'_>, mut input: Input) -> Answer {
    let Named { name, alias, .. } = input.read()?;
    let (name, alias) = (required(name, "name")?, required(alias, "alias")?);
    let key = version(context, &name, &alias)?;
    versions::answer(context, key)
}

/// The version that an alias means.
///
/// # Errors
///
/// When there is no such model, and when it has no such alias.
pub(super) fn version(
    context: &Context<'_>,
    name: &str,
    alias: &str,
) -> Result<VersionKey, ApiError> {
    names::model(name)?;
    names::alias(alias)?;
    let model = find::model(context, name)?;
    if names::is_latest(alias) {
        let version = stages::highest(context, model, &stages::ALL)?;
        return version
            .ok_or_else(|| ApiError::none(format!("Latest version not found for model {name}.")));
    }
    let version = context
        .connection
        .prepare_cached(
            "SELECT version FROM mlflow_registered_model_alias WHERE model = ?1 AND alias = ?2",
        )?
        .query_row(params![model, alias], |row| row.get(0))
        .optional()?;
    match version {
        Some(version) => Ok(VersionKey { model, version }),
        None => Err(ApiError::invalid(format!("Registered model alias {alias} not found."))),
    }
}
