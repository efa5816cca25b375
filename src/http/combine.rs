//! Several HTTP responses as one.

use super::log::server_error;
use crate::branch::{Branch, Branches, Status};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};
use std::{fmt, sync::Arc};

/// How the branches of a request become one HTTP response.
///
/// For `Json`, `Ndjson` and `Sse` each branch is one object:
///
/// ```json
/// { "config_id": "b", "branch_id": "…", "status": "success", "duration_ns": 1200000,
///   "response": { "status": 200, "headers": { "content-type": "application/json" }, "body": {} } }
/// ```
///
/// A JSON body stands there as JSON, any other text as a string, bytes as `body_base64`. A branch
/// that failed has a `failure` (`kind`, `message`) as well as, or instead of, its `response`.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Combine {
    /// A JSON array in the order of the pool, when all have ended.
    #[default]
    Json,
    /// One JSON object a line (`application/x-ndjson`), each as its branch ends.
    Ndjson,
    /// Server-sent events (`text/event-stream`): `event: branch` as each ends, `event: done` at
    /// the end.
    Sse,
    /// The first response with a status below 400, streamed as it is; the other branches are
    /// cancelled. If there is none, the first response in the order of the pool.
    FirstSuccess,
    /// A function of the user's.
    With(Arc<dyn Fn(Branches<Response<Bytes>>) -> Response<Bytes> + Send + Sync>),
}

impl Combine {
    /// Combines by a function.
    pub fn with(
        f: impl Fn(Branches<Response<Bytes>>) -> Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        Self::With(Arc::new(f))
    }
}

impl fmt::Debug for Combine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "Json",
            Self::Ndjson => "Ndjson",
            Self::Sse => "Sse",
            Self::FirstSuccess => "FirstSuccess",
            Self::With(_) => "With",
        })
    }
}

pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");
pub(super) const NDJSON: HeaderValue = HeaderValue::from_static("application/x-ndjson");
pub(super) const SSE: HeaderValue = HeaderValue::from_static("text/event-stream");

/// All branches as a JSON array; 502 when none of them succeeded.
pub(super) fn json_array(branches: &Branches<Response<Bytes>>) -> Response<Bytes> {
    let entries: Vec<Value> = branches.iter().map(entry).collect();
    let any = entries.iter().any(|entry| entry["status"] == Status::Success.as_str());
    let mut response = Response::new(Bytes::from(Value::Array(entries).to_string()));
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    if !any {
        *response.status_mut() = StatusCode::BAD_GATEWAY;
    }
    response
}

/// One branch as a JSON object.
pub(super) fn entry(branch: &Branch<Response<Bytes>>) -> Value {
    let failed_status = branch.output.as_ref().and_then(|response| server_error(response.status()));
    let status = if failed_status.is_some() { Status::Failed } else { branch.status };
    let mut entry = json!({
        "config_id": branch.config_id,
        "branch_id": branch.id,
        "status": status,
        "duration_ns": branch.duration_ns,
    });
    if let Some(response) = &branch.output {
        entry["response"] = response_entry(response);
    }
    if let Some(failure) = branch.failure.as_ref().or(failed_status.as_ref()) {
        entry["failure"] = json!({ "kind": failure.kind, "message": failure.message });
    }
    entry
}

fn response_entry(response: &Response<Bytes>) -> Value {
    let headers: serde_json::Map<_, _> = response
        .headers()
        .keys()
        .map(|name| {
            let values: Vec<_> = response
                .headers()
                .get_all(name)
                .iter()
                .map(|value| String::from_utf8_lossy(value.as_bytes()))
                .collect();
            (name.to_string(), Value::String(values.join(", ")))
        })
        .collect();
    let mut entry = json!({ "status": response.status().as_u16(), "headers": headers });
    let body = response.body();
    let is_json = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .map(|value| value.split(';').next().unwrap_or(value).trim().to_ascii_lowercase())
        .is_some_and(|media| media.ends_with("/json") || media.ends_with("+json"));
    let parsed = if is_json { serde_json::from_slice(body).ok() } else { None };
    if let Some(value) = parsed {
        entry["body"] = value;
    } else if let Ok(text) = std::str::from_utf8(body) {
        entry["body"] = Value::String(text.to_owned());
    } else {
        entry["body_base64"] = Value::String(STANDARD.encode(body));
    }
    entry
}
