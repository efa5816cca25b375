//! A new version.

use super::{
    super::{
        call::{Answer, Context, now_ms},
        error::ApiError,
        input::{Input, required},
        logged_models,
        runs::Pair,
    },
    find::{self, VersionKey},
    names,
    source::Source,
    stages, tags, versions,
};
use rusqlite::params;
use serde::Deserialize;

#[derive(Deserialize)]
struct Create {
    name: Option<String>,
    source: Option<String>,
    run_id: Option<String>,
    #[serde(default)]
    tags: Vec<Pair>,
    run_link: Option<String>,
    description: Option<String>,
    model_id: Option<String>,
}

pub(super) fn create(context: &Context<'_>, mut input: Input) -> Answer {
    let asked: Create = input.read()?;
    let name = required(asked.name, "name")?;
    let uri = required(asked.source, "source")?;
    names::model(&name)?;
    let tags = tags::checked(asked.tags)?;
    let source = Source { uri, run_id: asked.run_id, model_id: asked.model_id };
    let source = source.resolve(context, tags::say_prompt(&tags))?;
    let model = find::model(context, &name)?;
    let now = now_ms();
    let key = VersionKey { model, version: next(context, model)? };
    context
        .connection
        .prepare_cached(
            "INSERT INTO mlflow_model_version (model, version, stage, description, source,
                 location, run_id, run_link, created_ms, updated_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)",
        )?
        .execute(params![
            model,
            key.version,
            stages::NONE,
            asked.description.unwrap_or_default(),
            source.uri,
            source.location,
            source.run_id,
            asked.run_link.unwrap_or_default(),
            now
        ])?;
    for (tag, value) in &tags {
        tags::set_version_tag(context, key, tag, value)?;
    }
    find::touch(context, model, now)?;
    if let Some(id) = &source.model_id {
        logged_models::note_version(context, id, &name, key.version)?;
    }
    versions::answer(context, key)
}

/// One more than the highest that ever was.
fn next(context: &Context<'_>, model: i64) -> Result<i64, ApiError> {
    let highest: Option<i64> = context
        .connection
        .prepare_cached("SELECT max(version) FROM mlflow_model_version WHERE model = ?1")?
        .query_row([model], |row| row.get(0))?;
    Ok(highest.unwrap_or(0) + 1)
}
