//! A request as a trace: a view of its branches, with what clients said of it.
//!
//! The first branch that was recorded of it stands for it. (It has the request's id, unless the
//! outermost experiment is not recorded.) Nothing is kept a second time.
//!
//! What is sent as spans of the same trace stands below: a branch is called with a `traceparent`
//! whose trace is the request and whose span is the branch, unless the caller brought one.

use super::{
    super::{call::Context, error::ApiError},
    assessment_rows, id,
    labels::{self, Labels},
    otlp::{INPUTS, OUTPUTS, SPAN_TYPE, Span, Status as SpanStatus},
    preview,
    time::{Duration, Timestamp},
    wire::{Location, TraceInfo},
};
use crate::{
    as_run::{self, Recorded, millis},
    branch::{BranchId, Role, Status},
    store::{self, BranchRow},
};
use rusqlite::OptionalExtension;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The span that stands for the request is a chain of what its branches do.
pub(super) const ROOT_TYPE: &str = "CHAIN";
pub(super) const BRANCH_TYPE: &str = "TASK";

/// The branches of a request, the first first.
struct Request {
    id: BranchId,
    branches: Vec<BranchRow>,
}

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

/// What is known of it; `None` if there is no such request.
pub(super) fn info(context: &Context<'_>, id: BranchId) -> Result<Option<TraceInfo>, ApiError> {
    let Some(request) = Request::find(context, id)? else { return Ok(None) };
    request.info(context)
}

/// Its spans: one for the request, and one for each branch. None if there is no such request.
pub(super) fn spans(context: &Context<'_>, id: BranchId) -> Result<Vec<Value>, ApiError> {
    let Some(request) = Request::find(context, id)? else { return Ok(Vec::new()) };
    let mut spans = vec![request.root().json()];
    spans.extend(request.branches.iter().map(|branch| request.span(branch).json()));
    Ok(spans)
}

impl Request {
    fn find(context: &Context<'_>, id: BranchId) -> Result<Option<Self>, ApiError> {
        if !exists(context, id)? {
            return Ok(None);
        }
        let branches = store::branches_of_request(context.connection, context.codes, id)?;
        Ok(Some(Self { id, branches }).filter(|request| !request.branches.is_empty()))
    }

