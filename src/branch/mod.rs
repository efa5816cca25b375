//! What happened: one execution of one config.
//!
//! A [`Branch`] is recorded exactly once for every execution a strategy dispatched or refused
//! before dispatch. It serialises to JSON with the same names that the store, the command line
//! and MLflow use.
//!
//! ```
//! use tower_spearmint::branch::{Branch, Role, Status};
//!
//! fn summary(branch: &Branch) -> String {
//!     match (&branch.status, &branch.failure) {
//!         (Status::Failed, Some(failure)) => format!("{}: {failure}", branch.config.id()),
//!         (status, _) => format!("{}: {status} in {} ns", branch.config.id(), branch.duration_ns),
//!     }
//! }
//! ```

mod branches;
mod failure;
mod id;
mod metrics;
mod trace_id;
mod trace_parent;

pub use crate::named::UnknownName;
pub use branches::Branches;
pub use failure::{Failure, FailureKind, SkipReason};
pub use id::BranchId;
pub use metrics::BranchMetrics;
pub use trace_id::{InvalidTraceId, SpanId, TraceId};
pub use trace_parent::TraceParent;

pub(crate) use crate::named::named;

use crate::{
    assign::{Epoch, Reason},
    config::Config,
};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

/// One execution of one config: who, when, and how it ended.
///
/// `T` is the type of the output: a response where a strategy hands branches back, a JSON value
/// where they are recorded.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Branch<T = Value> {
    /// Unique, and in the order of time (UUID version 7, RFC 9562).
    pub id: BranchId,
    /// The same for all branches of one request: the id of its first branch.
    pub request_id: BranchId,
    /// The branch of the outer experiment this one ran in, when experiments are nested.
    pub parent: Option<BranchId>,
    /// The id of the config that the outer branch ran with.
    pub parent_config_id: Option<crate::ConfigId>,
    /// Where the request stands in its caller's trace, if it came with one (over HTTP, by its
    /// `traceparent`).
    pub trace: Option<TraceParent>,
    /// The name of the experiment.
    pub experiment: Arc<str>,
    /// The name of the strategy.
    pub strategy: Arc<str>,
    /// What the branch did for its request.
    pub role: Role,
    /// The id of the config.
    pub config_id: crate::ConfigId,
    /// The config; serialised without its secrets.
    pub config: Config,
    /// The probability, from 0 to 1, with which this config was chosen for this request.
    pub probability: f64,
    /// Why it was this config.
    pub reason: Reason,
    /// The version of the weights and rules by which it was chosen.
    pub epoch: Epoch,
    /// A keyed hash of the unit (user, session, …) under sticky assignment; never the key itself.
    pub unit: Option<u64>,
    /// When it was assigned or, for one that runs beside others, when it was started; in
    /// nanoseconds since the Unix epoch.
    pub start_ns: u64,
    /// When it ended, in nanoseconds since the Unix epoch.
    pub end_ns: u64,
    /// `end_ns − start_ns`, measured by a clock that never runs backwards.
    pub duration_ns: u64,
    /// How it ended.
    pub status: Status,
    /// What it returned, if it succeeded and the output is kept.
    pub output: Option<T>,
    /// Why it failed, if it failed.
    pub failure: Option<Failure>,
    /// Why it was not started, if it was skipped.
    pub skip: Option<SkipReason>,
    /// How often it was tried again before this end.
    pub retry_count: u32,
    /// How long it took from the start until the head of the response was there, in nanoseconds.
    /// This and what follows is measured over HTTP; `None` where it was not.
    pub first_byte_ns: Option<u64>,
    /// How many bytes of the request body its service read.
    pub bytes_in: Option<u64>,
    /// How many bytes of its response body passed: all of them, or those until it broke off or
    /// was dropped.
    pub bytes_out: Option<u64>,
    /// What its service said of it in numbers; in JSON only where it said any.
    #[serde(skip_serializing_if = "BranchMetrics::is_empty")]
    pub metrics: BranchMetrics,
}

impl<T> Branch<T> {
    /// The same branch with its output changed.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Branch<U> {
        Branch {
            id: self.id,
            request_id: self.request_id,
            parent: self.parent,
            parent_config_id: self.parent_config_id,
            trace: self.trace,
            experiment: self.experiment,
            strategy: self.strategy,
            role: self.role,
            config_id: self.config_id,
            config: self.config,
            probability: self.probability,
            reason: self.reason,
            epoch: self.epoch,
            unit: self.unit,
            start_ns: self.start_ns,
            end_ns: self.end_ns,
            duration_ns: self.duration_ns,
            status: self.status,
            output: self.output.map(f),
            failure: self.failure,
            skip: self.skip,
            retry_count: self.retry_count,
            first_byte_ns: self.first_byte_ns,
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
            metrics: self.metrics,
        }
    }

    /// The trace it belongs to: the caller's, or else one that begins with the request and has its
    /// id. It is what the service further down was told.
    pub fn trace_id(&self) -> TraceId {
        TraceId::of_request(self.trace.as_ref(), self.request_id)
    }

    /// The span that it is in its trace: the lower half of its id.
    pub fn span_id(&self) -> SpanId {
        SpanId::of_branch(self.id)
    }

    /// Whether it succeeded.
    pub fn is_success(&self) -> bool {
        self.status == Status::Success
    }
}

named! {
    /// What a branch did for its request.
    Role {
        /// Its response is the one the caller got.
        Primary = "primary",
        /// It ran in the background; nobody waited for it.
        Shadow = "shadow",
        /// A second run of the primary's config in the background: what differs here is noise.
        Control = "control",
        /// It is one of several whose outputs were combined.
        Branch = "branch",
        /// It answered in place of a primary that could not be reached.
        Fallback = "fallback",
    }
}

named! {
    /// How a branch ended.
    Status {
        /// It returned, to the end.
        Success = "success",
        /// It was started and went wrong.
        Failed = "failed",
        /// It was refused before it was started.
        Skipped = "skipped",
        /// The caller left, or the process was stopped.
        Cancelled = "cancelled",
    }
}
