//! What a request has as a trace, as SQL over the row `r` of its first branch.
//!
//! The names and meanings are those of a request that is [shown](crate::as_trace).

use super::super::runs::branch_tag;
use crate::as_trace::METADATA;

/// The trace that the request belongs to: its caller's, or else its own.
pub(super) const TRACE_ID: &str = "spearmint.trace_id";
pub(super) const TRACE: &str = "coalesce(substr(r.trace, 1, 16), r.request, r.id)";

/// The first branches that there are of requests. (That of the outermost experiment has the
/// request's id; it may not have been recorded.)
pub(super) const IS_FIRST: &str = "(r.request IS NULL
     OR NOT EXISTS (SELECT 1 FROM branch b WHERE b.id = r.request)
         AND NOT EXISTS (SELECT 1 FROM branch b WHERE b.request = r.request AND b.id < r.id))";

/// Requests whose traces were not deleted.
pub(super) const IS_THERE: &str = "NOT EXISTS
     (SELECT 1 FROM mlflow_request_deleted d WHERE d.id = coalesce(r.request, r.id))";

/// The id of the trace.
pub(super) const ID: &str = "'tr-' || lower(hex(coalesce(r.request, r.id)))";

pub(super) const START_MS: &str = "r.start_ns / 1000000";

/// That a branch `b` is one of the request.
pub(super) const OF_REQUEST: &str =
    "(b.id = coalesce(r.request, r.id) OR b.request = coalesce(r.request, r.id))";

/// The branches `b` whose answers the caller had.
const ANSWERING: &str = "FROM branch b
     WHERE (b.id = coalesce(r.request, r.id) OR b.request = coalesce(r.request, r.id))
     AND b.parent IS r.parent AND b.role NOT IN
     (SELECT key FROM code WHERE what = 'role' AND name IN ('shadow', 'control'))";

pub(super) fn end_ns() -> String {
    format!(
        "coalesce((SELECT max(b.start_ns + b.duration_ns) {ANSWERING}), r.start_ns + r.duration_ns)"
    )
}

pub(super) fn duration_ms() -> String {
    format!("max({} - r.start_ns, 0) / 1000000", end_ns())
}

pub(super) fn state() -> String {
    let ended = |status: &str| {
        format!(
            "EXISTS (SELECT 1 {ANSWERING} AND b.status =
                 (SELECT key FROM code WHERE what = 'status' AND name = '{status}'))"
        )
    };
    format!(
        "CASE WHEN {} THEN 'OK' WHEN {} THEN 'ERROR' ELSE 'STATE_UNSPECIFIED' END",
        ended("success"),
        ended("failed")
    )
}

/// A tag of the record.
pub(super) fn tag(key: &str) -> Option<String> {
    match key {
        super::labels::NAME => branch_tag("spearmint.experiment"),
        super::labels::SPANS_LOCATION => Some(format!("'{}'", super::labels::HERE)),
        _ => None,
    }
}

/// A value of the record's metadata.
pub(super) fn metadata(key: &str) -> Option<String> {
    match key {
        "mlflow.trace_schema.version" => Some("'3'".to_owned()),
        super::labels::SOURCE_RUN => Some("lower(hex(r.id))".to_owned()),
        key if METADATA.contains(&key) => branch_tag(key),
        _ => None,
    }
}
