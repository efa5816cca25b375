//! Registered models.

use super::{
    super::{
        call::{Answer, Context, now_ms},
        error::ApiError,
        input::{Input, required},
        reply::Reply,
        runs::Pair,
    },
    find, names, tags,
    wire::RegisteredModel,
};
use rusqlite::{OptionalExtension, params};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Named {
    name: Option<String>,
}

impl Named {
    fn find(self, context: &Context<'_>) -> Result<i64, ApiError> {
        find::model(context, &required(self.name, "name")?)
    }
}

pub(super) fn create(context: &Context<'_>, mut input: Input) -> Answer {
    #[derive(Deserialize)]
    struct Create {
        name: Option<String>,
        #[serde(default)]
        tags: Vec<Pair>,
        description: Option<String>,
    }
    let asked: Create = input.read()?;
    let name = required(asked.name, "name")?;
    names::model(&name)?;
    let tags = tags::checked(asked.tags)?;
    let new = context
        .connection
        .prepare_cached(
            "INSERT INTO mlflow_registered_model (name, description, created_ms, updated_ms)
             VALUES (?1, ?2, ?3, ?3) ON CONFLICT DO NOTHING",
        )?
        .execute(params![name, asked.description.unwrap_or_default(), now_ms()])?;
    if new == 0 {
        return Err(taken(context, &name, tags::say_prompt(&tags))?);
    }
    let model = context.connection.last_insert_rowid();
    for (key, value) in &tags {
        tags::set_model_tag(context, model, key, value)?;
    }
    answer(context, model)
}

/// Why a name is not to be had: a model and a prompt cannot share one.
fn taken(context: &Context<'_>, name: &str, prompt: bool) -> Result<ApiError, ApiError> {
    let is_prompt = find::is_prompt(context, find::model(context, name)?)?;
    let kind = |prompt| if prompt { "Prompt" } else { "Registered Model" };
    if is_prompt == prompt {
        return Ok(ApiError::exists(format!("{} (name={name}) already exists.", kind(prompt))));
    }
    Ok(ApiError::exists(format!(
        "Tried to create a {} with name '{name}', but the name is already taken by a {}. MLflow \
         does not allow creating a model and a prompt with the same name.",
        kind(prompt).to_lowercase(),
        kind(is_prompt).to_lowercase()
    )))
}

pub(super) fn get(context: &Context<'_>, mut input: Input) -> Answer {
    let model = input.read::<Named>()?.find(context)?;
    answer(context, model)
}

pub(super) fn rename(context: &Context<'_>, mut input: Input) -> Answer {
    #[derive(Deserialize)]
    struct Rename {
        name: Option<String>,
        new_name: Option<String>,
    }
    let asked: Rename = input.read()?;
    let name = required(asked.name, "name")?;
    let new_name = required(asked.new_name, "new_name")?;
    names::model(&new_name)?;
    let model = find::model(context, &name)?;
    let connection = context.connection;
    let other: Option<i64> = connection
        .prepare_cached("SELECT key FROM mlflow_registered_model WHERE name = ?1 AND key <> ?2")?
        .query_row(params![new_name, model], |row| row.get(0))
        .optional()?;
    if other.is_some() {
        return Err(ApiError::exists(format!(
            "Registered Model (name={new_name}) already exists."
        )));
    }
    let now = now_ms();
    connection
        .prepare_cached("UPDATE mlflow_registered_model SET name = ?2 WHERE key = ?1")?
        .execute(params![model, new_name])?;
    connection
        .prepare_cached("UPDATE mlflow_model_version SET updated_ms = ?2 WHERE model = ?1")?
        .execute([model, now])?;
    find::touch(context, model, now)?;
    answer(context, model)
}

pub(super) fn update(context: &Context<'_>, mut input: Input) -> Answer {
    #[derive(Deserialize)]
    struct Update {
        name: Option<String>,
        description: Option<String>,
    }
    let asked: Update = input.read()?;
    let model = Named { name: asked.name }.find(context)?;
    context
        .connection
        .prepare_cached("UPDATE mlflow_registered_model SET description = ?2 WHERE key = ?1")?
        .execute(params![model, asked.description.unwrap_or_default()])?;
    find::touch(context, model, now_ms())?;
    answer(context, model)
}

/// Its versions, tags and aliases go with it.
pub(super) fn delete(context: &Context<'_>, mut input: Input) -> Answer {
    let model = input.read::<Named>()?.find(context)?;
    for sql in [
        "DELETE FROM mlflow_registered_model_alias WHERE model = ?1",
        "DELETE FROM mlflow_registered_model_tag WHERE model = ?1",
        "DELETE FROM mlflow_model_version_tag WHERE model = ?1",
        "DELETE FROM mlflow_model_version WHERE model = ?1",
        "DELETE FROM mlflow_registered_model WHERE key = ?1",
    ] {
        context.connection.prepare_cached(sql)?.execute([model])?;
    }
    Ok(Reply::done())
}

fn answer(context: &Context<'_>, model: i64) -> Answer {
    let model = RegisteredModel::find(context, model)?;
    Ok(Reply::json(&json!({ "registered_model": model })))
}
