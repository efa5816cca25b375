//! A span around each branch, for `tracing`.

use crate::trial::{End, Place};
use tracing::{Span, field::Empty, level_filters::LevelFilter, span::Entered};

/// The span of a branch, from its start to its end. Nothing where no subscriber
/// wants it.
pub(super) struct BranchSpan(Option<Box<Span>>);

impl BranchSpan {
    #[inline]
    pub(super) fn open(place: &Place) -> Self {
        // The least that can be asked on the way of a request.
        if LevelFilter::current() >= LevelFilter::DEBUG { Self::make(place) } else { Self(None) }
    }

    /// Kept out of the way of requests: inlined, it costs those without a span, too.
    #[cold]
    #[inline(never)]
    fn make(place: &Place) -> Self {
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

    #[inline]
    pub(super) fn end(&self, end: &End) {
        if let Some(span) = &self.0 {
            record_end(span, end);
        }
    }
}

#[cold]
#[inline(never)]
fn record_end(span: &Span, end: &End) {
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
