//! A backend that tells each branch and comparison as a `tracing` event.

use super::{BatchError, LoggerBackend, RunId};
use crate::{
    BoxError,
    branch::{Branch, Failure},
    compare::Comparison,
};
use serde_json::Value;

/// Tells each branch as one `tracing` event of target `spearmint::branch`: at `INFO`, failures
/// at `WARN`. Each comparison is one event of target `spearmint::compare`: at `INFO` if something
/// differs, with the places but not what stands there; else at `DEBUG`.
#[derive(Debug, Clone, Copy, Default)]
pub struct TracingBackend(());

impl TracingBackend {
    /// A backend that writes to the current `tracing` subscriber.
    pub const fn new() -> Self {
        Self(())
    }
}

macro_rules! tell {
    ($level:ident, $branch:expr) => {
        tracing::$level!(
            target: "spearmint::branch",
            branch_id = %$branch.id,
            request_id = %$branch.request_id,
            trace_id = %$branch.trace_id(),
            parent = $branch.parent.map(tracing::field::display),
            experiment = %$branch.experiment,
            strategy = %$branch.strategy,
            config_id = %$branch.config_id,
            role = %$branch.role,
            reason = %$branch.reason,
            epoch = %$branch.epoch,
            status = %$branch.status,
            duration_ns = $branch.duration_ns,
            kind = $branch.failure.as_ref().map(|f| tracing::field::display(f.kind)),
            failure = $branch.failure.as_ref().map(|f| tracing::field::display(&f.message)),
            skip = $branch.skip.map(tracing::field::display),
            "branch {}", $branch.status
        )
    };
}

macro_rules! tell_comparison {
    ($level:ident, $comparison:expr, $paths:expr, $outcome:literal) => {
        tracing::$level!(
            target: "spearmint::compare",
            request_id = %$comparison.request_id,
            primary = %$comparison.primary,
            branch_id = %$comparison.branch,
            experiment = %$comparison.experiment,
            config_id = %$comparison.config_id,
            role = %$comparison.role,
            paths = $paths,
            more = $comparison.differences.more(),
            "answers {}", $outcome
        )
    };
}

impl LoggerBackend for TracingBackend {
    async fn start_run(&self, branch: &Branch) -> Result<RunId, BoxError> {
        Ok(RunId(branch.id.to_string()))
    }

    async fn log_status(&self, _: &RunId, branch: &Branch) -> Result<(), BoxError> {
        if branch.failure.is_some() {
            tell!(warn, branch);
        } else {
            tell!(info, branch);
        }
        Ok(())
    }

    /// The event of the branch carries its failure.
    async fn log_exception(&self, _: &RunId, _: &Failure) -> Result<(), BoxError> {
        Ok(())
    }

    /// An event names the config by its id.
    async fn log_params(&self, _: &RunId, _: &Value) -> Result<(), BoxError> {
        Ok(())
    }
    async fn log_comparisons(&self, batch: &[Comparison]) -> Result<(), BatchError> {
        for comparison in batch {
            if comparison.is_equal() {
                tell_comparison!(debug, comparison, None::<&str>, "equal");
            } else {
                let list = comparison.differences.list();
                let paths: Vec<_> = list.iter().map(|found| &*found.path).collect();
                tell_comparison!(info, comparison, Some(&*paths.join(" ")), "different");
            }
        }
        Ok(())
    }
}
