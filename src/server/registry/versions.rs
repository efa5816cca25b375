//! Versions of models.

use super::{
    super::{
        call::{Answer, Context, now_ms},
        error::ApiError,
        input::{Input, required},
        reply::Reply,
    },
    find::{self, VersionKey},
    wire::ModelVersion,
};
use rusqlite::params;
use serde::Deserialize;
use serde_json::json;

/// The version that a call names.
#[derive(Deserialize)]
pub(super) struct Named {
    name: Option<String>,
    version: Option<String>,
}

impl Named {
    pub(super) fn find(self, context: &Context<'_>) -> Result<VersionKey, ApiError> {
        let name = required(self.name, "name")?;
        find::version(context, &name, &required(self.version, "version")?)
    }
}

pub(super) fn get(context: &Context<'_>, mut input: Input) -> Answer {
    let key = input.read::<Named>()?.find(context)?;
    answer(context, key)
}

/// Without a description it has none from then on.
pub(super) fn update(context: &Context<'_>, mut input: Input) -> Answer {
    #[derive(Deserialize)]
    struct Update {
        name: Option<String>,
        version: Option<String>,
        description: Option<String>,
    }
    let Update { name, version, description } = input.read()?;
    let key = Named { name, version }.find(context)?;
    context
        .connection
        .prepare_cached(
            "UPDATE mlflow_model_version SET description = ?3, updated_ms = ?4
             WHERE model = ?1 AND version = ?2",
        )?
        .execute(params![key.model, key.version, description, now_ms()])?;
    answer(context, key)
}

/// The row stays, emptied, so that the number is not given again.
pub(super) fn delete(context: &Context<'_>, mut input: Input) -> Answer {
    let VersionKey { model, version } = input.read::<Named>()?.find(context)?;
    let now = now_ms();
    context
        .connection
        .prepare_cached(
            "UPDATE mlflow_model_version SET stage = NULL, description = NULL, source = '',
                 location = '', run_id = '', run_link = '', updated_ms = ?3
             WHERE model = ?1 AND version = ?2",
        )?
        .execute([model, version, now])?;
    for sql in [
        "DELETE FROM mlflow_registered_model_alias WHERE model = ?1 AND version = ?2",
        "DELETE FROM mlflow_model_version_tag WHERE model = ?1 AND version = ?2",
    ] {
        context.connection.prepare_cached(sql)?.execute([model, version])?;
    }
    find::touch(context, model, now)?;
    Ok(Reply::done())
}

pub(super) fn download_uri(context: &Context<'_>, mut input: Input) -> Answer {
    let key = input.read::<Named>()?.find(context)?;
    Ok(Reply::json(&json!({ "artifact_uri": location(context, key)? })))
}

/// Where the artifacts of the version with these names are.
///
/// # Errors
///
/// When there is no such version.
pub(in crate::server) fn location_of(
    context: &Context<'_>,
    name: &str,
    version: &str,
) -> Result<String, ApiError> {
    location(context, find::version(context, name, version)?)
}

/// Where the artifacts of a version are.
pub(super) fn location(context: &Context<'_>, key: VersionKey) -> Result<String, ApiError> {
    let location = context
        .connection
        .prepare_cached(
            "SELECT location FROM mlflow_model_version WHERE model = ?1 AND version = ?2",
        )?
        .query_row([key.model, key.version], |row| row.get(0))?;
    Ok(location)
}

pub(super) fn answer(context: &Context<'_>, key: VersionKey) -> Answer {
    let version = ModelVersion::find(context, key)?;
    Ok(Reply::json(&json!({ "model_version": version })))
}
