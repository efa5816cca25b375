//! A span around each branch, for `tracing`.

use crate::trial::{End, Place};
use tracing::{Span, field::Empty, span::Entered};

/// The span of a branch, from its start to its end. Nothing, and nothing of a cost, where no
/// subscriber wants it.
pub(super) struct BranchSpan(Option<Box<Span>>);

impl BranchSpan {
    pub(super) fn open(place: &Place) -> Self {
        let span = tracing::debug_span!(
            target: "spearmint::branch",
            "branch",
            branch_id = %place.branch_id(),
            request_id = %place.request_id(),
            parent = place.parent().map(|parent| display(parent.branch_id())),
            experiment = place.experiment(),
            strategy = place.strategy(),
            config_id = place.config_id().as_str(),
            role = place.role().as_str(),
            reason = place.reason().as_str(),
            epoch = %place.epoch(),
            status = Empty,
            kind = Empty,
            skip = Empty,
        );
        Self((!span.is_disabled()).then(|| Box::new(span)))
    }

    /// What is logged until this is dropped belongs to the branch.
    pub(super) fn enter(&self) -> Option<Entered<'_>> {
        self.0.as_deref().map(Span::enter)
    }

    pub(super) fn end<T>(&self, end: &End<T>) {
        let Some(span) = &self.0 else { return };
        span.record("status", end.status().as_str());
        match end {
            End::Failed(failure) => {
                span.record("kind", failure.kind.as_str());
            }
            End::Skipped(reason) => {
                span.record("skip", reason.as_str());
            }
            End::Success(_) | End::Cancelled => {}
        }
    }
}
