//! The spans of traces that clients sent: they come one by one, and may come before their trace.

use super::{
    super::{
        call::Context,
        error::{ApiError, ErrorCode},
        experiments, validate,
    },
    id, labels,
    labels::Labels,
    links,
    otlp::ResourceSpans,
};
use crate::{
    as_trace::{INPUTS, OUTPUTS, SPAN_TYPE, Span, preview},
    otlp::Status,
};
use rusqlite::{OptionalExtension, params};
use serde_json::Value;
use std::collections::BTreeMap;

/// The most spans of a trace.
pub(super) const MAX_SPANS: u64 = 10_000;
/// The most spans that are written at once: others wait meanwhile.
const MAX_TOGETHER: usize = 10_000;
/// What a client says of a trace through its root span, since OpenTelemetry knows only spans.
const TRACE_TAG: &str = "mlflow.traceTag.";

/// Spans that were sent at once, by their traces. What can be done before they are written is.
pub(super) struct Batch(Vec<Sent>);

/// The spans of a trace.
struct Sent {
    trace: String,
    spans: Vec<Span>,
    /// The spans as they are kept.
    contents: Vec<String>,
    /// What is said of where they come from.
    tags: Vec<(String, String)>,
}

impl Batch {
    /// # Errors
    ///
    /// When there are none, or too many.
    pub(super) fn new(sent: Vec<ResourceSpans>) -> Result<Self, ApiError> {
        if sent.is_empty() {
            return Err(ApiError::new(
                ErrorCode::BadRequest,
                "Invalid OpenTelemetry format - no spans found",
            ));
        }
        if sent.iter().map(|resource| resource.spans.len()).sum::<usize>() > MAX_TOGETHER {
            return Err(ApiError::new(
                ErrorCode::TooLarge,
                format!("at most {MAX_TOGETHER} spans are taken at once; send fewer"),
            ));
        }
        let mut traces: BTreeMap<String, Sent> = BTreeMap::new();
        for resource in sent {
            let tags: Vec<_> =
                resource.tags().map(|(key, value)| (key.to_owned(), value)).collect();
            for span in resource.spans {
                let trace = span.trace();
                let sent = traces.entry(trace).or_insert_with_key(|trace| Sent {
                    trace: trace.clone(),
                    spans: Vec::new(),
                    contents: Vec::new(),
                    tags: tags.clone(),
                });
                sent.contents.push(span.json().to_string());
                sent.spans.push(span);
            }
        }
        Ok(Self(traces.into_values().collect()))
    }

    /// Writes them, and what they say of their traces. How many were refused, for want of room.
    ///
    /// # Errors
    ///
    /// When a trace is new, and there is no such experiment.
    pub(super) fn write(
        &self,
        context: &Context<'_>,
        experiment: i64,
        run: Option<&str>,
    ) -> Result<u64, ApiError> {
        let mut rejected = 0;
        for sent in &self.0 {
            sent.add_to_trace(context, experiment)?;
            sent.tag(context)?;
            if let Some(run) = run
                && sent.root().is_some()
            {
                links::add(context, &sent.trace, links::RUN, run)?;
            }
            rejected += sent.write(context)?;
        }
        Ok(rejected)
    }
}

/// A tag that is said among spans: one that cannot be is passed over.
fn set_tag(context: &Context<'_>, trace: &str, key: &str, value: &str) -> Result<(), ApiError> {
    let mut value = value.to_owned();
    match validate::tag(key, &mut value, || "key".to_owned()) {
        Ok(()) => Labels::Tags.set(context, trace, key, &value),
        Err(_) => Ok(()),
    }
}

impl Sent {
    fn root(&self) -> Option<&Span> {
        self.spans.iter().find(|span| span.parent.is_none())
    }

    /// What is said of their source, and by their root, as tags.
    fn tag(&self, context: &Context<'_>) -> Result<(), ApiError> {
        for (key, value) in &self.tags {
            set_tag(context, &self.trace, key, value)?;
        }
        let Some(root) = self.root() else { return Ok(()) };
        for pair in &root.attributes {
            if let Some(key) = pair["key"].as_str()
                && let Some(tag) = key.strip_prefix(TRACE_TAG)
            {
                set_tag(context, &self.trace, tag, &root.text(key).unwrap_or_default())?;
            }
        }
        Ok(())
    }

