//! `traces`: what a client tells of a trace, when it is over.

use super::{
    super::{
        call::{Answer, Context},
        error::ApiError,
        experiments,
        input::Input,
        reply::Reply,
        validate,
    },
    assessments, client, id,
    labels::{self, Labels},
    read,
    wire::{Location, Trace},
};
use crate::as_trace::time::{Duration, Timestamp};
use rusqlite::params;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

const STATES: &[&str] = &["STATE_UNSPECIFIED", "OK", "ERROR", "IN_PROGRESS"];
/// The longest name of a trace.
const MAX_NAME: usize = 4_096;

#[derive(Deserialize)]
struct Start {
    trace: Option<Sent>,
}

#[derive(Deserialize)]
struct Sent {
    trace_info: Option<Info>,
}

#[derive(Deserialize)]
struct Info {
    trace_id: Option<String>,
    client_request_id: Option<String>,
    trace_location: Option<Location>,
    request_preview: Option<String>,
    response_preview: Option<String>,
    request_time: Option<Timestamp>,
    execution_duration: Option<Duration>,
    state: Option<String>,
    #[serde(default)]
    trace_metadata: BTreeMap<String, String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    assessments: Vec<assessments::Sent>,
}

/// Writes it over what was known of the trace: its spans may have come before.
pub(super) fn start(context: &Context<'_>, mut input: Input) -> Answer {
    let asked: Start = input.read()?;
    let info = asked.trace.ok_or_else(|| ApiError::missing("trace"))?;
    let info = info.trace_info.ok_or_else(|| ApiError::missing("trace_info"))?;
    let trace = info.trace_id.filter(|id| !id.is_empty());
    let trace = trace.ok_or_else(|| ApiError::missing("trace_id"))?;
    validate::length("trace_id", id::MAX_ID, &trace)?;
    if let Some(name) = info.tags.get(labels::NAME) {
        validate::length("Trace name", MAX_NAME, name)?;
    }
    if let Some(session) = info.trace_metadata.get(labels::SESSION) {
        validate::length("Session ID", validate::MAX_KEY, session)?;
    }
    let location = info.trace_location.as_ref().and_then(Location::experiment_id);
    let location = location.ok_or_else(|| ApiError::missing("trace_location"))?;
    let experiment = experiments::active(context, experiments::parse_id(location)?)?;
    let state = info.state.as_deref().unwrap_or("STATE_UNSPECIFIED");
    if !STATES.contains(&state) {
        return Err(validate::invalid_value("state", state, &format!("one of {STATES:?}")));
    }
    context
        .connection
        .prepare_cached(
            "INSERT INTO mlflow_trace (id, request, experiment, start_ms, duration_ms, state,
                 client_request_id, request_preview, response_preview, finalized)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1)
             ON CONFLICT (id) DO UPDATE SET experiment = excluded.experiment,
                 start_ms = excluded.start_ms, duration_ms = excluded.duration_ms,
                 state = excluded.state, client_request_id = excluded.client_request_id,
                 request_preview = coalesce(excluded.request_preview, request_preview),
                 response_preview = coalesce(excluded.response_preview, response_preview),
                 finalized = 1",
        )?
        .execute(params![
            trace,
            id::request(&trace).map(|id| *id.as_bytes()),
            experiment.id,
            info.request_time.unwrap_or_default().0,
            info.execution_duration.map(|duration| duration.0),
            state,
            info.client_request_id,
            info.request_preview,
            info.response_preview,
        ])?;
    for (key, value) in &info.tags {
        Labels::Tags.set(context, &trace, key, value)?;
    }
    let uri = experiment.trace_artifact_uri(&trace);
    Labels::Tags.set(context, &trace, labels::ARTIFACT_LOCATION, &uri)?;
    for (key, value) in &info.trace_metadata {
        Labels::Metadata.set(context, &trace, key, value)?;
    }
    Labels::Metadata.set(context, &trace, labels::FINALIZED, "true")?;
    for assessment in info.assessments {
        assessments::add(context, &trace, assessment)?;
    }
    let info = client::info(context, &trace)?.ok_or_else(|| read::not_found(&trace))?;
    Ok(Reply::json(&json!({ "trace": Trace { trace_info: info, spans: None } })))
}