    fn first(&self) -> Recorded<'_> {
        Recorded::from(&self.branches[0])
    }

    /// Those of which the caller had an answer: no shadows, and no inner ones.
    fn answering(&self) -> impl Iterator<Item = Recorded<'_>> {
        let (all, parent) = (self.branches.iter().map(Recorded::from), self.first().parent);
        all.filter(move |branch| {
            !matches!(branch.role, Role::Shadow | Role::Control) && branch.parent == parent
        })
    }

    fn end_ns(&self) -> u64 {
        self.answering().map(|branch| branch.end_ns).max().unwrap_or_else(|| self.first().end_ns)
    }

    /// It went well if any answer did.
    fn status(&self) -> SpanStatus {
        let ended = |status| self.answering().any(|branch| branch.status == status);
        if ended(Status::Success) {
            SpanStatus::Ok
        } else if ended(Status::Failed) {
            SpanStatus::Error
        } else {
            SpanStatus::Unset
        }
    }

    fn output(&self) -> Option<&Value> {
        let answers = self.answering().filter(|branch| branch.status == Status::Success);
        answers.filter_map(|branch| branch.output).last()
    }

    fn info(&self, context: &Context<'_>) -> Result<Option<TraceInfo>, ApiError> {
        let (first, id) = (self.first(), id::of_request(self.id));
        let experiment: i64 = context
            .connection
            .prepare_cached("SELECT id FROM mlflow_experiment WHERE branches = ?1")?
            .query_row([first.experiment], |row| row.get(0))?;
        let mut tags = BTreeMap::from([
            (labels::NAME.to_owned(), first.experiment.to_owned()),
            (labels::SPANS_LOCATION.to_owned(), labels::HERE.to_owned()),
        ]);
        tags.extend(Labels::Tags.of(context, &id)?);
        Ok(Some(TraceInfo {
            trace_id: id.clone(),
            client_request_id: None,
            trace_location: Location::of(experiment),
            request_preview: None,
            response_preview: self.output().map(preview),
            request_time: Timestamp(millis(first.start_ns).cast_signed()),
            execution_duration: Some(Duration(
                millis(self.end_ns().saturating_sub(first.start_ns)).cast_signed(),
            )),
            state: match self.status() {
                SpanStatus::Ok => "OK",
                SpanStatus::Error => "ERROR",
                SpanStatus::Unset => "STATE_UNSPECIFIED",
            }
            .to_owned(),
            trace_metadata: self.metadata(),
            assessments: assessment_rows::of(context, &id)?,
            tags,
        }))
    }

    /// What its branches share, and the run that its first branch is.
    fn metadata(&self) -> BTreeMap<String, String> {
        let first = self.first();
        let mut metadata = BTreeMap::from([
            ("mlflow.trace_schema.version".to_owned(), "3".to_owned()),
            (labels::SOURCE_RUN.to_owned(), id::of_request(first.id)[3..].to_owned()),
        ]);
        for (key, value) in as_run::tags(&first) {
            if super::request_columns::METADATA.contains(&key) {
                metadata.insert(key.to_owned(), value.into_owned());
            }
        }
        metadata
    }

    fn blank(&self) -> Span {
        Span { trace_id: *self.id.as_bytes(), ..Span::default() }
    }

    /// The span of the request itself. Its id is the time of the request's id, and so none of a
    /// branch.
    fn root(&self) -> Span {
        let first = self.first();
        let mut span = Span {
            span_id: first_half(self.id),
            name: first.experiment.to_owned(),
            start_ns: first.start_ns,
            end_ns: self.end_ns(),
            status: self.status(),
            ..self.blank()
        };
        span.set(SPAN_TYPE, &ROOT_TYPE.into());
        if let Some(output) = self.output() {
            span.set(OUTPUTS, output);
        }
        for (key, value) in self.metadata() {
            if key.starts_with("spearmint.") {
                span.set(&key, &value.into());
            }
        }
        span.named_here()
    }

    /// The span of a branch: it was given its config.
    fn span(&self, row: &BranchRow) -> Span {
        let branch = Recorded::from(row);
        let is_here = |parent: &BranchId| self.branches.iter().any(|other| other.id == *parent);
        let parent = branch.parent.filter(is_here);
        let mut span = Span {
            span_id: second_half(branch.id),
            parent: Some(parent.map_or_else(|| first_half(self.id), second_half)),
            name: branch.config_id.short().to_owned(),
            start_ns: branch.start_ns,
            end_ns: branch.end_ns,
            status: match branch.status {
                Status::Success => SpanStatus::Ok,
                Status::Failed => SpanStatus::Error,
                Status::Skipped | Status::Cancelled => SpanStatus::Unset,
            },
            ..self.blank()
        };
        span.set(SPAN_TYPE, &BRANCH_TYPE.into());
        span.set(INPUTS, branch.config);
        if let Some(output) = branch.output {
            span.set(OUTPUTS, output);
        }
        for (key, value) in as_run::tags(&branch) {
            if key.starts_with("spearmint.") && key != "spearmint.output" {
                span.set(key, &value.into());
            }
        }
        for (key, value) in as_run::metrics(&branch) {
            if !key.starts_with("output") {
                span.set(&format!("spearmint.{key}"), &json!(value));
            }
        }
        if let Some(failure) = branch.failure {
            span.status_message = failure.message.clone();
            span.event(
                "exception",
                branch.end_ns,
                &[
                    ("exception.type", &failure.type_name),
                    ("exception.message", &failure.message),
                    ("exception.stacktrace", &failure.trace),
                ],
            );
        }
        span.named_here()
    }
}

/// The time of an id, and what else is in its first 64 bits.
fn first_half(id: BranchId) -> [u8; 8] {
    half(id, 0)
}

/// The counter of an id, which is its span in the `traceparent` that a branch is called with.
fn second_half(id: BranchId) -> [u8; 8] {
    half(id, 8)
}

fn half(id: BranchId, from: usize) -> [u8; 8] {
    let mut half = [0; 8];
    half.copy_from_slice(&id.as_bytes()[from..from + 8]);
    half
}