    /// What they say of their trace, which is made if there is none.
    fn add_to_trace(&self, context: &Context<'_>, experiment: i64) -> Result<(), ApiError> {
        let Self { trace, spans, .. } = self;
        let trace = &**trace;
        let known = context
            .connection
            .prepare_cached("SELECT 1 FROM mlflow_trace WHERE id = ?1")?
            .query_row([trace], |_| Ok(()))
            .optional()?;
        if known.is_none() {
            let place = experiments::place(context, experiment)?;
            let uri = place.trace_artifact_uri(trace);
            Labels::Tags.set(context, trace, labels::ARTIFACT_LOCATION, &uri)?;
        }
        Labels::Tags.set(context, trace, labels::SPANS_LOCATION, labels::HERE)?;
        let text = |keys: &[&str]| {
            spans.iter().find_map(|span| keys.iter().find_map(|key| span.text(key)))
        };
        for (key, value) in [
            (labels::SESSION, text(&["session.id", "gen_ai.conversation.id"])),
            (labels::USER, text(&["user.id"])),
        ] {
            if let Some(value) = value {
                Labels::Metadata.set_new(context, trace, key, &value)?;
            }
        }
        let root = self.root();
        let start = spans.iter().map(|span| span.start_ns).min().unwrap_or_default();
        let end = spans.iter().map(|span| span.end_ns).max().filter(|end| *end > 0);
        let (start, end) = (millis(start), end.map(millis));
        context
            .connection
            .prepare_cached(
                "INSERT INTO mlflow_trace (id, request, experiment, start_ms, duration_ms, state,
                 request_preview, response_preview, finalized)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0)
             ON CONFLICT (id) DO UPDATE SET
                 duration_ms = iif(finalized, duration_ms, max(
                     coalesce(start_ms + duration_ms, excluded.start_ms + excluded.duration_ms),
                     coalesce(excluded.start_ms + excluded.duration_ms, start_ms + duration_ms)
                 ) - min(start_ms, excluded.start_ms)),
                 start_ms = iif(finalized, start_ms, min(start_ms, excluded.start_ms)),
                 state = iif(state IN ('IN_PROGRESS', 'STATE_UNSPECIFIED')
                     AND excluded.state <> 'IN_PROGRESS', excluded.state, state),
                 request_preview = coalesce(request_preview, excluded.request_preview),
                 response_preview = coalesce(response_preview, excluded.response_preview)",
            )?
            .execute(params![
                trace,
                id::request(trace).map(|id| *id.as_bytes()),
                experiment,
                start,
                end.map(|end| (end - start).max(0)),
                match root.map(|root| root.status) {
                    None => "IN_PROGRESS",
                    Some(Status::Error) => "ERROR",
                    Some(Status::Ok | Status::Unset) => "OK",
                },
                root.and_then(|root| root.get(INPUTS)).map(|value| preview(&value)),
                root.and_then(|root| root.get(OUTPUTS)).map(|value| preview(&value)),
            ])?;
        Ok(())
    }

    fn write(&self, context: &Context<'_>) -> Result<u64, ApiError> {
        let trace = &*self.trace;
        let mut count: u64 = context
            .connection
            .prepare_cached("SELECT count(*) FROM mlflow_span WHERE trace = ?1")?
            .query_row([trace], |row| row.get::<_, i64>(0))?
            .cast_unsigned();
        let mut rejected = 0;
        for (span, content) in self.spans.iter().zip(&self.contents) {
            if count >= MAX_SPANS {
                let known = context
                    .connection
                    .prepare_cached("SELECT 1 FROM mlflow_span WHERE trace = ?1 AND span = ?2")?
                    .query_row(params![trace, span.span_id], |_| Ok(()))
                    .optional()?;
                if known.is_none() {
                    rejected += 1;
                    continue;
                }
            }
            let kind = span.text(SPAN_TYPE);
            context
                .connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO mlflow_span
                     (trace, span, is_root, name, type, status, start_ns, content)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?
                .execute(params![
                    trace,
                    span.span_id,
                    span.parent.is_none(),
                    span.name,
                    kind.as_deref().unwrap_or("UNKNOWN"),
                    span.status.name(),
                    i64::try_from(span.start_ns).unwrap_or(i64::MAX),
                    content,
                ])?;
            count += 1;
        }
        Ok(rejected)
    }
}

/// The spans of a trace: its root first, then by their start.
pub(super) fn of(context: &Context<'_>, trace: &str) -> Result<Vec<Value>, ApiError> {
    let mut statement = context.connection.prepare_cached(
        "SELECT content FROM mlflow_span WHERE trace = ?1 ORDER BY is_root DESC, start_ns, span",
    )?;
    let mut rows = statement.query([trace])?;
    let mut spans = Vec::new();
    while let Some(row) = rows.next()? {
        // It was JSON when it was written.
        spans.push(
            serde_json::from_str(row.get_ref(0)?.as_str().unwrap_or_default()).unwrap_or_default(),
        );
    }
    Ok(spans)
}

fn millis(ns: u64) -> i64 {
    i64::try_from(ns / 1_000_000).unwrap_or(i64::MAX)
}
