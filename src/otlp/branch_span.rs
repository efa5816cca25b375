//! A branch as a span.

use super::{SpanKind, Status, write::SpanMessage};
use crate::{
    as_run::{self, Recorded, limits},
    branch::{Branch, SpanId},
};

/// The longest text of an attribute, in characters, and of a failure's trace.
const MAX_TEXT: usize = 4_000;
const MAX_TRACE: usize = 16_000;
/// `SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE`, and `SPAN_FLAGS_CONTEXT_IS_REMOTE`: what is known of the parent.
const PARENT_IS_KNOWN: u32 = 0x100;
const PARENT_IS_REMOTE: u32 = 0x200;

/// The span of a branch: that which its service was told of by `traceparent`.
///
/// Its parent is the branch of the outer experiment, or else the caller's span; without either it is
/// the root of a trace that began with the request.
pub(super) fn span(branch: &Branch, kind: SpanKind) -> SpanMessage {
    let recorded = Recorded::from(branch);
    let name = format!("{}/{}", branch.experiment, branch.config_id.short());
    let (trace_id, span_id) = (branch.trace_id(), branch.span_id());
    let name = limits::cut(&name, limits::MAX_NAME);
    let mut span = SpanMessage::new(trace_id.as_bytes(), span_id.as_bytes(), &name);
    let flags = branch.trace.map_or(1, |trace| u32::from(trace.flags)) | PARENT_IS_KNOWN;
    match (branch.parent, branch.trace) {
        (Some(outer), _) => {
            span.parent(SpanId::of_branch(outer).as_bytes());
            span.flags(flags);
        }
        (None, Some(caller)) => {
            span.parent(caller.parent_span_id.as_bytes());
            span.flags(flags | PARENT_IS_REMOTE);
        }
        (None, None) => span.flags(flags),
    }
    span.kind(kind);
    span.times(branch.start_ns, branch.end_ns);
    describe(&mut span, &recorded);
    let why = match (&branch.failure, branch.skip) {
        (Some(failure), _) => {
            let message = limits::cut(&failure.message, MAX_TEXT);
            let type_name = limits::cut(&failure.type_name, MAX_TEXT);
            let trace = limits::cut(&failure.trace, MAX_TRACE);
            // <https://opentelemetry.io/docs/specs/semconv/exceptions/exceptions-spans/>
            let mut said = vec![("exception.message", &*message)];
            for (key, text) in [("exception.type", &*type_name), ("exception.stacktrace", &*trace)]
            {
                if !text.is_empty() {
                    said.push((key, text));
                }
            }
            span.event("exception", branch.end_ns, &said);
            span.text("error.type", failure.kind.as_str());
            message
        }
        _ => "".into(),
    };
    span.status(Status::of_branch(branch.status), &why);
    span
}

/// What is said of it: by OpenTelemetry's names where there are such, and else by ours.
fn describe(span: &mut SpanMessage, branch: &Recorded<'_>) {
    for (key, value) in as_run::tags(branch) {
        match key {
            // The span has these of its own.
            "spearmint.trace_id" | "spearmint.parent_span_id" | "spearmint.output" => {}
            // The event has these.
            "spearmint.failure_type" | "spearmint.failure_message" => {}
            key if key.starts_with("spearmint.") => span.text(key, &limits::cut(&value, MAX_TEXT)),
            _ => {}
        }
    }
    if branch.probability.is_finite() {
        span.double("spearmint.probability", branch.probability);
    }
    span.int("spearmint.retry_count", branch.retry_count.into());
    if let Some(first_byte) = branch.first_byte_ns {
        span.double("spearmint.first_byte_ms", first_byte as f64 / 1e6);
    }
    for (name, value) in as_run::said(branch.metrics) {
        span.double(&format!("spearmint.{name}"), value);
    }
    // <https://opentelemetry.io/docs/specs/semconv/registry/attributes/http/>
    for (key, bytes) in
        [("http.request.body.size", branch.bytes_in), ("http.response.body.size", branch.bytes_out)]
    {
        if let Some(bytes) = bytes {
            span.int(key, i64::try_from(bytes).unwrap_or(i64::MAX));
        }
    }
}
