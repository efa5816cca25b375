//! Traces that are asked for by their ids.

use super::{
    super::{
        call::{Answer, Context},
        error::ApiError,
        experiments,
        input::{self, Input, required},
        raw::{Raw, RawAnswer},
        reply::Reply,
    },
    client, id, labels, request, spans,
    wire::{Trace, TraceInfo},
};
use rusqlite::OptionalExtension;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use std::time::Duration;

/// The most traces of an answer.
const MAX_TRACES: usize = 500;
/// How long it is waited, each time, for spans that are under way still.
const WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];

#[derive(Deserialize)]
struct Named {
    trace_id: Option<String>,
    #[serde(default, deserialize_with = "truth")]
    allow_partial: bool,
}

pub(super) fn get_info(context: &Context<'_>, mut input: Input) -> Answer {
    let asked: Named = input.read()?;
    let id = required(asked.trace_id, "trace_id")?;
    let trace_info = info(context, &id)?.ok_or_else(|| not_found(&id))?;
    Ok(Reply::json(&json!({ "trace": Trace { trace_info, spans: None } })))
}

/// A trace with its spans; all of them, unless the client takes what there is.
pub(super) fn get(mut raw: Raw) -> RawAnswer {
    Box::pin(async move {
        let asked: Named = raw.input.read()?;
        let id = required(asked.trace_id, "trace_id")?;
        let mut waits = WAITS.into_iter();
        loop {
            let wanted = id.clone();
            let read = move |context: &Context<'_>| {
                let trace = whole(context, &wanted, asked.allow_partial)?;
                Ok(trace.map(|trace| Reply::json(&json!({ "trace": trace }))))
            };
            if let Some(reply) = raw.readers.run(read).await? {
                return Ok(reply.into_response());
            }
            let Some(wait) = waits.next() else {
                return Err(ApiError::none(format!(
                    "Trace with ID {id} is not fully exported yet, please try again later."
                )));
            };
            tokio::time::sleep(wait).await;
        }
    })
}

#[derive(Deserialize)]
struct Batch {
    #[serde(default, deserialize_with = "input::list")]
    trace_ids: Vec<String>,
    #[serde(default, deserialize_with = "some_list")]
    experiment_ids: Option<Vec<String>>,
}

/// Those that are there, whole, in the order in which they are asked for.
pub(super) fn get_batch(context: &Context<'_>, mut input: Input) -> Answer {
    let mut traces = Vec::new();
    for info in batch(context, input.read()?)? {
        traces.extend(with_spans(context, info, false)?);
    }
    Ok(Reply::json(&list("traces", &traces)))
}

pub(super) fn get_infos(context: &Context<'_>, mut input: Input) -> Answer {
    let infos = batch(context, input.read()?)?;
    Ok(Reply::json(&list("trace_infos", &infos)))
}

/// An empty list is left out.
fn list(name: &str, values: &[impl serde::Serialize]) -> Value {
    if values.is_empty() { json!({}) } else { json!({ name: values }) }
}

fn batch(context: &Context<'_>, asked: Batch) -> Result<Vec<TraceInfo>, ApiError> {
    if asked.trace_ids.is_empty() {
        return Err(ApiError::missing("trace_ids"));
    }
    let mut ids: Vec<String> = Vec::with_capacity(asked.trace_ids.len().min(MAX_TRACES));
    for id in asked.trace_ids {
        if !ids.contains(&id) {
            ids.push(id);
        }
        if ids.len() > MAX_TRACES {
            return Err(ApiError::invalid(format!(
                "at most {MAX_TRACES} traces are given at once"
            )));
        }
    }
    let among = match asked.experiment_ids {
        None => None,
        Some(ids) => Some(
            ids.iter().map(|id| experiments::parse_id(id)).collect::<Result<Vec<_>, ApiError>>()?,
        ),
    };
    let mut infos = Vec::with_capacity(ids.len());
    for id in &ids {
        let Some(info) = info(context, id)? else { continue };
        let experiment = info.trace_location.experiment_id().and_then(|id| id.parse().ok());
        let fits = |among: &Vec<i64>| experiment.is_some_and(|id| among.contains(&id));
        if among.as_ref().is_none_or(fits) {
            infos.push(info);
        }
    }
    Ok(infos)
}

/// What is known of a trace, be it a request or a client's.
pub(super) fn info(context: &Context<'_>, id: &str) -> Result<Option<TraceInfo>, ApiError> {
    if let Some(request) = id::request(id)
        && let Some(info) = request::info(context, request)?
    {
        return Ok(Some(info));
    }
    client::info(context, id)
}

/// Whether there is such a trace.
pub(super) fn exists(context: &Context<'_>, id: &str) -> Result<bool, ApiError> {
    let known = context
        .connection
        .prepare_cached("SELECT 1 FROM mlflow_trace WHERE id = ?1")?
        .query_row([id], |_| Ok(()))
        .optional()?;
    Ok(known.is_some()
        || match id::request(id) {
            Some(request) => request::exists(context, request)?,
            None => false,
        })
}

/// A trace with its spans; `None` if some of them did not come yet.
///
/// # Errors
///
/// When there is no such trace.
fn whole(context: &Context<'_>, id: &str, allow_partial: bool) -> Result<Option<Trace>, ApiError> {
    let info = info(context, id)?
        .ok_or_else(|| ApiError::none(format!("Trace with ID {id} is not found.")))?;
    with_spans(context, info, allow_partial)
}

fn with_spans(
    context: &Context<'_>,
    trace_info: TraceInfo,
    allow_partial: bool,
) -> Result<Option<Trace>, ApiError> {
    let id = &trace_info.trace_id;
    let mut all = match id::request(id) {
        Some(request) => request::spans(context, request)?,
        None => Vec::new(),
    };
    let is_request = !all.is_empty();
    all.extend(spans::of(context, id)?);
    let expected = trace_info.trace_metadata.get(labels::SIZE_STATS);
    let expected: Option<Value> = expected.and_then(|stats| serde_json::from_str(stats).ok());
    let expected = expected.and_then(|stats| stats["num_spans"].as_u64()).unwrap_or(1);
    if !allow_partial && !is_request && (all.len() as u64) < expected.min(spans::MAX_SPANS) {
        return Ok(None);
    }
    Ok(Some(Trace { trace_info, spans: Some(all).filter(|spans| !spans.is_empty()) }))
}

/// MLflow's words for a trace that is not there.
pub(super) fn not_found(id: &str) -> ApiError {
    ApiError::none(format!("Trace with ID '{id}' not found."))
}

/// `true` as Python's client writes it in a query, too.
fn truth<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Plain(bool),
        Text(String),
    }
    Ok(match Option::<Written>::deserialize(from)? {
        None => false,
        Some(Written::Plain(value)) => value,
        Some(Written::Text(text)) => text.eq_ignore_ascii_case("true") || text == "1",
    })
}

/// None is another thing than an empty one.
fn some_list<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<String>>, D::Error> {
    input::list(from).map(Some)
}
