//! A request as a trace: a view of its branches.
//!
//! The first branch that was recorded of it stands for it. (It has the request's id, unless the
//! outermost experiment is not recorded.)

use super::{
    id, preview,
    span::{INPUTS, OUTPUTS, SPAN_TYPE, Span},
};
use crate::{
    as_run::{self, Recorded, millis},
    branch::{BranchId, Role, SpanId, Status},
    otlp::Status as SpanStatus,
    store::BranchRow,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The span that stands for the request is a chain of what its branches do.
pub(crate) const ROOT_TYPE: &str = "CHAIN";
pub(crate) const BRANCH_TYPE: &str = "TASK";
/// The tag that is the name of a trace.
pub(crate) const NAME: &str = "mlflow.traceName";

/// What of a first branch's tags is said of the whole request.
pub(crate) const METADATA: &[&str] = &[
    "spearmint.request_id",
    "spearmint.trace_id",
    "spearmint.parent_span_id",
    "spearmint.experiment",
    "spearmint.strategy",
    "spearmint.config_id",
    "spearmint.reason",
    "spearmint.epoch",
    "spearmint.unit",
];

/// The branches of a request, the first first; there is one at least.
#[derive(Debug)]
pub(crate) struct Request {
    id: BranchId,
    branches: Vec<BranchRow>,
}

/// What is said of the whole of it.
#[derive(Debug)]
pub(crate) struct Info {
    pub(crate) trace_id: String,
    pub(crate) experiment: String,
    pub(crate) start_ms: u64,
    pub(crate) duration_ms: u64,
    /// `OK`, `ERROR` or `STATE_UNSPECIFIED`.
    pub(crate) state: &'static str,
    pub(crate) response_preview: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
}

impl Request {
    /// `None` without branches.
    pub(crate) fn new(id: BranchId, branches: Vec<BranchRow>) -> Option<Self> {
        (!branches.is_empty()).then_some(Self { id, branches })
    }

    /// The branch that stands for it.
    pub(crate) fn first(&self) -> Recorded<'_> {
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

    pub(crate) fn info(&self) -> Info {
        let first = self.first();
        Info {
            trace_id: id::of_request(self.id),
            experiment: first.experiment.to_owned(),
            start_ms: millis(first.start_ns),
            duration_ms: millis(self.end_ns().saturating_sub(first.start_ns)),
            state: match self.status() {
                SpanStatus::Ok => "OK",
                SpanStatus::Error => "ERROR",
                SpanStatus::Unset => "STATE_UNSPECIFIED",
            },
            response_preview: self.output().map(preview),
            metadata: self.metadata(),
        }
    }

    /// What its branches share.
    fn metadata(&self) -> BTreeMap<String, String> {
        let mut metadata =
            BTreeMap::from([("mlflow.trace_schema.version".to_owned(), "3".to_owned())]);
        for (key, value) in as_run::tags(&self.first()) {
            if METADATA.contains(&key) {
                metadata.insert(key.to_owned(), value.into_owned());
            }
        }
        metadata
    }

    /// One for the request, and one for each branch.
    pub(crate) fn spans(&self) -> impl Iterator<Item = Span> {
        std::iter::once(self.root()).chain(self.branches.iter().map(|branch| self.span(branch)))
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
            status: SpanStatus::of_branch(branch.status),
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
    let mut half = [0; 8];
    half.copy_from_slice(&id.as_bytes()[..8]);
    half
}

/// The counter of an id, which is its span in the `traceparent` that a branch is called with.
fn second_half(id: BranchId) -> [u8; 8] {
    *SpanId::of_branch(id).as_bytes()
}
