//! Which model or version a call means.

use super::{
    super::{call::Context, error::ApiError},
    names,
};
use rusqlite::{OptionalExtension, params};

/// A version that is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct VersionKey {
    /// The key of its model.
    pub(super) model: i64,
    pub(super) version: i64,
}

/// The key of a registered model.
///
/// # Errors
///
/// When no model can have that name, and when none has.
pub(super) fn model(context: &Context<'_>, name: &str) -> Result<i64, ApiError> {
    names::model(name)?;
    context
        .connection
        .prepare_cached("SELECT key FROM mlflow_registered_model WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?
        .ok_or_else(|| ApiError::none(format!("Registered Model with name={name} not found")))
}

/// # Errors
///
/// When there is no such version.
pub(super) fn version(
    context: &Context<'_>,
    name: &str,
    version: &str,
) -> Result<VersionKey, ApiError> {
    names::model(name)?;
    let version = names::version(version)?;
    let model: Option<i64> = context
        .connection
        .prepare_cached(
            "SELECT m.key FROM mlflow_registered_model m
             JOIN mlflow_model_version v ON v.model = m.key
             WHERE m.name = ?1 AND v.version = ?2 AND v.stage IS NOT NULL",
        )?
        .query_row(params![name, version], |row| row.get(0))
        .optional()?;
    match model {
        Some(model) => Ok(VersionKey { model, version }),
        None => {
            Err(ApiError::none(format!("Model Version (name={name}, version={version}) not found")))
        }
    }
}

/// Notes that a model changed.
pub(super) fn touch(context: &Context<'_>, model: i64, now_ms: i64) -> Result<(), ApiError> {
    context
        .connection
        .prepare_cached("UPDATE mlflow_registered_model SET updated_ms = ?2 WHERE key = ?1")?
        .execute([model, now_ms])?;
    Ok(())
}

/// Whether the model is a prompt.
pub(super) fn is_prompt(context: &Context<'_>, model: i64) -> Result<bool, ApiError> {
    let value: Option<String> = context
        .connection
        .prepare_cached(
            "SELECT value FROM mlflow_registered_model_tag WHERE model = ?1 AND key = ?2",
        )?
        .query_row(params![model, names::IS_PROMPT], |row| row.get(0))
        .optional()?;
    Ok(value.is_some_and(|value| value.eq_ignore_ascii_case("true")))
}
