//! Traces: `traces/…`, and the spans that come by [OpenTelemetry's protocol](otlp).
//!
//! A trace of a client is a row of `mlflow_trace`; its spans come one by one as they end, and when
//! all is over the client [tells of the whole](start). A request that was recorded is a trace as
//! well ([`request`]): its branches are its spans. What is said of either (tags, assessments, links)
//! stands under its id.
//!
//! | room | what it does |
//! |---|---|
//! | [`otlp`], [`spans`], [`start`] | what clients send |
//! | [`request`], [`request_columns`] | a request as a trace, and what is asked of it |
//! | [`client`], [`read`], [`wire`] | a trace as it is answered |
//! | [`labels`], [`tags`], [`assessments`], [`assessment_rows`], [`links`] | what is said of it |
//! | [`search`], [`client_traces`], [`request_traces`], [`conditions`] | which traces there are |
//! | [`delete`] | and are no more |

mod assessment_rows;
mod assessments;
mod client;
mod client_traces;
mod conditions;
mod delete;
mod id;
mod labels;
mod links;
mod otlp;
mod read;
mod request;
mod request_columns;
mod request_traces;
mod search;
mod spans;
mod start;
mod tags;
mod wire;

use super::{
    call::{Call, Context, Route},
    error::ApiError,
};
use crate::{as_trace, branch::BranchId};
use serde_json::Value;

/// The spans of a request and its branches, and those that services sent below them, as OpenTelemetry's protocol
/// has them.
pub(super) fn spans_of_request(
    context: &Context<'_>,
    id: BranchId,
) -> Result<Vec<Value>, ApiError> {
    let mut all = request::spans(context, id)?;
    all.extend(spans::of(context, &as_trace::of_request(id))?);
    Ok(all)
}

pub(super) const ROUTES: &[Route] = &[
    ("POST", "/v1/traces", Call::Raw(otlp::receive)),
    ("POST", "3.0/mlflow/traces", Call::Write(start::start)),
    ("GET", "3.0/mlflow/traces/get", Call::Raw(read::get)),
    ("GET", "3.0/mlflow/traces/batchGet", Call::Read(read::get_batch)),
    ("GET", "3.0/mlflow/traces/batchGetInfos", Call::Read(read::get_infos)),
    ("POST", "3.0/mlflow/traces/search", Call::Read(search::search)),
    ("GET", "3.0/mlflow/traces/{trace_id}", Call::Read(read::get_info)),
    ("POST", "2.0/mlflow/traces/delete-traces", Call::Raw(delete::delete)),
    ("POST", "3.0/mlflow/traces/delete-traces", Call::Raw(delete::delete)),
    ("POST", "2.0/mlflow/traces/link-to-run", Call::Write(links::to_run)),
    ("POST", "2.0/mlflow/traces/link-prompts", Call::Write(links::prompts)),
    ("PATCH", "2.0/mlflow/traces/{trace_id}/tags", Call::Write(tags::set)),
    ("DELETE", "2.0/mlflow/traces/{trace_id}/tags", Call::Write(tags::delete)),
    ("PATCH", "3.0/mlflow/traces/{trace_id}/tags", Call::Write(tags::set)),
    ("DELETE", "3.0/mlflow/traces/{trace_id}/tags", Call::Write(tags::delete)),
    ("POST", "3.0/mlflow/traces/{trace_id}/assessments", Call::Write(assessments::create)),
    (
        "GET",
        "3.0/mlflow/traces/{trace_id}/assessments/{assessment_id}",
        Call::Read(assessments::get),
    ),
    (
        "PATCH",
        "3.0/mlflow/traces/{trace_id}/assessments/{assessment_id}",
        Call::Write(assessments::update),
    ),
    (
        "DELETE",
        "3.0/mlflow/traces/{trace_id}/assessments/{assessment_id}",
        Call::Write(assessments::delete),
    ),
];
