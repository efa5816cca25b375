//! Tags of models and of versions.

use super::{
    super::{
        call::{Answer, Context},
        error::ApiError,
        input::{Input, required},
        reply::Reply,
        runs::Pair,
        validate,
    },
    find::{self, VersionKey},
    names,
};
use rusqlite::params;
use serde::Deserialize;

#[derive(Deserialize)]
struct Tag {
    name: Option<String>,
    version: Option<String>,
    key: Option<String>,
    value: Option<String>,
}

pub(super) fn set_of_model(context: &Context<'_>, mut input: Input) -> Answer {
    let Tag { name, key, value, .. } = input.read()?;
    let (name, key) = (required(name, "name")?, required(key, "key")?);
    let value = value.unwrap_or_default();
    names::tag(&key, &value)?;
    set_model_tag(context, find::model(context, &name)?, &key, &value)?;
    Ok(Reply::done())
}

/// One that is not there is deleted already.
pub(super) fn delete_of_model(context: &Context<'_>, mut input: Input) -> Answer {
    let Tag { name, key, .. } = input.read()?;
    let (name, key) = (required(name, "name")?, required(key, "key")?);
    validate::key(&key, || "key".to_owned())?;
    let model = find::model(context, &name)?;
    context
        .connection
        .prepare_cached("DELETE FROM mlflow_registered_model_tag WHERE model = ?1 AND key = ?2")?
        .execute(params![model, key])?;
    Ok(Reply::done())
}

pub(super) fn set_of_version(context: &Context<'_>, mut input: Input) -> Answer {
    let Tag { name, version, key, value } = input.read()?;
    let (name, version) = (required(name, "name")?, required(version, "version")?);
    let (key, value) = (required(key, "key")?, value.unwrap_or_default());
    names::tag(&key, &value)?;
    set_version_tag(context, find::version(context, &name, &version)?, &key, &value)?;
    Ok(Reply::done())
}

/// One that is not there is deleted already.
pub(super) fn delete_of_version(context: &Context<'_>, mut input: Input) -> Answer {
    let Tag { name, version, key, .. } = input.read()?;
    let (name, version) = (required(name, "name")?, required(version, "version")?);
    let key = required(key, "key")?;
    validate::key(&key, || "key".to_owned())?;
    let VersionKey { model, version } = find::version(context, &name, &version)?;
    context
        .connection
        .prepare_cached(
            "DELETE FROM mlflow_model_version_tag WHERE model = ?1 AND version = ?2 AND key = ?3",
        )?
        .execute(params![model, version, key])?;
    Ok(Reply::done())
}

/// The tags of something new.
///
/// # Errors
///
/// On a key or a value that MLflow does not take.
pub(super) fn checked(sent: Vec<Pair>) -> Result<Vec<(String, String)>, ApiError> {
    let mut tags = Vec::with_capacity(sent.len());
    for Pair { key, value } in sent {
        let (key, value) = (key.unwrap_or_default(), value.unwrap_or_default());
        names::tag(&key, &value)?;
        tags.push((key, value));
    }
    Ok(tags)
}

/// Whether tags make of what they are on a prompt. Of two with the same key the last counts.
pub(super) fn say_prompt(tags: &[(String, String)]) -> bool {
    let tag = tags.iter().rfind(|(key, _)| key == names::IS_PROMPT);
    tag.is_some_and(|(_, value)| value.eq_ignore_ascii_case("true"))
}

pub(super) fn set_model_tag(
    context: &Context<'_>,
    model: i64,
    key: &str,
    value: &str,
) -> Result<(), ApiError> {
    context
        .connection
        .prepare_cached("INSERT OR REPLACE INTO mlflow_registered_model_tag VALUES (?1, ?2, ?3)")?
        .execute(params![model, key, value])?;
    Ok(())
}

pub(super) fn set_version_tag(
    context: &Context<'_>,
    of: VersionKey,
    key: &str,
    value: &str,
) -> Result<(), ApiError> {
    context
        .connection
        .prepare_cached("INSERT OR REPLACE INTO mlflow_model_version_tag VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![of.model, of.version, key, value])?;
    Ok(())
}
