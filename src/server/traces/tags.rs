//! `traces/{trace_id}/tags`.

use super::{
    super::{
        call::{Answer, Context},
        error::ApiError,
        input::{Input, required},
        reply::Reply,
        validate,
    },
    id,
    labels::{self, Labels},
    read, request,
};
use rusqlite::params;
use serde::Deserialize;

/// Tags that say where things are; clients do not change them.
const FIXED: &[&str] =
    &[labels::SPANS_LOCATION, "mlflow.trace.archiveLocation", "mlflow.trace.archivalFailure"];

#[derive(Deserialize)]
struct Sent {
    trace_id: Option<String>,
    key: Option<String>,
    value: Option<String>,
}

pub(super) fn set(context: &Context<'_>, mut input: Input) -> Answer {
    let asked: Sent = input.read()?;
    let (trace, key) = (required(asked.trace_id, "trace_id")?, required(asked.key, "key")?);
    let mut value = asked.value.unwrap_or_default();
    if FIXED.contains(&&*key) {
        return Err(fixed(&key, "set"));
    }
    validate::tag(&key, &mut value, || "key".to_owned())?;
    if !read::exists(context, &trace)? {
        return Err(read::not_found(&trace));
    }
    Labels::Tags.set(context, &trace, &key, &value)?;
    Ok(Reply::done())
}

pub(super) fn delete(context: &Context<'_>, mut input: Input) -> Answer {
    let asked: Sent = input.read()?;
    let (trace, key) = (required(asked.trace_id, "trace_id")?, required(asked.key, "key")?);
    if FIXED[..2].contains(&&*key) {
        return Err(fixed(&key, "deleted"));
    }
    if !read::exists(context, &trace)? {
        return Err(read::not_found(&trace));
    }
    let deleted = context
        .connection
        .prepare_cached("DELETE FROM mlflow_trace_tag WHERE trace = ?1 AND key = ?2")?
        .execute(params![trace, key])?;
    if deleted > 0 {
        return Ok(Reply::done());
    }
    if let Some(request) = id::request(&trace)
        && let Some(info) = request::info(context, request)?
        && info.tags.contains_key(&key)
    {
        return Err(ApiError::invalid(format!(
            "The tag {key} is part of the record of the request {trace}: it can be set to \
             something else, but not deleted"
        )));
    }
    Err(ApiError::none(format!("No trace tag with key '{key}' for trace with ID '{trace}'")))
}

fn fixed(key: &str, done: &str) -> ApiError {
    ApiError::invalid(format!("Tag '{key}' is immutable and cannot be {done} on a trace."))
}
