//! A request as a trace: a view of its branches, with what clients said of it.
//!
//! It is shown [as what is sent to MLflow](crate::as_trace). Nothing is kept a second time.
//!
//! What is sent as spans of the same trace stands below: a branch is called with a `traceparent`
//! whose trace is the request and whose span is the branch, unless the caller brought one.

use super::{
    super::{call::Context, error::ApiError},
    assessment_rows,
    labels::{self, Labels},
    wire::{Location, TraceInfo},
};
use crate::{
    as_trace::{
        self, Request,
        time::{Duration, Timestamp},
    },
    branch::BranchId,
    store,
};
use rusqlite::OptionalExtension;
use serde_json::Value;
use std::collections::BTreeMap;

/// Whether there is such a request, and nobody deleted its trace.
pub(super) fn exists(context: &Context<'_>, id: BranchId) -> Result<bool, ApiError> {
    let found = context
        .connection
        .prepare_cached(
            "SELECT 1 FROM branch WHERE (id = ?1 AND request IS NULL OR request = ?1)
             AND NOT EXISTS (SELECT 1 FROM mlflow_request_deleted WHERE id = ?1) LIMIT 1",
        )?
        .query_row([id.as_bytes()], |_| Ok(()))
        .optional()?;
    Ok(found.is_some())
}

fn find(context: &Context<'_>, id: BranchId) -> Result<Option<Request>, ApiError> {
    if !exists(context, id)? {
        return Ok(None);
    }
    Ok(Request::new(id, store::branches_of_request(context.connection, context.codes, id)?))
}

/// What is known of it; `None` if there is no such request.
pub(super) fn info(context: &Context<'_>, id: BranchId) -> Result<Option<TraceInfo>, ApiError> {
    let Some(request) = find(context, id)? else { return Ok(None) };
    let info = request.info();
    let experiment: i64 = context
        .connection
        .prepare_cached("SELECT id FROM mlflow_experiment WHERE branches = ?1")?
        .query_row([&info.experiment], |row| row.get(0))?;
    let mut tags = BTreeMap::from([
        (labels::NAME.to_owned(), info.experiment),
        (labels::SPANS_LOCATION.to_owned(), labels::HERE.to_owned()),
    ]);
    tags.extend(Labels::Tags.of(context, &info.trace_id)?);
    let mut trace_metadata = info.metadata;
    // Its first branch is a run here.
    let run = as_trace::of_request(request.first().id)[3..].to_owned();
    trace_metadata.insert(labels::SOURCE_RUN.to_owned(), run);
    Ok(Some(TraceInfo {
        client_request_id: None,
        trace_location: Location::of(experiment),
        request_preview: None,
        response_preview: info.response_preview,
        request_time: Timestamp(info.start_ms.cast_signed()),
        execution_duration: Some(Duration(info.duration_ms.cast_signed())),
        state: info.state.to_owned(),
        trace_metadata,
        assessments: assessment_rows::of(context, &info.trace_id)?,
        tags,
        trace_id: info.trace_id,
    }))
}

/// Its spans: one for the request, and one for each branch. None if there is no such request.
pub(super) fn spans(context: &Context<'_>, id: BranchId) -> Result<Vec<Value>, ApiError> {
    let Some(request) = find(context, id)? else { return Ok(Vec::new()) };
    Ok(request.spans().map(|span| span.json()).collect())
}
