//! A logged model as it is answered.

use super::{
    super::{
        call::{Answer, Context},
        error::ApiError,
        input::{Input, required},
        reply::Reply,
    },
    wire::{COLUMNS, Info, LoggedModel},
};
use rusqlite::OptionalExtension;
use serde::Deserialize;
use serde_json::json;

pub(super) fn get(context: &Context<'_>, mut input: Input) -> Answer {
    #[derive(Deserialize)]
    struct Get {
        model_id: Option<String>,
        allow_deleted: Option<String>,
    }
    let asked: Get = input.read()?;
    let id = required(asked.model_id, "model_id")?;
    let deleted = asked.allow_deleted.is_some_and(|allow| allow.eq_ignore_ascii_case("true"));
    answer(context, &id, deleted)
}

pub(super) fn answer(context: &Context<'_>, id: &str, deleted: bool) -> Answer {
    let model = row(context, id, deleted)?.whole(context)?;
    Ok(Reply::json(&json!({ "model": model })))
}

/// A model that is not deleted, without what belongs to it.
///
/// # Errors
///
/// When there is none.
pub(in crate::server) fn find(context: &Context<'_>, id: &str) -> Result<Info, ApiError> {
    Ok(row(context, id, false)?.info)
}

fn row(context: &Context<'_>, id: &str, deleted: bool) -> Result<LoggedModel, ApiError> {
    context
        .connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM mlflow_logged_model l
             JOIN mlflow_experiment e ON e.id = l.experiment
             WHERE l.id = ?1 AND (?2 OR NOT l.deleted)"
        ))?
        .query_row((id, deleted), LoggedModel::read)
        .optional()?
        .ok_or_else(|| none(id))
}

pub(super) fn none(id: &str) -> ApiError {
    ApiError::none(format!("Logged model with ID '{id}' not found."))
}
